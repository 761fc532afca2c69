"""Whose is this alert? What was said of a simulated log, held against what was planted in it.

An alert is a campaign's where at least 30 % of the accounts that it names are the campaign's members; several campaigns
on one set of pools may share one. A page that is no campaign's, or comes before its onset, is false. A warning is right
where it is a campaign's, or where at least half of its accounts are of one honest network or customer that does shift
together at that time; it is false otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from stream.contract.alert import Alert

MINE_MIN = 0.3  # of the accounts that an alert names
HONEST_MIN = 0.5
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


class Named(Protocol):
    """An account that alerts named: a row of `--accounts`."""

    @property
    def account_id(self) -> str:
        """The account."""

    @property
    def first_flagged_at(self) -> int:
        """When an alert first named it, event time in ms."""

    @property
    def alert_ids(self) -> Sequence[str]:
        """The alerts that named it."""

    @property
    def score(self) -> float:
        """How sure the last of them is that it belongs, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class CampaignFound:
    """One campaign. Delays in hours, None where no page came; shares from 0 to 1, precision None where none is named.

    delay_h: from the onset to the first page that is the campaign's. after_tenth_h: the same from the moment when a
    tenth of its accounts had moved; None where that never was. recall_day: of accounts named within 24 h of the onset.
    pages: how many were the campaign's. warned_h: as delay_h, to the
    first alert that is the campaign's, of whatever severity.
    """

    name: str
    kind: str
    accounts: int
    delay_h: float | None
    after_tenth_h: float | None
    recall: float
    recall_day: float
    precision: float | None
    pages: int
    warned_h: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """All that was said of one log. sure: the probability told of each named account, and whether it is planted."""

    campaigns: tuple[CampaignFound, ...]
    pages: int
    false_pages: int
    warnings: int
    false_warnings: int
    sure: tuple[tuple[float, bool], ...] = ()

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


@dataclass(slots=True)
class _Told:
    """One alert: the accounts that it names, each with its first time, when it opened, and when it first paged."""

    accounts: dict[str, int]
    opened_ms: int
    page_ms: int | None
    severity: str


def credit(
    truth: Mapping[str, Any], alerts: Sequence[Alert], named: Sequence[Named], tenth_ms: Mapping[str, int | None]
) -> Said:
    """Hold every alert of severity warning or critical against the truth. tenth_ms: by campaign."""
    told = _told(alerts, named)
    planted = {account for campaign in truth["campaigns"] for account in campaign["accounts"]}
    credited: set[str] = set()
    found = []
    for campaign in truth["campaigns"]:
        members = set(campaign["accounts"])
        mine = {name for name, one in told.items() if _part(one, members) >= MINE_MIN}
        credited |= {name for name in mine if _on_time(told[name], campaign["onset_ms"])}
        found.append(_found(campaign, [told[name] for name in sorted(mine)], planted, tenth_ms[campaign["name"]]))
    pages = [name for name, one in told.items() if one.page_ms is not None]
    warnings = [name for name, one in told.items() if one.page_ms is None]
    return Said(
        campaigns=tuple(found),
        pages=len(pages),
        false_pages=sum(name not in credited for name in pages),
        warnings=len(warnings),
        false_warnings=sum(name not in credited and not _is_right(told[name], truth) for name in warnings),
        sure=tuple((row.score, row.account_id in planted) for row in named),
    )


def watched(truth: Mapping[str, Any], rows: Sequence[str], most: int = 100) -> dict[str, Any]:
    """What the watch list held at the end of the log, its first `most` rows.

    precision: part of the rows that are a campaign's accounts; None for an empty list. moved: part that are of an
    honest network or shock which truly moved; the rest moved by themselves.
    """
    first = rows[:most]
    planted = {account for campaign in truth["campaigns"] for account in campaign["accounts"]}
    honest = {account for one in (*truth["networks"], *truth["shocks"]) for account in one.get("accounts") or ()}
    if not first:
        return {"rows": 0, "precision": None, "moved": None}
    return {
        "rows": len(first),
        "precision": round(len(planted & set(first)) / len(first), 4),
        "moved": round(len((honest - planted) & set(first)) / len(first), 4),
    }


def _told(alerts: Sequence[Alert], named: Sequence[Named]) -> dict[str, _Told]:
    told: dict[str, _Told] = {}
    for alert in alerts:
        if alert.severity == "info" or alert.status == "resolved":
            continue
        one = told.setdefault(alert.alert_id, _Told({}, alert.updated_at, None, alert.severity))
        if alert.is_page and one.page_ms is None:
            one.page_ms = alert.updated_at
    for row in named:
        for alert_id in row.alert_ids:
            if alert_id in told:
                told[alert_id].accounts[row.account_id] = row.first_flagged_at
    return told


def _part(one: _Told, accounts: set[str]) -> float:
    return len(one.accounts.keys() & accounts) / len(one.accounts) if one.accounts else 0.0


def _on_time(one: _Told, onset_ms: int) -> bool:
    return (one.page_ms if one.page_ms is not None else one.opened_ms) >= onset_ms


def _is_right(one: _Told, truth: Mapping[str, Any]) -> bool:
    """Whether a warning speaks of one honest group that does what it says: its onset is at most a day ahead."""
    groups = [(network["onset_ms"], network["accounts"]) for network in truth["networks"]]
    groups += [(shock["at_ms"], shock.get("accounts", ())) for shock in truth["shocks"]]
    return any(
        onset_ms is not None and onset_ms - DAY_MS <= one.opened_ms and _part(one, set(accounts)) >= HONEST_MIN
        for onset_ms, accounts in groups
    )


def _found(
    campaign: Mapping[str, Any], mine: Sequence[_Told], planted: set[str], tenth_ms: int | None
) -> CampaignFound:
    members, onset_ms = set(campaign["accounts"]), campaign["onset_ms"]
    first: dict[str, int] = {}
    for one in mine:
        for account, at_ms in one.accounts.items():
            first[account] = min(first.get(account, at_ms), at_ms)
    pages = sorted(one.page_ms for one in mine if one.page_ms is not None and one.page_ms >= onset_ms)
    opened = sorted(one.opened_ms for one in mine if one.opened_ms >= onset_ms)
    early = {account for account, at_ms in first.items() if at_ms <= onset_ms + DAY_MS}
    return CampaignFound(
        name=campaign["name"],
        kind=campaign["kind"],
        accounts=len(members),
        delay_h=round((pages[0] - onset_ms) / HOUR_MS, 2) if pages else None,
        after_tenth_h=round((pages[0] - tenth_ms) / HOUR_MS, 2) if pages and tenth_ms is not None else None,
        recall=round(len(members & first.keys()) / len(members), 4),
        recall_day=round(len(members & early) / len(members), 4),
        # A member of another campaign is no innocent: three campaigns on one set of pools may be one page.
        precision=round(len(planted & first.keys()) / len(first), 4) if first else None,
        pages=len(pages),
        warned_h=round((opened[0] - onset_ms) / HOUR_MS, 2) if opened else None,
    )
