"""Which number stands for which name? The dictionaries of an encoder."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec
import numpy as np

from detectors.rows import SHARDS, Sets
from stream.contract.request import read_attributes, read_capabilities


class SetTable:
    """Distinct small sets of integers, each known by its number. Some 300 bytes each."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, ...], int] = {}
        self._start = array("q", [0])
        self._items = array("I")

    def __len__(self) -> int:
        return len(self._start) - 1

    def number(self, items: tuple[int, ...]) -> int:
        number = self._numbers.get(items)
        if number is None:
            number = self._numbers[items] = len(self)
            self._items.extend(items)
            self._start.append(len(self._items))
        return number

    def items(self, number: int) -> array[int]:
        return self._items[self._start[number] : self._start[number + 1]]

    def sets(self) -> Sets:
        # Copies: an array that somebody looks into cannot grow.
        return Sets(np.array(self._start, np.int64), np.array(self._items, np.uint32))


@dataclass(slots=True)
class Tables:
    """Names <-> numbers of one encoder. Numbers are given in the order of first sight and hold until the tables go.

    `capability_set` and `value_set` are looked up by the very bytes of the record, so that a set that was seen before
    costs one lookup; both raise what msgspec raises for bytes that break the contract.
    """

    accounts: list[str] = field(default_factory=list)
    account_keys: bytearray = field(default_factory=bytearray)  # 8 bytes each, as key_of, little end first
    account_shards: bytearray = field(default_factory=bytearray)
    targets: list[str] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)
    value_keys: bytearray = field(default_factory=bytearray)
    capability_sets: SetTable = field(default_factory=SetTable)
    value_sets: SetTable = field(default_factory=SetTable)
    account_numbers: dict[str, int] = field(default_factory=dict)
    model_numbers: dict[str, int] = field(default_factory=dict)
    capability_set_numbers: dict[bytes, int] = field(default_factory=dict)
    value_set_numbers: dict[bytes, int] = field(default_factory=dict)
    _target_numbers: dict[str, int] = field(default_factory=dict)
    _value_numbers: dict[str, dict[str, int]] = field(default_factory=dict)

    def size(self) -> int:
        """Entries in the largest of the tables."""
        return max(
            len(self.accounts),
            len(self.targets),
            len(self.values),
            len(self.capability_set_numbers),
            len(self.capability_sets),
            len(self.value_set_numbers),
            len(self.value_sets),
        )

    def account(self, account_id: str) -> int:
        number = self.account_numbers.get(account_id)
        if number is None:
            number = self.account_numbers[account_id] = len(self.accounts)
            name = account_id.encode()
            self.accounts.append(account_id)
            self.account_keys += blake2b(name, digest_size=8).digest()
            self.account_shards.append(zlib.crc32(name) % SHARDS)
        return number

    def model(self, model: str) -> int:
        number = self.model_numbers.get(model)
        if number is None:
            number = self.model_numbers[model] = self._target("model:" + model)
        return number

    def capability_set(self, raw: bytes | msgspec.Raw) -> int:
        raw = bytes(raw)
        number = self.capability_set_numbers.get(raw)
        if number is None:
            number = self.capability_set_numbers[raw] = self.capability_set_of(read_capabilities(raw))
        return number

    def capability_set_of(self, capabilities: Iterable[str]) -> int:
        numbers = dict.fromkeys([self._target("capability:" + one) for one in capabilities])
        return self.capability_sets.number(tuple(numbers))

    def value_set(self, raw: bytes | msgspec.Raw) -> int:
        raw = bytes(raw)
        number = self.value_set_numbers.get(raw)
        if number is None:
            number = self.value_set_numbers[raw] = self.value_set_of(read_attributes(raw))
        return number

    def value_set_of(self, attributes: dict[str, str]) -> int:
        return self.value_sets.number(tuple([self._value(dimension, one) for dimension, one in attributes.items()]))

    def moved(self, old: Tables, account: int, model: int, capability_set: int, value_set: int) -> tuple[int, ...]:
        """The numbers here of what has these numbers in other tables."""
        capabilities = [old.targets[number] for number in old.capability_sets.items(capability_set)]
        values = [old.values[number] for number in old.value_sets.items(value_set)]
        return (
            self.account(old.accounts[account]),
            self.model(old.targets[model].removeprefix("model:")),
            self.capability_sets.number(tuple([self._target(name) for name in capabilities])),
            self.value_sets.number(tuple([self._value(*pair) for pair in values])),
        )

    def _target(self, name: str) -> int:
        number = self._target_numbers.get(name)
        if number is None:
            number = self._target_numbers[name] = len(self.targets)
            self.targets.append(name)
        return number

    def _value(self, dimension: str, value: str) -> int:
        numbers = self._value_numbers.get(dimension)
        if numbers is None:
            numbers = self._value_numbers[dimension] = {}
        number = numbers.get(value)
        if number is None:
            number = numbers[value] = len(self.values)
            self.values.append((dimension, value))
            self.value_keys += blake2b(f"{dimension}\0{value}".encode(), digest_size=8).digest()
        return number
