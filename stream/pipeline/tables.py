"""Which number stands for which name? The dictionaries of an encoder.

Each is a dict that gives the next number to a key it does not have yet, so a name that is known costs one lookup. What
a frame wants in the order of the numbers is kept in that order beside it, so that a frame costs nothing for what it
does not use.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from detectors.counts.rows import SHARDS, Sets
from stream.contract.request import read_attributes, read_capabilities
from stream.pipeline.names import NAME_MAX, short_name

REMEMBERED_MAX = 4_096  # bytes of a record's field that are looked up again; a longer one is read each time it comes


class Targets(dict[str, int]):
    """Number of "model:NAME" or "capability:NAME"."""

    def __missing__(self, target: str) -> int:
        number = self[target] = len(self)
        return number


class Models(dict[str, int]):
    """Number, among the targets, of a model by its bare name."""

    def __init__(self, targets: Targets) -> None:
        super().__init__()
        self._targets = targets

    def __missing__(self, model: str) -> int:
        number = self[model] = self._targets["model:" + model]
        return number


class Accounts(dict[str, int]):
    """Number of an account. names, by number; keys: 8 bytes each, those of `key_of`, little end first; shards: one byte
    each."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.keys_of = bytearray()
        self.shards_of = bytearray()

    def __missing__(self, account_id: str) -> int:
        name = account_id.encode()
        self.names.append(account_id)
        self.keys_of += blake2b(name, digest_size=8).digest()
        self.shards_of.append(zlib.crc32(name) % SHARDS)
        number = self[account_id] = len(self)
        return number


class Values(dict[str, "Dimension"]):
    """The numbers of the values of each dimension. pairs: (dimension, value) by number; keys: 8 bytes each,
    `key_of("dimension\\0value")`, little end first."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self.keys_of = bytearray()

    def __missing__(self, dimension: str) -> Dimension:
        values = self[dimension] = Dimension(dimension, self)
        return values


class Dimension(dict[str, int]):
    """Number of a value of one dimension, among those of all. Looked up without making a pair of both."""

    def __init__(self, name: str, of: Values) -> None:
        super().__init__()
        self._name = name
        self._of = of

    def __missing__(self, value: str) -> int:
        pair = (self._name, value)
        number = self[value] = len(self._of.pairs)
        self._of.pairs.append(pair)
        self._of.keys_of += blake2b("\0".join(pair).encode(), digest_size=8).digest()
        return number


class SetNumbers(dict[tuple[int, ...], int]):
    """Number of a small set of numbers. Some 300 bytes each."""

    def __init__(self) -> None:
        super().__init__()
        self._start = array("q", [0])
        self._items = array("I")

    def __missing__(self, items: tuple[int, ...]) -> int:
        self._items.extend(items)
        self._start.append(len(self._items))
        number = self[items] = len(self)
        return number

    def items_of(self, number: int) -> list[int]:
        """What is in the set with this number."""
        return self._items[self._start[number] : self._start[number + 1]].tolist()

    def sets(self) -> Sets:
        """All sets by their numbers. Copies: an array that somebody looks into cannot grow."""
        return Sets(np.array(self._start, np.int64), np.array(self._items, np.uint32))


class CapabilitySets(dict[bytes, int]):
    """Number of the set of capabilities that a record names in these very bytes.

    Raises what msgspec raises for bytes that break the contract, and then remembers nothing.
    shortened: the sets in which a name was too long.
    """

    def __init__(self, targets: Targets) -> None:
        super().__init__()
        self._targets = targets
        self.sets = SetNumbers()
        self.shortened: set[int] = set()

    def __missing__(self, raw: bytes) -> int:
        number = self.number(read_capabilities(raw))
        if len(raw) <= REMEMBERED_MAX:
            self[raw] = number
        return number

    def number(self, capabilities: tuple[str, ...]) -> int:
        """Number of the set with these capabilities; one that comes twice is in it once."""
        short = tuple([short_name(one) for one in capabilities])
        number = self.sets[tuple(dict.fromkeys([self._targets["capability:" + one] for one in short]))]
        if short != capabilities:
            self.shortened.add(number)
        return number


class ValueSets(dict[bytes, int]):
    """Number of the set of values that a record's attributes name in these very bytes; as CapabilitySets."""

    def __init__(self) -> None:
        super().__init__()
        self.values_of = Values()
        self.sets = SetNumbers()
        self.shortened: set[int] = set()

    def __missing__(self, raw: bytes) -> int:
        attributes = read_attributes(raw)
        number = self._of_short(attributes) if len(raw) <= NAME_MAX else self.number(attributes)
        if len(raw) <= REMEMBERED_MAX:
            self[raw] = number
        return number

    def number(self, attributes: dict[str, str]) -> int:
        """Number of the set with these values."""
        short = {short_name(dimension): short_name(value) for dimension, value in attributes.items()}
        number = self._of_short(short)
        if short != attributes:
            self.shortened.add(number)
        return number

    def _of_short(self, attributes: dict[str, str]) -> int:
        """The same, where no name is too long."""
        values = self.values_of
        return self.sets[tuple([values[dimension][value] for dimension, value in attributes.items()])]


class Tables:
    """All dictionaries of one encoder. Numbers rise from 0 in the order of first sight, as long as the tables live."""

    def __init__(self) -> None:
        self.targets = Targets()
        self.models = Models(self.targets)
        self.accounts = Accounts()
        self.capability_sets = CapabilitySets(self.targets)
        self.value_sets = ValueSets()

    def shortened(self, capability_sets: Sequence[int], value_sets: Sequence[int]) -> int:
        """Of requests with these sets, how many had a name that was too long. O(1) where none ever had."""
        tags, values = self.capability_sets.shortened, self.value_sets.shortened
        if not tags and not values:
            return 0
        return sum([one in tags or other in values for one, other in zip(capability_sets, value_sets, strict=True)])

    def size(self) -> int:
        """Entries of the largest of the tables."""
        capabilities, values = self.capability_sets, self.value_sets
        tables = (
            self.targets,
            self.accounts,
            capabilities,
            capabilities.sets,
            values,
            values.sets,
            values.values_of.pairs,
        )
        return max([len(table) for table in tables])
