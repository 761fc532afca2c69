"""Does another deployment write to the topics of this one?

Every message that a stage writes for the next says in a header of whose group it is. Workers of one group are one
deployment, however many they are. Of two that live side by side under different groups messages come in turns, and so
each of them notices the other, though neither may see the groups of the broker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

HEADER: Final = "swerve-group"
NAME_MAX = 256  # whoever writes to the topic chose it
TURNS = 3  # from one to the other, back, and again: new names and a step back to the old ones are less
WITHIN_MS = 600_000  # of the messages' own times, so that old ones that are read again say what they said
Headers = list[tuple[str, bytes]]


def signed(group: str) -> Headers:
    """The headers of a message that a worker of this group writes; none without a group."""
    return [(HEADER, group.encode())] if group else []


class Writers:
    """Who wrote the messages of one topic, heard one after the other. tell: the two, whenever they take turns.

    >>> told = []
    >>> writers = Writers(lambda one, other: told.append((one, other)))
    >>> for at_ms, group in enumerate(("a", "b", "a", "b", "b", "a")):
    ...     writers.heard(signed(group), at_ms)
    >>> told
    [('a', 'b'), ('a', 'b')]
    """

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._last = ""
        self._turns: deque[int] = deque(maxlen=TURNS)

    def heard(self, headers: Iterable[tuple[str, bytes | None]] | None, at_ms: int) -> None:
        """One message. Of whom it is that says nothing of itself, as of an earlier version, nobody knows."""
        for name, value in headers or ():
            if name == HEADER and value:
                self._from(value[:NAME_MAX].decode("utf-8", "replace"), at_ms)

    def _from(self, group: str, at_ms: int) -> None:
        before, self._last = self._last, group
        if not before or group == before:
            return
        self._turns.append(at_ms)
        if len(self._turns) == TURNS and abs(at_ms - self._turns[0]) <= WITHIN_MS:
            one, other = sorted((before, group))
            self._tell(one, other)
