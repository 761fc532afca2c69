"""How does a batch of requests become lines of JSON?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.simulate.chance.catalogue import CLIENTS, COUNTRIES, DAY_MS, HOUR_MS, MODELS, capabilities_json
from stream.simulate.chance.draws import scrambled
from stream.simulate.chance.names import account_name, hashed, org_name
from stream.simulate.customers.fleet import Fleet
from stream.simulate.customers.shifts import Course
from stream.simulate.customers.traffic import Batch

LINE = (
    b'{"event_id":"%b","timestamp":%d,"account_id":"%b","model":"%b","capabilities":%b,"input_tokens":%d,'
    b'"output_tokens":%d,"attributes":{%b%b%b%b%b%b}}\n'
)
ROLLOUT_MS = HOUR_MS  # a renamed tag reaches all machines of the platform within an hour
BLOCK = 20_000
Table = NDArray[np.object_]


def week_of(at_ms: int) -> str:
    """The ISO week of a time.

    >>> week_of(1_772_409_600_000)
    '2026-W10'
    """
    year, week, _ = np.datetime64(at_ms, "ms").astype("O").isocalendar()
    return f"{year}-W{week:02d}"


@dataclass(frozen=True, slots=True)
class Block:
    """Some records in their order. at_ms: their timestamps; account: indexes; lines: JSON, each with its newline."""

    at_ms: list[int]
    account: list[int]
    lines: list[bytes]


class Lines:
    """Turns batches into lines; the same batches and seed give the same bytes. About 400,000 lines a second."""

    def __init__(self, fleet: Fleet, course: Course, seed: int) -> None:
        self._seed, self._course = seed, course
        self.account_ids = [account_name(seed, index) for index in range(len(fleet.accounts))]
        self._account = _table(name.encode() for name in self.account_ids)
        self._home = self._homes(fleet)
        self._org = self._fragments("org", (org_name(seed, index) for index in range(fleet.orgs)))
        self._payment = self._minted(fleet, "payment")
        self._template = self._minted(fleet, "template")
        self._client = self._fragments("client", CLIENTS)
        self._network = self._networks(fleet)
        self._model = _table(name.encode() for name in MODELS)
        self._capabilities = [_table(capabilities_json(renamed)) for renamed in (False, True)]

    def of(self, batch: Batch) -> list[bytes]:
        """One line for each request."""
        event = scrambled(batch.serial, self._seed)
        hexed = event.astype(">u8").tobytes().hex().encode()
        columns = (
            [hexed[at : at + 16] for at in range(0, len(hexed), 16)], batch.at_ms.tolist(),
            self._account[batch.account].tolist(), self._model[batch.model].tolist(), self._tags(batch).tolist(),
            batch.input_tokens.tolist(), batch.output_tokens.tolist(),
            self._payment[batch.payment].tolist(), self._network[batch.network].tolist(),
            self._client[batch.client].tolist(), self._template[batch.template].tolist(),
            self._org[batch.org].tolist(), self._home[batch.account].tolist(),
        )  # fmt: skip
        return list(map(LINE.__mod__, zip(*columns, strict=True)))

    def blocks(self, batch: Batch) -> Iterator[Block]:
        """The batch's lines in blocks of BLOCK, so that memory does not hold an hour of them at once."""
        for at in range(0, len(batch), BLOCK):
            part = batch.where(np.s_[at : at + BLOCK])
            yield Block(part.at_ms.tolist(), part.account.tolist(), self.of(part))

    def _tags(self, batch: Batch) -> Table:
        before, after = self._capabilities
        if not len(batch) or batch.at_ms[-1] < self._course.rename_ms:
            return before[batch.task]
        done = (batch.at_ms - self._course.rename_ms) / ROLLOUT_MS
        return np.where(done > (batch.serial % 997) / 997, after[batch.task], before[batch.task])

    def _minted(self, fleet: Fleet, dimension: str) -> Table:
        return self._fragments(dimension, (hashed(self._seed, dimension, i) for i in range(fleet.minted[dimension])))

    def _fragments(self, dimension: str, values: Iterator[str] | tuple[str, ...]) -> Table:
        """The members of `attributes`, with the comma after them; the last entry is of a missing value (-1)."""
        if dimension in self._course.hidden:
            return _table([b""] * (1 + sum(1 for _ in values)))
        return _table([*(f'"{dimension}":"{value}",'.encode() for value in values), b""])

    def _networks(self, fleet: Fleet) -> Table:
        prefix = self._fragments("ip_prefix", (hashed(self._seed, "network", i) for i in range(len(fleet.asn))))
        asn = self._fragments("asn", tuple(f"AS{4200 + 37 * provider}" for provider in range(1000)))
        return _table([*(asn[provider] + prefix[index] for index, provider in enumerate(fleet.asn.tolist())), b""])

    def _homes(self, fleet: Fleet) -> Table:
        weeks = {day: week_of(day * DAY_MS) for day in np.unique(fleet.accounts.signup_ms // DAY_MS).tolist()}
        days = (fleet.accounts.signup_ms // DAY_MS).tolist()
        countries = fleet.accounts.country.tolist()
        hidden = self._course.hidden
        return _table(
            ",".join(
                f'"{name}":"{value}"'
                for name, value in (("country", COUNTRIES[country].code), ("signup_week", weeks[day]))
                if name not in hidden
            ).encode()
            for country, day in zip(countries, days, strict=True)
        )


def _table(entries: object) -> Table:
    listed = list(entries)  # type: ignore[call-overload]
    table = np.empty(len(listed), np.object_)
    table[:] = listed
    return table
