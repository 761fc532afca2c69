"""Recompute an alert from the log: python recompute.py LOG.ndjson ALERTS.ndjson. It imports nothing of Swerve."""

from __future__ import annotations

import json
import sys
from collections import Counter

HOUR_MS, WINDOW_H, HALF_LIFE_H, CARRIED_H = 3_600_000, 24, 168, 72


def read(path: str) -> list[dict]:
    """One JSON object a line; each request once."""
    with open(path, encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    return list({(one.get("event_id", at), one.get("account_id")): one for at, one in enumerate(found)}.values())


def recomputed(log: list[dict], alert: dict) -> tuple[dict, list[dict]]:
    """`evidence.named`, and the carriers of each of `evidence.shared_values`, of one alert record."""
    told = alert["evidence"]["named"]
    names = {told["target"]["id"], *told.get("renamed_from", ()), told.get("renamed_to")}
    now, to_now, before, to_before, latest, org, first = (Counter() for _ in range(7))
    carriers = {(v["dimension"], v["value"]): set() for v in alert["evidence"]["shared_values"]}
    for request in log:
        account, at, said = request["account_id"], request["timestamp"], request.get("attributes", {})
        first[account] = min(at, first[account] or at)
        hours_ago = told["until_ms"] // HOUR_MS - 1 - at // HOUR_MS
        if hours_ago < 0:
            continue
        used = {request["model"]} if told["target"]["kind"] == "model" else set(request.get("capabilities", ()))
        if hours_ago < WINDOW_H:
            now[account] += 1
            to_now[account] += len(names & used)
        else:
            weight = 0.5 ** ((hours_ago - WINDOW_H) / HALF_LIFE_H)
            before[account] += weight
            to_before[account] += weight * len(names & used)
        if "org" in said and at >= latest[account]:
            latest[account], org[account] = at, said["org"]
        for pair in carriers.keys() & said.items() if hours_ago < CARRIED_H else ():
            carriers[pair].add(account)
    active = [account for account in alert["accounts"] if account in now]
    sums = (sum(count[account] for account in active) for count in (now, before, to_now, to_before))
    requests, baseline, to_target, to_target_before = sums
    named = {
        "accounts": len(alert["accounts"]), "active": len(active), "requests": requests, "target_requests": to_target,
        "new": sum(first[one] > alert["started_at"] - WINDOW_H * HOUR_MS for one in active),
        "organisations": len({org[account] or account for account in active}), "baseline": baseline,
        "share_after": to_target / max(requests, 1), "share_before": to_target_before / max(baseline, 1e-9),
        "fleet_share_after": sum(to_now.values()) / sum(now.values()),
        "fleet_share_before": sum(to_before[one] for one in now) / max(sum(before[one] for one in now), 1e-9),
    }  # fmt: skip
    shared = [who & now.keys() for who in carriers.values()]
    return named, [{"accounts": len(who), "organisations": len({org[one] or one for one in who})} for who in shared]


if __name__ == "__main__":
    for record in (one for one in read(sys.argv[2]) if "named" in one["evidence"]):
        print(record["alert_id"], record["updated_at"], *map(json.dumps, recomputed(read(sys.argv[1]), record)))
