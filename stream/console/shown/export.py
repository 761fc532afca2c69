"""How do the members of an alert reach the team that bans? CSV for spreadsheets, NDJSON for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from stream.alerts.case import Involved
from stream.sinks.alertmanager import instant

COLUMNS = ("account_id", "score", "since", "requests", "share_before", "share_after")
ROWS_AT_ONCE = 1_000
NEW = "new"  # in place of a share of nothing
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def row_of(member: Involved) -> dict[str, Any]:
    """A member as the API writes it; since in epoch milliseconds."""
    return {
        "account_id": member.account_id,
        "score": member.score,
        "since": member.since_ms,
        "requests": member.requests,
        "share_before": member.share_before,
        "share_after": member.share_after,
    }


def ndjson(members: Sequence[Involved]) -> Iterator[bytes]:
    """One object a line, ids exactly as they came."""
    for start in range(0, len(members), ROWS_AT_ONCE):
        yield b"".join(orjson.dumps(row_of(one)) + b"\n" for one in members[start : start + ROWS_AT_ONCE])


def as_csv(members: Sequence[Involved]) -> Iterator[bytes]:
    """Every field quoted, times as RFC 3339. An id that a spreadsheet takes for a formula gets an apostrophe before it.

    >>> print(b"".join(as_csv([Involved("=1+1", 1.0, 0, 2, 0.0, 0.5)])).decode().splitlines()[1])
    "'=1+1","1.0","1970-01-01T00:00:00.000Z","2","0.0","0.5"
    """
    yield (",".join(COLUMNS) + "\r\n").encode()
    for start in range(0, len(members), ROWS_AT_ONCE):
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        for one in members[start : start + ROWS_AT_ONCE]:
            row = row_of(one)
            row["account_id"] = _no_formula(one.account_id)
            row["since"] = instant(one.since_ms)
            row["share_before"] = NEW if one.share_before is None else one.share_before
            writer.writerow(row.values())
        yield text.getvalue().encode("utf-8", "replace")


def _watched_ndjson(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The watch list as the API has it, an object a line, times as RFC 3339."""
    return b"".join(orjson.dumps({**row, "since": instant(row["since"])}) + b"\n" for row in rows)


def _watched_csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The watch list as the API has it, a line each: its columns in their order, the target as kind:id."""
    text = io.StringIO()
    writer: Any = None
    for row in rows:
        target = row["target"]
        told = {**row, "target": f"{target['kind']}:{target['id']}", "since": instant(row["since"])}
        told["account_id"] = _no_formula(row["account_id"])
        if writer is None:
            writer = csv.DictWriter(text, told, quoting=csv.QUOTE_ALL)
            writer.writeheader()
        writer.writerow(told)
    return text.getvalue().encode("utf-8", "replace")


# How the watch list can be taken away: (type, writer); "json" is the answer of the API.
WATCHED: Mapping[str, tuple[str, Callable[[Iterable[Mapping[str, Any]]], bytes]]] = {
    "json": ("application/json", orjson.dumps),
    "csv": ("text/csv", _watched_csv),
    "ndjson": ("application/x-ndjson", _watched_ndjson),
}


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
