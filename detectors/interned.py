"""Which small integer stands for this name?"""

from __future__ import annotations


class Interned:
    """Names <-> small integers, in order of first sight. The order differs between replays, so it is never told.

    >>> names = Interned()
    >>> names.of(("org", "b")), names.of(("org", "a")), names.of(("org", "b"))
    (0, 1, 0)
    """

    __slots__ = ("index", "names")

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self.index: dict[tuple[str, str], int] = {}

    def of(self, name: tuple[str, str]) -> int:
        """The integer of a name, new or old."""
        found = self.index.get(name)
        if found is None:
            found = self.index[name] = len(self.names)
            self.names.append(name)
        return found
