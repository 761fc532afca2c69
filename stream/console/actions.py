"""What happens when somebody says something about an alert? The same for forms and for the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.alerts.expected_shifts import FOREVER_MS, Announced
from stream.alerts.explain import utc
from stream.alerts.verdicts import Said, last_verdicts
from stream.console.desk import Desk
from stream.console.shown.carried import Carried, carried_by
from stream.console.shown.view import Known
from stream.contract.attention import ACK, NOTE, SNOOZE, Asked
from stream.contract.expected import Expected, decode_expected
from stream.contract.verdict import NOTE_MAX, Verdict, decode_verdict
from stream.errors import SwerveError, UsageError
from stream.oncall.attention import Entry, place_of
from stream.oncall.silence.in_force import Silence, in_force
from stream.oncall.voice import Voice, as_json, expected_record
from stream.telemetry import metrics

SNOOZE_MS_MAX = 30 * 86_400_000
BY_MAX = 120


class UnknownAlertError(SwerveError):
    """No alert of this id is remembered."""


class UnknownAccountError(SwerveError):
    """Nothing is known of an account of this id."""


class UnknownReleaseError(SwerveError):
    """No model of this name is announced or seen."""


class ChangedMeanwhileError(SwerveError):
    """Somebody else said something since the page was read on which this rests."""


def known_account(desk: Desk, account_id: str, has_requests: bool) -> Carried | None:
    """What it carried lately; None before the first tick. The same for the page and for programs.

    has_requests: whether some of it are kept. Raises UnknownAccountError where nothing at all is known of it.
    """
    carried = None if desk.view.lately is None else carried_by(desk.view.lately, account_id)
    subjects = {one.subject.id for one in announced(desk) if one.subject.kind == "account"}
    seen = carried is not None and (carried.values or carried.first_seen_ms is not None)
    if has_requests or seen or account_id in subjects:
        return carried
    if desk.view.watching(account_id) or desk.view.naming(account_id):
        return carried
    raise UnknownAccountError(
        f"no account {account_id[:64]}: mistyped, or no alert names it and no request of it is in the days kept. "
        "An account alone is not judged by its own shift; it is named when it moves together with others"
    )


def known(desk: Desk, alert_id: str) -> Known:
    """The alert, or UnknownAlertError."""
    found = desk.view.alert(alert_id)
    if found is None:
        raise UnknownAlertError(f"no alert {alert_id[:64]}: mistyped, or it ended more than 90 days ago")
    return found


def voice(desk: Desk) -> Voice:
    """Whoever takes a word. Raises SwerveError where this process judges nothing."""
    if desk.voice is None:
        raise SwerveError("this worker stands by and judges nothing: ask the one that does, or try again soon")
    return desk.voice


async def expect(desk: Desk, raw: bytes) -> Expected:
    """Announce the shift that these bytes are. Raises Refusal, UsageError, SwerveError."""
    shift = decode_expected(raw).known_by(desk.settings)
    await announce(desk, shift)
    return shift


async def announce(desk: Desk, shift: Expected) -> None:
    """It is expected from the next tick on. Raises UsageError where the configuration says so already, SwerveError."""
    if shift.id in {one.id for one in announced(desk) if one.until_ms >= FOREVER_MS}:
        raise UsageError(f"{shift.id[:80]} stands in the configuration, under [allow]: change it there")
    await voice(desk).expect(shift)
    subject = "fleet" if shift.subject.kind == "fleet" else f"{shift.subject.kind} {shift.subject.id}"
    metrics.said("expected", id=shift.id, subject=subject, until_ms=shift.until_ms, reason=shift.reason)


async def withdraw(desk: Desk, shift_id: str) -> None:
    """It is not expected any more. Raises UsageError where it is not announced."""
    found = next((one for one in announced(desk) if one.id == shift_id), None)
    if found is None:
        raise UsageError(f"no expected shift {shift_id[:80]}")
    if found.until_ms >= FOREVER_MS:
        raise UsageError(f"{shift_id[:80]} stands in the configuration, under [allow]: change it there")
    await expect(desk, as_json(expected_record(found) | {"from": 0, "until": 0}))


async def judge(desk: Desk, raw: bytes) -> Verdict:
    """Take the verdict that these bytes are. Raises Refusal, UnknownAlertError, SwerveError."""
    verdict = decode_verdict(raw)
    known(desk, verdict.alert_id)
    await voice(desk).judge(verdict)
    metrics.said("verdict", by=verdict.by, alert_id=verdict.alert_id, verdict=verdict.verdict, note=verdict.note)
    return verdict


async def acknowledge(desk: Desk, alert_id: str, by: str, note: str = "", had: str | None = None) -> Entry:
    """Somebody has it. had: who had it on the page that was read, "" for nobody; None where no page was.

    Raises UnknownAlertError, SwerveError; ChangedMeanwhileError where a third one took it since.
    """
    known(desk, alert_id)
    held = entry(desk, alert_id).acknowledged
    if had is not None and held is not None and held.by not in (had, by):
        raise ChangedMeanwhileError(
            f"{held.by} has this alert since {utc(held.at_ms)} UTC, which your page did not say; nothing was changed. "
            "Go back, reload, and press again if you mean it"
        )
    return await _ask(desk, Asked(alert_id, ACK, by[:BY_MAX], desk.now_ms(), note=note[:NOTE_MAX]))


async def hand_over(desk: Desk, alert_id: str, by: str, to: str, note: str = "", had: str | None = None) -> Entry:
    """Somebody else has it from now on, and who gave it stands in the notes. Raises as `acknowledge`, UsageError."""
    if not to.strip():
        raise UsageError("to: expected the name of who has it from now on")
    said = f"handed over to {to.strip()[:BY_MAX]}" + (f": {note.strip()}" if note.strip() else "")
    held = await acknowledge(desk, alert_id, to.strip(), had=had)
    await note_down(desk, alert_id, by, said[:NOTE_MAX])
    return held


async def note_down(desk: Desk, alert_id: str, by: str, text: str) -> Sequence[Asked]:
    """Keep a note in the alert's history; all of its notes, oldest first. Raises UnknownAlertError, UsageError."""
    known(desk, alert_id)
    if not 0 < len(text.strip()) <= NOTE_MAX:
        raise UsageError(f"note: expected 1 to {NOTE_MAX:,} characters, got {len(text.strip()):,}")
    keeper = voice(desk).attention
    async with desk.noting:
        place = place_of(keeper.notes(alert_id))
        await keeper.ask(Asked(alert_id, NOTE, by[:BY_MAX], desk.now_ms(), note=text.strip(), place=place))
        return keeper.notes(alert_id)


