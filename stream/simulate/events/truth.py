"""Who is who in a simulated log? What `--truth` and `--releases` write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stream.simulate.chance.draws import Ints


@dataclass(frozen=True, slots=True)
class Campaign:
    """A planted campaign. kind: pivot, surge, ...; targets: as in "model:atlas-4"; accounts: indexes."""

    name: str
    kind: str
    onset_ms: int
    end_ms: int
    targets: tuple[str, ...]
    accounts: Ints


@dataclass(frozen=True, slots=True)
class Network:
    """An honest network that looks like a campaign. onset_ms: when it shifts together, None if it never does."""

    name: str
    kind: str
    accounts: Ints
    onset_ms: int | None


@dataclass(frozen=True, slots=True)
class Shock:
    """Something honest that happens. accounts: indexes, or None where it has none of its own."""

    name: str
    kind: str
    at_ms: int
    accounts: Ints | None = None


@dataclass(slots=True)
class Truth:
    """What was planted. releases: records of the contract, section 2; expected: of section 3."""

    releases: list[dict[str, Any]] = field(default_factory=list)
    expected: list[dict[str, Any]] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    shocks: list[Shock] = field(default_factory=list)

    def campaign_accounts(self, accounts: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """For each account: is it in any campaign?"""
        planted = np.zeros(accounts, np.bool_)
        for campaign in self.campaigns:
            planted[campaign.accounts] = True
        return planted

    def forget_after(self, end_ms: int) -> None:
        """Leaves out what would happen only after the log."""
        self.releases = [one for one in self.releases if one["released_at"] < end_ms]
        self.expected = [one for one in self.expected if one["from"] < end_ms]
        self.shocks = [one for one in self.shocks if one.at_ms < end_ms]

    def document(self, account_ids: list[str]) -> dict[str, Any]:
        """The truth with account ids instead of indexes, ready for JSON."""

        def ids(accounts: Ints) -> list[str]:
            return [account_ids[index] for index in sorted(set(accounts.tolist()))]

        return {
            "releases": self.releases,
            "expected": self.expected,
            "campaigns": [
                {"name": one.name, "kind": one.kind, "onset_ms": one.onset_ms, "end_ms": one.end_ms,
                 "targets": list(one.targets), "accounts": ids(one.accounts)}
                for one in self.campaigns
            ],
            "networks": [
                {"name": one.name, "kind": one.kind, "accounts": ids(one.accounts), "onset_ms": one.onset_ms}
                for one in self.networks
            ],
            "shocks": [
                {"name": one.name, "kind": one.kind, "at_ms": one.at_ms}
                | ({} if one.accounts is None else {"accounts": ids(one.accounts)})
                for one in self.shocks
            ],
        }  # fmt: skip
