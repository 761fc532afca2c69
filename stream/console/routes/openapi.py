"""How is the API described? OpenAPI 3.1, served at /api/v1/openapi.json; a test holds it to the routes."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import orjson
from aiohttp import web

from detectors.comparison.drift import Dated
from stream.alerts.expected_shifts import SCOPES
from stream.console.shown.export import WATCHED
from stream.console.shown.listing import ALERT_SORTS, LIMIT_MAX, MEMBER_SORTS, WATCH_SORTS
from stream.contract.alert import SEVERITIES, Alert
from stream.contract.verdict import VERDICTS
from stream.oncall.silence.in_force import ALLOWED, EXPECTED, HARMLESS, SNOOZE

Object = dict[str, Any]
TEXT: Object = {"type": "string"}
WHOLE: Object = {"type": "integer"}
NUMBER: Object = {"type": "number"}
MILLIS: Object = {"type": "integer", "description": "epoch milliseconds, UTC"}
INSTANT: Object = {"oneOf": [MILLIS, {"type": "string", "format": "date-time"}]}


def _some(of: Object) -> Object:
    return {"type": "array", "items": of}


def _one_of(values: Sequence[str]) -> Object:
    return {"type": "string", "enum": list(values)}


def _object(required: Sequence[str] = (), **fields: Object) -> Object:
    made: Object = {"type": "object", "properties": fields}
    return made | {"required": list(required)} if required else made


def _ref(name: str) -> Object:
    return {"$ref": f"#/components/schemas/{name}"}


def _nullable(of: Object) -> Object:
    return {"oneOf": [of, {"type": "null"}]}


POINTS = _some({"type": "array", "prefixItems": [MILLIS, NUMBER], "items": False})
KINDS = (EXPECTED, SNOOZE, HARMLESS, ALLOWED)
SAID_OF_ONE = (SNOOZE, HARMLESS)
SORT = "a column; - before it for falling"


def _schemas() -> Object:
    _, parts = msgspec.json.schema_components([Alert], ref_template="#/components/schemas/{name}")
    kind, name = _one_of(("model", "capability", "mix")), TEXT
    subject = _object(("kind",), kind=_one_of(("account", "cohort", "fleet")), id=TEXT, dimension=TEXT)
    return parts | {
        "Error": _object(("error",), error=TEXT),
        "Member": _object(
            account_id=TEXT, score=NUMBER | {"description": "probability that it is of one operator's campaign"},
            since=MILLIS, requests=WHOLE,
            share_before=_nullable(NUMBER | {"description": "null: a new account, without a past"}), share_after=NUMBER,
        ),
        "Expected": _object(
            ("id", "subject", "from", "until"), id=TEXT, subject=subject,
            target=_nullable(_object(("kind", "id"), kind=kind, id=name)), until=INSTANT,
            reason=TEXT, **{"from": INSTANT},
        ),
        "Verdict": _object(
            ("alert_id", "verdict"), alert_id=TEXT, verdict=_one_of(VERDICTS), by=TEXT, at=INSTANT, note=TEXT
        ),
        "Watched": _object(
            ("place", "account_id", "score"), place=WHOLE, account_id=TEXT,
            score=NUMBER | {"description": "moved + grew + odd, nats, means over the last days"}, moved=NUMBER,
            grew=NUMBER, odd=NUMBER, since=MILLIS, target=_object(kind=kind, id=name), share_before=NUMBER,
            share_after=NUMBER, p=NUMBER | {"description": "part of comparable accounts that moved as far"},
            requests=WHOLE, requests_usual=_nullable(NUMBER), others=WHOLE, because=_nullable(TEXT),
        ),
        "Note": _object(by=TEXT, at=MILLIS, note=TEXT),
        "Attention": _object(
            acknowledged=_nullable(_object(alert_id=TEXT, word=TEXT, by=TEXT, at=MILLIS, note=TEXT)),
            snoozed=_nullable(_object(alert_id=TEXT, word=TEXT, by=TEXT, at=MILLIS, until=MILLIS, note=TEXT)),
        ),
    }  # fmt: skip


def _query(name: str, schema: Object, words: str = "") -> Object:
    return {"name": name, "in": "query", "schema": schema, "description": words or name}


def _in_path(path: str) -> list[Object]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {"name": one, "in": "path", "required": True, "schema": TEXT, "description": "percent-encoded"} for one in names
    ]


def _paging(sorts: Mapping[str, Any]) -> list[Object]:
    both = [name for one in sorts for name in (one, f"-{one}")]
    return [
        _query("q", TEXT, "words to look for"),
        _query("sort", _one_of(both), SORT),
        _query("offset", WHOLE | {"minimum": 0}),
        _query("limit", WHOLE | {"minimum": 1, "maximum": LIMIT_MAX}),
    ]


FILTERS = [
    _query("status", _one_of(("firing", "resolved"))),
    _query("severity", _one_of(SEVERITIES)),
    _query("kind", TEXT, "such as release_shift"),
    _query("target", TEXT, "id of a model or a capability"),
]
FORMAT = _query("format", _one_of(("json", "csv", "ndjson")), "csv and ndjson give all members, not paged")
NEXT = _nullable(TEXT | {"description": "address of the next page"})
CHANGE = _object(
    updated_at=MILLIS, status=TEXT, severity=TEXT, accounts_total=WHOLE, change=_nullable(TEXT), summary=TEXT
)
ROW = _object(label=TEXT, value=TEXT, note=TEXT)
LIKE_IT = _object(alert_id=TEXT, accounts_in_common=WHOLE, summary=TEXT)
COURSE = _nullable(_object(target=TEXT, accounts=POINTS, others=POINTS))
ATTENTION: Object = {
    "type": "object", "additionalProperties": _ref("Attention"),
    "description": "of those alerts that somebody has, or that are quiet now, by alert_id",
}  # fmt: skip
SHARES: Object = {"type": "object", "additionalProperties": POINTS}


# By (method, path): what it does, the schema of its answer, its parameters, the schema of its body.
Operations = dict[tuple[str, str], tuple[str, Object, list[Object], Object | None]]


def _silences() -> Operations:
    """What keeps alerts from people, before and after."""
    preview = _object(
        covered=_some(TEXT), of=WHOLE, open_pages=_some(TEXT), said=TEXT,
        confirm=_nullable(TEXT | {"description": "what a person must type for it"}),
    )  # fmt: skip
    silence = _object(
        kind=_one_of(KINDS), scope=_one_of(SCOPES), who=TEXT, toward=TEXT, until_ms=_nullable(MILLIS), reason=TEXT,
        key=TEXT, alert_id=TEXT,
    )  # fmt: skip
    return {
        ("post", "/api/v1/expected/preview"): (
            "What these shifts would have covered in the last 30 days; announces nothing",
            preview,
            [],
            _object(("expected",), expected=_some(_ref("Expected"))),
        ),
        ("get", "/api/v1/alerts/{alert_id}/preview"): (
            "What a snooze of this alert, or the verdict harmless, would have covered in 30 days; does neither",
            preview,
            [_query("kind", _one_of(SAID_OF_ONE), "what is asked about")],
            None,
        ),
        ("get", "/api/v1/silences"): (
            "Everything that keeps alerts from people now",
            _object(at_ms=MILLIS, silences=_some(silence)),
            [],
            None,
        ),
    }


def _words() -> Operations:
    """What people say of one alert."""
    one = "/api/v1/alerts/{alert_id}"
    by = _object(by=TEXT, note=TEXT)
    return {
        ("post", f"{one}/ack"): ("Somebody has it: updates are not sent again", _ref("Attention"), [], by),
        ("post", f"{one}/handover"): (
            "Somebody else has it from now on; who gave it stands in the notes", _ref("Attention"), [],
            _object(("to",), to=TEXT, by=TEXT, note=TEXT)),
        ("post", f"{one}/notes"): (
            "A note in the alert's history, of which it keeps the last 20", _object(notes=_some(_ref("Note"))), [],
            _object(("note",), note=TEXT, by=TEXT)),
        ("post", f"{one}/snooze"): (
            "Quiet until a time, at most 30 days from now", _ref("Attention"), [],
            _object(("until",), until=INSTANT, by=TEXT, note=TEXT)),
    }  # fmt: skip


def _operations() -> Operations:
    """All of them."""
    alert = _object(
        alert=_ref("Alert"), timeline=_some(CHANGE), explanation=_some(_object(title=TEXT, rows=_some(ROW))),
        similar=_some(LIKE_IT), verdict=_nullable(_ref("Verdict")), attention=_ref("Attention"),
        notes=_some(_ref("Note")), course=COURSE,
    )  # fmt: skip
    named = {"allOf": [_ref("Member"), _object(alert_id=TEXT, status=TEXT, severity=TEXT, summary=TEXT)]}
    fleet = _object(
        pulse=_object(at_ms=MILLIS, requests_per_s=NUMBER, accounts=_nullable(WHOLE)),
        pages=_object(raised=WHOLE, allowed=NUMBER),
        moving=_some(_object(kind=TEXT, target=TEXT, share=NUMBER, share_before=NUMBER)),
        shares=SHARES, not_ready=_nullable(TEXT),
    )  # fmt: skip
    dated = _one_of([one.value for one in Dated]) | {"description": "by a record, or by what the fleet did"}
    releases = _some(_object(model=TEXT, released_at=MILLIS, dated=dated))
    one = "/api/v1/alerts/{alert_id}"
    return {
        ("get", "/api/v1/alerts"): (
            "Alerts, loudest first; without the ids of their accounts",
            _object(alerts=_some(_ref("Alert")), attention=ATTENTION, total=WHOLE, next=NEXT),
            [*FILTERS, *_paging(ALERT_SORTS)], None),
        ("get", one): ("Everything that is known about one alert", alert, [], None),
        ("get", f"{one}/accounts"): (
            "Members of an alert", _object(alert_id=TEXT, accounts=_some(_ref("Member")), total=WHOLE, next=NEXT),
            [FORMAT, *_paging(MEMBER_SORTS)], None),
        ("get", "/api/v1/accounts/{account_id}"): (
            "One account: alerts that name it, and what it used",
            _object(account_id=TEXT, alerts=_some(named), watched=_nullable(_ref("Watched")), requests=POINTS,
                    shares=SHARES), [], None),
        ("get", "/api/v1/cohorts/{dimension}/{cohort_id}"): (
            "One declared cohort: requests by hour since 1970, and shares",
            _object(dimension=TEXT, id=TEXT, requests=POINTS, shares=SHARES), [], None),
        ("get", "/api/v1/fleet"): ("The whole fleet: its last tick, what moves, shares over time", fleet, [], None),
        ("get", "/api/v1/watchlist"): (
            "Accounts that no alert names, and that most lastingly grow and turn to other work; never pages",
            _object(at_ms=MILLIS, accounts=_some(_ref("Watched"))),
            [_query("format", _one_of(tuple(WATCHED)), "json, or a file with times as RFC 3339"),
             *_paging(WATCH_SORTS)[:2]], None),
        ("get", "/api/v1/releases"): ("Models and when they came out", _object(releases=releases), [], None),
        ("get", "/api/v1/expected"): ("What is announced", _object(expected=_some(_ref("Expected"))), [], None),
        ("post", "/api/v1/expected"): (
            "Announce a shift, or replace the one of its id; an until in the past withdraws it. 202: taken, and holds "
            "from the next tick", _ref("Expected"), [], _ref("Expected")),
        ("get", "/api/v1/verdicts"): (
            "The last word about each alert", _object(verdicts=_some(_ref("Verdict"))), [], None),
        ("post", "/api/v1/verdicts"): (
            "Say what an alert was; 202: taken, and holds from the next tick", _ref("Verdict"), [], _ref("Verdict")),
        ("get", "/api/v1/events"): (
            "Server-sent events: `alert` at each change, `tick` at each tick, `muted` when what is muted changes",
            TEXT, [], None),
        ("get", "/api/v1/openapi.json"): ("This description", {"type": "object"}, [], None),
    }  # fmt: skip


TAKEN = ("/api/v1/expected", "/api/v1/verdicts")


@lru_cache
def description() -> Object:
    """The whole document."""
    paths: dict[str, Object] = {}
    for (method, path), (words, answer, parameters, body) in (_operations() | _words() | _silences()).items():
        kind = "text/event-stream" if path.endswith("/events") else "application/json"
        status = "202" if method == "post" and path in TAKEN else "200"
        operation: Object = {
            "summary": words,
            "parameters": [*_in_path(path), *parameters],
            "responses": {
                status: {"description": "well", "content": {kind: {"schema": answer}}},
                "default": {
                    "description": "what is wrong, in words",
                    "content": {"application/json": {"schema": _ref("Error")}},
                },
            },
        }
        if body is not None:
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        paths.setdefault(path, {})[method] = operation
    version = importlib.metadata.version("swerve")
    about = "Times are epoch milliseconds of event time. Errors come as {error: text}."
    return {
        "openapi": "3.1.0",
        "info": {"title": "Swerve", "version": version, "description": about},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


async def served(request: web.Request) -> web.Response:
    """The document as JSON."""
    return web.Response(body=orjson.dumps(description()), content_type="application/json")