def notes(desk: Desk, alert_id: str) -> Sequence[Asked]:
    """What people noted about an alert, oldest first."""
    return () if desk.voice is None else desk.voice.attention.notes(alert_id)


async def snooze(desk: Desk, alert_id: str, by: str, until_ms: int, note: str = "") -> Entry:
    """Quiet until then, by the wall's clock; a time that is past ends it. Raises UnknownAlertError, UsageError."""
    known(desk, alert_id)
    if until_ms > desk.now_ms() + SNOOZE_MS_MAX:
        raise UsageError("until: expected at most 30 days from now; a snooze has an end")
    return await _ask(desk, Asked(alert_id, SNOOZE, by[:BY_MAX], desk.now_ms(), until_ms, note[:NOTE_MAX]))


async def _ask(desk: Desk, asked: Asked) -> Entry:
    keeper = voice(desk).attention
    await keeper.ask(asked)
    metrics.said(asked.word, by=asked.by, alert_id=asked.alert_id, until_ms=asked.until_ms, note=asked.note)
    return keeper.entry(asked.alert_id).at(desk.now_ms())


def announced(desk: Desk) -> Sequence[Announced]:
    """Expected shifts that were not withdrawn, those that end first last."""
    given = () if desk.voice is None else desk.voice.expected()
    return sorted((one for one in given if one.until_ms > one.from_ms), key=lambda one: (-one.until_ms, one.id))


def verdicts(desk: Desk) -> Mapping[str, Said]:
    """The last word about each alert."""
    return {} if desk.voice is None else last_verdicts(desk.voice.verdicts())


def entry(desk: Desk, alert_id: str) -> Entry:
    """Who has it, and whether it is quiet now."""
    return Entry() if desk.voice is None else desk.voice.attention.entry(alert_id).at(desk.now_ms())


def muted(desk: Desk) -> list[Silence]:
    """Everything that keeps alerts from people now."""
    said = verdicts(desk)
    judged = (desk.view.alert(alert_id) for alert_id in said)
    alerts = {one.last.alert_id: one.last for one in (*desk.view.firing(), *judged) if one is not None}
    return in_force(announced(desk), list(alerts.values()), said, lambda name: entry(desk, name), desk.at_ms)


def verdict_of(alert_id: str, word: str, by: str, at_ms: int, note: str = "") -> dict[str, Any]:
    """A verdict record of the contract."""
    return {"alert_id": alert_id, "verdict": word, "by": by or "console", "at": at_ms, "note": note}
