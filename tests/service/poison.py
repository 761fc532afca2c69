"""Fifty sorts of records that nobody can read, each by what is wrong with it; whoever refuses one says why."""

from __future__ import annotations

import json

AT_MS = 1_772_362_800_000
MARK = "bad-"  # a record whose event_id begins so is wrong somewhere else


def _with(**fields: object) -> bytes:
    return json.dumps(
        {"event_id": f"{MARK}1", "timestamp": AT_MS, "account_id": "acct_poison", "model": "atlas-3"} | fields
    ).encode()


def _without(name: str) -> bytes:
    return json.dumps({key: value for key, value in json.loads(_with()).items() if key != name}).encode()


def _times() -> dict[str, bytes]:
    wrong = {
        "a float": 1.5,
        "true": True,
        "null": None,
        "a list": [],
        "seconds": AT_MS // 1000,
        "microseconds": AT_MS * 1000,
        "zero": 0,
        "before 2015": 1_400_000_000_000,
        "negative": -1,
        "words": "yesterday",
        "empty": "",
        "no zone": "2026-03-01T12:00:00",
        "the 30th of February": "2026-02-30T12:00:00Z",
        "hour 25": "2026-03-01T25:00:00Z",
    }
    return {f"timestamp: {name}": _with(timestamp=value) for name, value in wrong.items()}


def _names() -> dict[str, bytes]:
    out = {}
    for name, longest in (("event_id", 128), ("account_id", 256), ("model", 256)):
        out |= {
            f"no {name}": _without(name),
            f"{name}: empty": _with(**{name: ""}),
            f"{name}: too long": _with(**{name: MARK + "x" * longest}),
            f"{name}: a number": _with(**{name: 7}),
            f"{name}: null": _with(**{name: None}),
        }
    return out


SORTS: dict[str, bytes] = {
    "half an object": b"{",
    "no UTF-8": b"\xff\xfe",
    "UTF-16": '{"event_id"'.encode("utf-16"),
    "no UTF-8 inside": _with().replace(b"acct_poison", b"acct_\xc3"),
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "a text": b'"request"',
    "words": b"GET /v1/messages",
    "one comma too many": _with()[:-1] + b",}",
    "two in one": _with() + _with(),
    "no timestamp": _without("timestamp"),
    **_times(),
    **_names(),
    "capabilities: a text": _with(capabilities="coding"),
    "capabilities: numbers": _with(capabilities=[1]),
    "capabilities: 33": _with(capabilities=[f"c{n}" for n in range(33)]),
    "attributes: a list": _with(attributes=["org"]),
    "attributes: numbers": _with(attributes={"org": 7}),
    "attributes: 33": _with(attributes={f"a{n}": "x" for n in range(33)}),
    "input_tokens: negative": _with(input_tokens=-1),
    "output_tokens: a text": _with(output_tokens="9"),
    "70 levels": _with(capabilities=json.loads("[" * 70 + "]" * 70)),
}
