"""What was planted, and what of it was found? A simulation's truth against the alerts that came of its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stream.contract.alert import Alert

ABOUT_MIN = 0.2  # of an alert's accounts, or of a campaign's: from here on the alert is about the campaign


class Named(Protocol):
    """An account that alerts named."""

    @property
    def account_id(self) -> str:
        """The account."""

    @property
    def alert_ids(self) -> Sequence[str]:
        """The alerts that named it."""


@dataclass(frozen=True, slots=True)
class Found:
    """One campaign. delay_ms: from its onset to the first page about it, None where there was none.

    recall: part of its accounts that were named. precision: part of the accounts named beside it that are its own,
    None where none were named.
    """

    name: str
    kind: str
    accounts: int
    onset_ms: int
    delay_ms: int | None
    recall: float
    precision: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """Every campaign, and the pages that were about none of them."""

    campaigns: Sequence[Found]
    false_pages: int


def score(truth: Mapping[str, Any], alerts: Sequence[Alert], named: Sequence[Named]) -> Score:
    """Hold what was found against what was planted. O(alerts x campaigns x accounts).

    An alert counts for a campaign where it fired after the onset and a fifth of its accounts, or of the campaign's,
    are in both.
    """
    members = {campaign["name"]: set(campaign["accounts"]) for campaign in truth["campaigns"]}
    by_alert: dict[str, set[str]] = {}
    for one in named:
        for alert_id in one.alert_ids:
            by_alert.setdefault(alert_id, set()).add(one.account_id)
    pages = _first_pages(alerts)
    credited: set[str] = set()
    found = []
    for campaign in truth["campaigns"]:
        about = {
            alert_id
            for alert_id, accounts in by_alert.items()
            if _is_about(accounts, members[campaign["name"]]) and _last_ms(alerts, alert_id) >= campaign["onset_ms"]
        }
        credited |= {alert_id for alert_id in about if pages.get(alert_id, 0) >= campaign["onset_ms"]}
        found.append(_found(campaign, about, by_alert, pages))
    return Score(found, sum(alert_id not in credited for alert_id in pages))


def _is_about(accounts: set[str], campaign: set[str]) -> bool:
    both = len(accounts & campaign)
    return both > 0 and (both >= ABOUT_MIN * len(accounts) or both >= ABOUT_MIN * len(campaign))


def _first_pages(alerts: Sequence[Alert]) -> dict[str, int]:
    """When each alert that ever was a page became one."""
    pages: dict[str, int] = {}
    for alert in alerts:
        if alert.is_page:
            pages.setdefault(alert.alert_id, alert.updated_at)
    return pages


def _last_ms(alerts: Sequence[Alert], alert_id: str) -> int:
    return max(alert.updated_at for alert in alerts if alert.alert_id == alert_id)


def _found(
    campaign: Mapping[str, Any], about: set[str], by_alert: Mapping[str, set[str]], pages: Mapping[str, int]
) -> Found:
    members = set(campaign["accounts"])
    accounts = set().union(*(by_alert[alert_id] for alert_id in about))
    onset_ms = campaign["onset_ms"]
    paged = [pages[alert_id] for alert_id in about if pages.get(alert_id, -1) >= onset_ms]
    return Found(
        name=campaign["name"],
        kind=campaign["kind"],
        accounts=len(members),
        onset_ms=onset_ms,
        delay_ms=min(paged) - onset_ms if paged else None,
        recall=len(accounts & members) / len(members) if members else 0.0,
        precision=len(accounts & members) / len(accounts) if accounts else None,
    )
