"""What do programs get? Everything that the pages show, as JSON. Described in openapi.py, which a test holds to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import orjson
from aiohttp import web

from detectors.triage.watchlist import Watched
from stream.alerts.explain import explain
from stream.console import actions
from stream.console.desk import Desk
from stream.console.door import WHO
from stream.console.shown import export, listing, look, tracks
from stream.console.shown.view import Known
from stream.contract.alert import Alert
from stream.contract.attention import Asked as Words
from stream.contract.reading.instant import instant_ms
from stream.errors import UsageError
from stream.oncall.attention import Entry
from stream.oncall.voice import as_json, expected_record, verdict_record

ACCOUNTS_LIMIT = 1_000


def attach(desk: Desk, router: web.UrlDispatcher) -> None:
    """Add the routes of the API."""

    def route(method: str, path: str, answer: Callable[[Desk, web.Request], Awaitable[web.StreamResponse]]) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            return await answer(desk, request)

        router.add_route(method, path, handler)

    route("GET", "/api/v1/alerts", _alerts)
    route("GET", "/api/v1/alerts/{alert_id}", _alert)
    route("GET", "/api/v1/alerts/{alert_id}/accounts", _accounts)
    route("POST", "/api/v1/alerts/{alert_id}/ack", _ack)
    route("POST", "/api/v1/alerts/{alert_id}/snooze", _snooze)
    route("POST", "/api/v1/alerts/{alert_id}/handover", _hand_over)
    route("POST", "/api/v1/alerts/{alert_id}/notes", _note_down)
    route("GET", "/api/v1/accounts/{account_id}", _account)
    route("GET", "/api/v1/cohorts/{dimension}/{cohort_id}", _cohort)
    route("GET", "/api/v1/fleet", _fleet)
    route("GET", "/api/v1/watchlist", _watchlist)
    route("GET", "/api/v1/releases", _releases)
    route("GET", "/api/v1/expected", _expected)
    route("POST", "/api/v1/expected", _expect)
    route("GET", "/api/v1/verdicts", _verdicts)
    route("POST", "/api/v1/verdicts", _judge)


def as_answer(value: Any, status: int = 200) -> web.Response:
    """JSON."""
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")


def record(alert: Alert, with_accounts: bool = False) -> dict[str, Any]:
    """An alert record of the contract; a list goes without the ids of its accounts."""
    told: dict[str, Any] = msgspec.to_builtins(alert)
    return told if with_accounts else {key: value for key, value in told.items() if key != "accounts"}


async def body_of(request: web.Request) -> bytes:
    """What was sent as JSON. Raises UsageError where it is called something else."""
    # A form of another site cannot send this type without asking first, and is never allowed to.
    if request.content_type != "application/json":
        raise UsageError(f"Content-Type: expected application/json, got {request.content_type[:60]}")
    return await request.read()


def object_of(raw: bytes) -> Mapping[str, Any]:
    """A JSON object; nothing is an empty one. Raises UsageError."""
    try:
        given = orjson.loads(raw) if raw.strip() else {}
    except orjson.JSONDecodeError as error:
        raise UsageError(f"body: expected JSON, got: {error}") from None
    if not isinstance(given, dict):
        raise UsageError(f"body: expected an object, got {type(given).__name__}")
    return given


def _by(request: web.Request, given: Mapping[str, Any]) -> str:
    """Who says so: whom the proxy names, else whom the body names."""
    by = given.get("by", "")
    if not isinstance(by, str):
        raise UsageError("by: expected text")
    return by if by and request[WHO] == "console" else request[WHO]


def _note(given: Mapping[str, Any]) -> str:
    note = given.get("note", "")
    if not isinstance(note, str):
        raise UsageError("note: expected text")
    return note


async def _alerts(desk: Desk, request: web.Request) -> web.Response:
    question = listing.asked(request.query, listing.ALERT_SORTS, limit=100)
    page = listing.alerts(desk.view.alerts(), question)
    following = None if page.next is None else question.address("/api/v1/alerts", offset=page.next, limit=page.limit)
    ids = [one.last.alert_id for one in page.rows]
    asked_for = {name: entry.record() for name in ids if (entry := actions.entry(desk, name)) != Entry()}
    return as_answer(
        {
            "alerts": [record(one.last) for one in page.rows],
            "attention": asked_for,
            "total": page.total,
            "next": following,
        }
    )


async def _alert(desk: Desk, request: web.Request) -> web.Response:
    known = actions.known(desk, request.match_info["alert_id"])
    verdict = actions.verdicts(desk).get(known.last.alert_id)
    return as_answer(
        {
            "alert": record(known.last, with_accounts=True),
            "timeline": [_change(one) for one in known.records],
            "explanation": [_section(one) for one in explain(known.records)],
            "similar": [
                {"alert_id": other.last.alert_id, "accounts_in_common": common, "summary": other.last.summary}
                for other, common in desk.view.similar(known)
            ],
            "verdict": None if verdict is None else verdict_record(verdict),  # type: ignore[arg-type]
            "attention": actions.entry(desk, known.last.alert_id).record(),
            "notes": [note_row(one) for one in actions.notes(desk, known.last.alert_id)],
            "course": _course(desk, known),
        }
    )


def _change(alert: Alert) -> dict[str, Any]:
    return {
        "updated_at": alert.updated_at,
        "status": alert.status,
        "severity": alert.severity,
        "accounts_total": alert.accounts_total,
        "change": alert.evidence.get("change"),
        "summary": alert.summary,
    }


def _section(section: Any) -> dict[str, Any]:
    rows = [{"label": row.label, "value": row.value, "note": row.note} for row in section.rows]
    return {"title": section.title, "rows": rows}


def _course(desk: Desk, known: Known) -> dict[str, Any] | None:
    course = desk.view.courses.courses.get(known.last.alert_id)
    if course is None:
        return None
    return {
        "target": course.target,
        "accounts": sorted(dict(course.theirs).items()),
        "others": sorted(dict(course.others).items()),
    }


async def _accounts(desk: Desk, request: web.Request) -> web.StreamResponse:
    known = actions.known(desk, request.match_info["alert_id"])
    written = request.query.get("format", "json")
    if written not in ("json", "csv", "ndjson"):
        raise UsageError(f"format: expected json, csv or ndjson, got {written[:20]!r}")
    if written != "json":
        return await _exported(request, known, written)
    question = listing.asked(request.query, listing.MEMBER_SORTS, limit=ACCOUNTS_LIMIT)
    page = listing.members(known.members, question)
    path = f"/api/v1/alerts/{known.last.alert_id}/accounts"
    following = None if page.next is None else question.address(path, offset=page.next, limit=page.limit)
    rows = [export.row_of(one) for one in page.rows]
    return as_answer({"alert_id": known.last.alert_id, "accounts": rows, "total": page.total, "next": following})


async def _exported(request: web.Request, known: Known, written: str) -> web.StreamResponse:
    """All members, in pieces: 10,000 are written without waiting for the last."""
    from stream.console.door import HEADERS

    name = "".join(one for one in known.last.alert_id if one.isalnum() or one in "-_")[:64]
    headers = {"Content-Disposition": f'attachment; filename="alert-{name}.{written}"', "Cache-Control": "no-store"}
    response = web.StreamResponse(headers=HEADERS | headers)
    response.content_type = "text/csv" if written == "csv" else "application/x-ndjson"
    response.charset = "utf-8"
    await response.prepare(request)
    members = known.members
    for piece in export.as_csv(members) if written == "csv" else export.ndjson(members):
        await response.write(piece)
    await response.write_eof()
    return response


async def _ack(desk: Desk, request: web.Request) -> web.Response:
    given = object_of(await body_of(request))
    by, note = _by(request, given), _note(given)
    return as_answer((await actions.acknowledge(desk, request.match_info["alert_id"], by, note)).record())


async def _hand_over(desk: Desk, request: web.Request) -> web.Response:
    given = object_of(await body_of(request))
    to = given.get("to", "")
    if not isinstance(to, str):
        raise UsageError("to: expected text")
    alert_id, by = request.match_info["alert_id"], _by(request, given)
    return as_answer((await actions.hand_over(desk, alert_id, by, to, _note(given))).record())


async def _note_down(desk: Desk, request: web.Request) -> web.Response:
    given = object_of(await body_of(request))
    notes = await actions.note_down(desk, request.match_info["alert_id"], _by(request, given), _note(given))
    return as_answer({"notes": [note_row(one) for one in notes]})


def note_row(one: Words) -> dict[str, Any]:
    """A note as the API tells it."""
    return {"by": one.by, "at": one.at_ms, "note": one.note}


async def _snooze(desk: Desk, request: web.Request) -> web.Response:
    given = object_of(await body_of(request))
    until = given.get("until")
    if isinstance(until, bool) or not isinstance(until, int | str):
        raise UsageError("until: expected epoch milliseconds, or RFC 3339")
    until_ms = instant_ms(until, "until")
    alert_id, by = request.match_info["alert_id"], _by(request, given)
    return as_answer((await actions.snooze(desk, alert_id, by, until_ms, _note(given))).record())


async def _account(desk: Desk, request: web.Request) -> web.Response:
    account_id = desk.settings.said_account(request.match_info["account_id"])
    mix = tracks.mix_of(list(desk.view.courses.kept), account_id)
    named = [
        export.row_of(member) | {"alert_id": known.last.alert_id, "status": known.last.status,
                                 "severity": known.last.severity, "summary": known.last.summary}
        for known, member in desk.view.naming(account_id)
    ]  # fmt: skip
    actions.known_account(desk, account_id, bool(mix.requests))
    place = desk.view.watching(account_id)
    watched = None if place is None else watched_row(*place)
    return as_answer(
        {"account_id": account_id, "alerts": named, "watched": watched, "requests": mix.requests, "shares": mix.shares}
    )


async def _cohort(desk: Desk, request: web.Request) -> web.Response:
    dimension, value = request.match_info["dimension"], request.match_info["cohort_id"]
    with desk.view.lock:
        hours, counts = desk.view.cohorts.course(dimension, value)
    shares = {name: look.smoothed(hours, of_target) for name, of_target in sorted(counts.items())}
    return as_answer({"dimension": dimension, "id": value, "requests": sorted(hours.items()), "shares": shares})


async def _fleet(desk: Desk, request: web.Request) -> web.Response:
    view = desk.view
    with view.lock:
        shares = {name: view.fleet.shares(name)[-24 * look.DAYS_DRAWN :] for name in sorted(view.fleet.counts)}
    moving = [
        {"kind": one.kind, "target": one.target, "share": one.now, "share_before": one.before}
        for one in look.moving(view)
    ]
    pulse = msgspec.to_builtins(view.pulse)
    budget = look.budget(view)
    return as_answer({"pulse": pulse, "pages": budget, "moving": moving, "shares": shares, "not_ready": desk.ready()})


async def _watchlist(desk: Desk, request: web.Request) -> web.Response:
    question = listing.asked(request.query, listing.WATCH_SORTS)
    rows = [watched_row(place, one) for place, one in listing.watched(desk.view.watched, question)]
    written = request.query.get("format", "json")
    if written not in export.WATCHED:
        raise UsageError(f"format: expected {', '.join(export.WATCHED)}, got {written[:20]!r}")
    if written != "json":
        kind, encode = export.WATCHED[written]
        headers = {"Content-Disposition": f'attachment; filename="watch-list.{written}"'}
        return web.Response(body=encode(rows), content_type=kind, charset="utf-8", headers=headers)
    return as_answer({"at_ms": desk.view.pulse.at_ms, "accounts": rows})


def watched_row(place: int, one: Watched) -> dict[str, Any]:
    """A row of the watch list, as the contract of the API has it: the target as alerts have it."""
    told = dataclasses.asdict(one)
    kind, _, name = told.pop("target").partition(":")
    return {"place": place, "since": told.pop("since_ms"), **told, "target": {"kind": kind, "id": name}}


async def _releases(desk: Desk, request: web.Request) -> web.Response:
    rows = sorted(desk.view.released().items(), key=lambda one: (-one[1], one[0]))
    dated = {one.model: one.dated.value for one in desk.view.dated}
    told = [{"model": model, "released_at": at, "dated": dated.get(model, "announced")} for model, at in rows]
    return as_answer({"releases": told})


async def _expected(desk: Desk, request: web.Request) -> web.Response:
    return as_answer({"expected": [expected_record(one) for one in actions.announced(desk)]})


async def _expect(desk: Desk, request: web.Request) -> web.Response:
    shift = await actions.expect(desk, await body_of(request))
    return as_answer(expected_record(shift), 202)


async def _verdicts(desk: Desk, request: web.Request) -> web.Response:
    said = actions.verdicts(desk)
    return as_answer({"verdicts": [verdict_record(said[name]) for name in sorted(said)]})  # type: ignore[arg-type]


async def _judge(desk: Desk, request: web.Request) -> web.Response:
    given = dict(object_of(await body_of(request)))
    given["by"] = _by(request, given)
    given.setdefault("at", desk.now_ms())
    verdict = await actions.judge(desk, as_json(given))
    return as_answer(verdict_record(verdict), 202)
