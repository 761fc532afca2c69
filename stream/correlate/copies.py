"""Is a summary that comes again the one that was counted? Detect promises the same content for the same tick."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

COPIES_MAX = 20_000  # some 250 bytes each: 5 MB; with 64 partitions a day of ticks

Key = tuple[int, int, int, int]  # tick, first shard, how many shards, version of the bytes


class Copies:
    """What was counted lately, as digests; bounded, so that one of long ago, or of before a restart, is a repeat.

    A copy that differs comes of two workers that own one partition, or that are configured differently.

    >>> copies = Copies()
    >>> key = (7, 0, 256, 1)
    >>> copies.differs(key, b"counts"), copies.differs(key, b"counts"), copies.differs(key, b"others")
    (False, False, True)
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[Key, bytes] = OrderedDict()

    def differs(self, key: Key, content: bytes) -> bool:
        """Whether another content came for this key before; the first that came stays. O(bytes)."""
        digest = hashlib.blake2b(content, digest_size=16).digest()
        first = self._seen.setdefault(key, digest)
        if len(self._seen) > COPIES_MAX:
            self._seen.popitem(last=False)
        return first != digest
