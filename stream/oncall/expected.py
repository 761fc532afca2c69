"""Which shift does a person announce, as he types it? `org=org_7`, `account=acct_1` or `fleet`, and toward what."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from stream.contract.expected import ID_MAX, decode_expected
from stream.contract.reading.refusal import Refusal
from stream.errors import UsageError


def record_of(
    subject: str, to: str | None, from_ms: int, until_ms: int, reason: str = "", id: str | None = None
) -> dict[str, Any]:
    """The expected-shift record of the contract. Raises UsageError.

    >>> record_of("org=org_7", "atlas-4", 0, 9)["target"]
    {'kind': 'model', 'id': 'atlas-4'}
    >>> record_of("fleet", "capability:coding", 0, 9)["id"]
    'expect fleet to capability:coding'
    """
    record = {
        "id": id or _id_of(f"expect {subject}" + (f" to {to}" if to else "")),
        "subject": _subject(subject),
        "target": _target(to),
        "from": from_ms,
        "until": until_ms,
        "reason": reason,
    }
    try:
        decode_expected(orjson.dumps(record))
    except Refusal as refusal:
        raise UsageError(f"swerve expect: {refusal.detail}") from None
    return record


def _id_of(text: str) -> str:
    """The text itself where it is short enough: whoever reads the list sees what it is about."""
    if len(text) <= ID_MAX:
        return text
    return text[: ID_MAX - 17] + " " + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _subject(text: str) -> dict[str, str]:
    if text == "fleet":
        return {"kind": "fleet"}
    dimension, found, value = text.partition("=")
    if not found or not dimension or not value:
        raise UsageError(f"expected DIMENSION=VALUE, account=ID or fleet, got {text!r}: such as org=org_7")
    if dimension == "account":
        return {"kind": "account", "id": value}
    return {"kind": "cohort", "dimension": dimension, "id": value}


def _target(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    kind, found, value = text.partition(":")
    return (
        {"kind": kind, "id": value}
        if found and kind in ("model", "capability", "mix")
        else {"kind": "model", "id": text}
    )
