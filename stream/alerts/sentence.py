"""What does a tired engineer read first? One sentence below 120 characters, with numbers and what they compare to.

Written from the record alone, so that every place that shows an alert says the same. Evidence may lack any key: the
sentence then says less, and never guesses. Ids are text that strangers chose: shortened, and cleaned of controls.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from stream.alerts.evidence import number
from stream.alerts.figures import is_mostly_new
from stream.contract.alert import Alert
from stream.spoken import percent

LENGTH_MAX = 119
NAME_MAX = 28
NEGLIGIBLE = 0.01  # a share below it is "nothing before"
HOUR_MS = 3_600_000
_HARMLESS_TO_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@=+-]{0,39}")

LOOKS_LIKE = {
    "agency": "Looks like an agency.",
    "product": "Looks like one product.",
    "course": "Looks like a course.",
    "prompt_pack": "Looks like a public prompt pack.",
    "reseller": "Looks like a reseller.",
    "vpn": "Looks like a shared exit.",
    "one_customer": "Looks like one customer.",
    "one_place": "Looks like one event.",
    "one_value": "They share but one value.",
    "unknown_organisations": "Maybe one customer: no org told.",
}
SHARED_WORDS = {"payment": "payments", "ip_prefix": "exits", "template": "prompt kit", "asn": "networks"}


def sentence(alert: Alert) -> str:
    """The summary of a record: one line, 1 to 119 characters."""
    if alert.status == "resolved":
        return _fit(_RESOLVED[alert.resolved_reason or "ended"](alert))
    head = f"Announced: {_who(alert)}" if "expected" in alert.evidence else _who(alert)
    moved = _moved(alert)
    return _fit([f"{head}{moved[0]}", *moved[1:], *_tail(alert)])


def _fit(pieces: Sequence[str]) -> str:
    """As many pieces as fit, in order; the first always, cut if it must be. Ends with a full stop.

    >>> _fit(["org_7 moved 71% to atlas-4", "; comparable accounts 11%", ". One customer."])
    'org_7 moved 71% to atlas-4; comparable accounts 11%. One customer.'
    """
    text = pieces[0]
    for piece in pieces[1:]:
        if len(text) + len(piece) + (not piece.endswith(".")) <= LENGTH_MAX:
            text += piece
    if not text.endswith("."):
        text += "."
    return text if len(text) <= LENGTH_MAX else text[: LENGTH_MAX - 1] + "…"


def name(text: str, length_max: int = NAME_MAX) -> str:
    r"""An id as it may stand in a sentence.

    >>> name("evil\nid\x1b[2J"), name("a" * 300, 8)
    ('evil id [2J', 'aaaaaaa…')
    """
    clean = " ".join("".join(one if one.isprintable() else " " for one in text).split()) or "?"
    return clean if len(clean) <= length_max else clean[: length_max - 1] + "…"


def span(hours: float) -> str:
    """
    >>> span(0.4), span(9.2), span(30), span(76)
    ('24 min', '9 h', '30 h', '3 days')
    """
    if hours < 1:
        return f"{max(1, round(60 * max(hours, 0.0)))} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def _count(n: float, one: str, many: str) -> str:
    return f"{n:,.0f} {one if n == 1 else many}"


def _size(alert: Alert) -> float:
    """Accounts that are named, or all that were judged where nobody is: shares and organisations are of these."""
    return alert.accounts_total or number(alert.evidence, "accounts") or 0


def _accounts(alert: Alert) -> str:
    new = "mostly new " if is_mostly_new(alert.evidence) else ""
    return _count(_size(alert), f"{new}account", f"{new}accounts")


def _who(alert: Alert) -> str:
    subject = alert.subject
    if subject.kind == "account":
        return f"Account {name(subject.id)}"
    if subject.kind == "cohort":
        label = subject.id if subject.dimension == "org" else f"{subject.dimension}={subject.id}"
        return f"{name(label)} ({_accounts(alert)})" if _size(alert) else name(label)
    organisations = number(alert.evidence, "organisations")
    of = "" if organisations is None else f" of {_count(organisations, 'org', 'orgs')}"
    return f"{_accounts(alert)}{of}"


def _toward(alert: Alert) -> str:
    return " and ".join(name(target.id, 24) for target in alert.targets[:2])


def _elapsed(alert: Alert) -> str:
    hours = number(alert.evidence, "onset_to_now_h")
    if hours is None:
        hours = (alert.updated_at - alert.started_at) / HOUR_MS
    return span(hours)


def _moved(alert: Alert) -> list[str]:
    """How far, to what, in how long, and what everyone else did.

    The shares are of a day: what was found in the last hours alone may not show in them yet.
    """
    before, after = number(alert.evidence, "share_before"), number(alert.evidence, "share_after")
    if after is None:
        return _busy(alert)
    target = name(alert.target.id, 24)
    if before is not None and before >= after and not is_mostly_new(alert.evidence):
        return [
            f"{_turn(alert)} to {target}",
            f" in {_elapsed(alert)}",
            f"; {percent(after)} of a day",
            *_others(alert, ","),
        ]
    if is_mostly_new(alert.evidence):
        return [f" send {percent(after)}{_of_traffic(alert)} to {target}", f" for {_elapsed(alert)}", *_others(alert)]
    if alert.target.kind == "capability":
        came = (
            f": {target} {percent(before)} -> {percent(after)}"
            if before is not None
            else f": {target} {percent(after)}"
        )
    elif before is None or before < NEGLIGIBLE:
        came = f" moved {percent(after)}{_of_traffic(alert)} to {target}"
    else:
        came = f" moved {percent(before)} -> {percent(after)}{_of_traffic(alert)} to {target}"
    return [came, f" in {_elapsed(alert)}", *_others(alert)]


def _of_traffic(alert: Alert) -> str:
    """Left out of a cohort, for the command that its sentence ends with."""
    return "" if alert.subject.kind == "cohort" else " of traffic"


def _busy(alert: Alert) -> list[str]:
    requests = number(alert.evidence, "requests")
    count = [] if requests is None else [f", {_count(requests, 'request', 'requests')}"]
    return [f"{_turn(alert)} to {_toward(alert)}", *count, f" in {_elapsed(alert)}"]


def _turn(alert: Alert) -> str:
    return " turn" if _are_many(alert) else " turns"


def _are_many(alert: Alert) -> bool:
    return alert.subject.kind == "cluster" and _size(alert) != 1


def _others(alert: Alert, after: str = ";") -> list[str]:
    those = "others" if alert.subject.kind == "cohort" else "comparable accounts"
    expected = number(alert.evidence, "share_expected")
    if expected is not None:
        return [f"{after} {those} {percent(expected)}"]
    change = number(alert.evidence, "comparable_change")
    return [] if change is None else [f"{after} {those} {100 * change:+.0f} points"]


def _tail(alert: Alert) -> list[str]:
    """What it looks like, or what they share; for a cohort, what to do if it is known."""
    if alert.subject.kind == "cohort":
        # The alert and not the cohort: toward its own targets alone, and for 24 hours.
        which = f"alert={alert.alert_id}"
        # Somebody will paste it into a shell at three in the morning: an id from elsewhere may hold anything.
        return [f". Known? swerve expect {which}"] if _HARMLESS_TO_TYPE.fullmatch(which) else []
    looks_like = alert.evidence.get("looks_like")
    if looks_like in LOOKS_LIKE:
        return [f". {LOOKS_LIKE[looks_like]}"]
    if alert.subject.kind == "cluster":
        shared = _shared(alert)
        operator = ". One operator likely." if alert.severity == "critical" else ""
        return [one for one in (operator, f" Shared {shared}." if operator and shared else "") if one]
    return []


def _shared(alert: Alert) -> str:
    """The two dimensions in which most values are shared, in words."""
    values = alert.evidence.get("shared_values") or ()
    counted = Counter(str(one.get("dimension")) for one in values if isinstance(one, dict))
    ranked = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    return " and ".join(name(SHARED_WORDS.get(dimension, dimension), 16) for dimension, _ in ranked[:2])


def _those(alert: Alert) -> str:
    if alert.subject.kind != "cluster":
        return _who(alert)
    return f"these {_accounts(alert)}" if _are_many(alert) else "this account"


def _ended(alert: Alert) -> list[str]:
    hours = number(alert.evidence, "lasted_h") or 0.0
    stand = "stand" if _are_many(alert) else "stands"
    return [f"Over after {span(hours)}: {_those(alert)}", f" no longer {stand} out on {_toward(alert)}"]


def _adopted(alert: Alert) -> list[str]:
    send, like = ("send", "accounts like them") if _are_many(alert) else ("sends", "others like it")
    head, tail = f"Adopted: what {_those(alert)} {send} to ", f" is now normal for {like}"
    whole = f"{head}{_toward(alert)}{tail}"
    return [whole if len(whole) < LENGTH_MAX else f"{head}{name(alert.target.id, 24)}{tail}"]


def _expected(alert: Alert) -> list[str]:
    ids = [name(str(one)) for one in alert.evidence.get("expected", ())[:1]]
    said = f" ({ids[0]})" if ids else ""
    return [f"Announced meanwhile{said}: {_those(alert)}", f" to {_toward(alert)}"]


def _harmless(alert: Alert) -> list[str]:
    return [f"Harmless by verdict: {_those(alert)}", f" to {_toward(alert)}", "; silent until the verdict changes"]


def _superseded(alert: Alert) -> list[str]:
    return [f"Superseded: a part of {_those(alert)}", " has an alert of its own now"]


_RESOLVED: dict[str, Callable[[Alert], list[str]]] = {
    "ended": _ended,
    "adopted": _adopted,
    "expected": _expected,
    "harmless": _harmless,
    "superseded": _superseded,
}
