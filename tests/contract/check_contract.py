#!/usr/bin/env python3
"""Checks what `swerve backtest` wrote against contract.md, sections 1, 5 and 6. Standard library only.

    check_contract.py --alerts alerts.ndjson --accounts accounts.ndjson [--rejects rejects.ndjson]
                      [--events events.ndjson]

Prints each sort of breach once, with how often and where first; exit 1 when there is one. With --events (plain
NDJSON) it also checks that times lie inside the log, and that a rejected line number exists.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

SEVERITIES = ("info", "warning", "critical")
REASONS_RESOLVED = (None, "ended", "adopted", "expected", "harmless", "superseded")
ALERT_FIELDS = (
    "schema_version",
    "alert_id",
    "status",
    "severity",
    "kind",
    "subject",
    "target",
    "targets",
    "started_at",
    "detected_at",
    "updated_at",
    "resolved_at",
    "resolved_reason",
    "accounts",
    "accounts_total",
    "evidence",
    "summary",
)
DAY_MS = 86_400_000


class Breaches:
    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.first: dict[str, str] = {}

    def require(self, holds: bool, what: str, where: str) -> bool:
        if not holds:
            self.count[what] += 1
            self.first.setdefault(what, where)
        return holds


def rows(path: str, breaches: Breaches):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if breaches.require(isinstance(row, dict), "a line is not a JSON object", f"{path}:{number}"):
                yield f"{path}:{number}", row


def is_int(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check_alerts(path: str, span: tuple[int, int] | None, b: Breaches) -> dict[str, str]:
    """Returns the highest severity that each account was named with, of warning and critical."""
    identity, updated, resolved, named = {}, {}, set(), {}
    for where, a in rows(path, b):
        for field in ALERT_FIELDS:
            b.require(field in a, f"alert without {field}", where)
        b.require(a.get("schema_version") == 1, "schema_version is not 1", where)
        b.require(a.get("status") in ("firing", "resolved"), "status is neither firing nor resolved", where)
        b.require(a.get("severity") in SEVERITIES, "severity is none of info, warning, critical", where)
        subject, target = a.get("subject") or {}, a.get("target") or {}
        b.require(
            subject.get("kind") in ("account", "cohort", "cluster") and isinstance(subject.get("id"), str),
            "subject is not {kind, id}",
            where,
        )
        b.require(
            (subject.get("kind") == "cohort") == isinstance(subject.get("dimension"), str),
            "dimension belongs to cohorts, and to them only",
            where,
        )
        b.require(
            target.get("kind") in ("model", "capability", "mix") and isinstance(target.get("id"), str),
            "target is not {kind, id}",
            where,
        )
        times = [a.get(k) for k in ("started_at", "detected_at", "updated_at")]
        if b.require(all(map(is_int, times)), "a time is not epoch milliseconds", where):
            b.require(times == sorted(times), "not started_at <= detected_at <= updated_at", where)
            if span:
                b.require(
                    span[0] - DAY_MS <= times[1] <= span[1] + DAY_MS,
                    "detected_at is outside the log: wall clock instead of event time?",
                    where,
                )
        b.require(
            (a.get("status") == "resolved") == is_int(a.get("resolved_at")),
            "resolved_at belongs to resolved alerts, and to them only",
            where,
        )
        b.require(
            a.get("resolved_reason") in REASONS_RESOLVED
            and (a.get("status") == "resolved") == (a.get("resolved_reason") is not None),
            "resolved_reason is not one of the contract's, or does not go with the status",
            where,
        )
        accounts = a.get("accounts") if isinstance(a.get("accounts"), list) else []
        b.require(
            isinstance(a.get("accounts"), list) and all(isinstance(x, str) for x in accounts),
            "accounts is not a list of strings",
            where,
        )
        b.require(
            len(accounts) <= 1_000 and len(set(accounts)) == len(accounts),
            "accounts: over 1,000, or one of them twice",
            where,
        )
        b.require(
            is_int(a.get("accounts_total")) and a["accounts_total"] >= len(accounts),
            "accounts_total is smaller than the list",
            where,
        )
        b.require(isinstance(a.get("evidence"), dict) and bool(a["evidence"]), "evidence is empty", where)
        summary = a.get("summary")
        b.require(
            isinstance(summary, str) and 0 < len(summary) <= 200 and "\n" not in summary,
            "summary is not one short sentence",
            where,
        )
        key = a.get("alert_id")
        if not b.require(isinstance(key, str) and bool(key), "alert_id is not a string", where):
            continue
        same = (json.dumps(subject, sort_keys=True), a.get("kind"), a.get("detected_at"))
        b.require(
            identity.setdefault(key, same) == same, "subject, kind or detected_at changes within one alert_id", where
        )
        b.require(key not in resolved, "a record after the resolved one: coming back is a new alert", where)
        if is_int(a.get("updated_at")):
            b.require(a["updated_at"] >= updated.get(key, 0), "updated_at goes back within one alert_id", where)
            updated[key] = a["updated_at"]
        if a.get("status") == "resolved":
            resolved.add(key)
        if a.get("severity") in SEVERITIES[1:]:
            named.update(dict.fromkeys(accounts, key))
    return named


def check_accounts(path: str, named: dict[str, str], b: Breaches) -> None:
    seen, last_score = set(), float("inf")
    for where, row in rows(path, b):
        account, score = row.get("account_id"), row.get("score")
        b.require(isinstance(account, str) and account not in seen, "account_id is missing, or has two rows", where)
        seen.add(account)
        if b.require(isinstance(score, (int, float)) and not isinstance(score, bool), "score is not a number", where):
            b.require(score <= last_score, "accounts are not sorted best first", where)
            last_score = score
        b.require(is_int(row.get("first_flagged_at")), "first_flagged_at is not epoch milliseconds", where)
        b.require(isinstance(row.get("alert_ids"), list) and bool(row["alert_ids"]), "alert_ids is empty", where)
    missing = set(named) - seen
    b.require(not missing, "accounts named by a warning or critical alert have no row", next(iter(missing), ""))


def check_rejects(path: str, lines: int | None, b: Breaches) -> None:
    for where, row in rows(path, b):
        b.require(
            is_int(row.get("line")) and row["line"] >= 1 and (lines is None or row["line"] <= lines),
            "line is not a line of the input",
            where,
        )
        for field in ("source", "reason", "detail"):
            b.require(isinstance(row.get(field), str) and bool(row[field]), f"{field} is missing", where)


def span_of(path: str) -> tuple[tuple[int, int] | None, int]:
    times, lines = [], 0
    with open(path, "rb") as file:
        for line in file:
            lines += 1
            try:
                t = json.loads(line).get("timestamp")
            except (ValueError, AttributeError, RecursionError):
                continue
            if is_int(t):
                times.append(t)
    times.sort()
    cut = len(times) // 1_000
    return ((times[cut], times[-1 - cut]) if times else None), lines


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("alerts", "accounts", "rejects", "events"):
        p.add_argument(f"--{name}", required=name in ("alerts", "accounts"))
    args = p.parse_args()
    b = Breaches()
    span, lines = span_of(args.events) if args.events else (None, None)
    check_accounts(args.accounts, check_alerts(args.alerts, span, b), b)
    if args.rejects:
        check_rejects(args.rejects, lines, b)
    for what, n in b.count.most_common():
        print(f"{what}: {n} times, first at {b.first[what]}")
    print(f"{len(b.count)} sorts of breaches")
    return 1 if b.count else 0


if __name__ == "__main__":
    sys.exit(main())
