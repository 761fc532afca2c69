"""What does a log look like after it went over networks? Some records twice, some late, some cut or nonsense."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from stream.simulate.chance.draws import chance
from stream.simulate.writing.write import Block

REPEATED, DELAYED, BROKEN = 0.003, 0.002, 0.0005  # parts of the records
REPEAT_AFTER_MAX_MS = 20 * 60_000
DELAY_MAX_MS = 70 * 60_000  # most delayed records are within a lateness of 15 minutes, some are far beyond
NONSENSE = (
    b"not json\n",
    b"[1, 2]\n",
    b'{"event_id":"e","account_id":"a","model":"atlas-3"}\n',
    b'{"event_id":"e","timestamp":true,"account_id":"a","model":"atlas-3"}\n',
    b'{"event_id":"e","timestamp":1772409600000,"account_id":"","model":"atlas-3"}\n',
    b'{"event_id":"e","timestamp":253370764800000,"account_id":"a","model":"atlas-3"}\n',  # the year 9999
    b'{"event_id":"e","timestamp":"yesterday","account_id":"a","model":"atlas-3"}\n',
    b'{"event_id":"e","timestamp":1772409600000,"account_id":"\xff","model":"atlas-3"}\n',
    b'{"event_id":"e","timestamp":1772409600000,"account_id":"a","model":"atlas-3","input_tokens":-1}\n',
)


@dataclass(slots=True)
class Dirt:
    """Repeats, delays and breaks records; the same for the same seed and blocks.

    A repeat is the same line once more, within 20 minutes. A delayed record keeps its timestamp and comes later. A
    broken record stands beside the log's own, none of which is lost.
    """

    seed: int
    number: int = 0
    held: list[tuple[int, int, int, bytes]] = field(default_factory=list)  # (due ms, timestamp, account, line)

    def over(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The blocks as they arrive."""
        for block in blocks:
            yield self._arrived(block)
        rest = sorted(self.held)
        yield Block([at for _, at, _, _ in rest], [who for _, _, who, _ in rest], [line for *_, line in rest])

    def _arrived(self, block: Block) -> Block:
        rng = chance(self.seed, "dirt", self.number)
        self.number += 1
        count = len(block.lines)
        u, wait, nonsense = rng.random(count), rng.exponential(0.15, count), rng.integers(0, len(NONSENSE) + 1, count)
        rows: list[tuple[int, int, int, bytes]] = []
        for at in range(count):
            at_ms, row = block.at_ms[at], (block.at_ms[at], block.account[at], block.lines[at])
            if u[at] < DELAYED:
                self.held.append((at_ms + int(min(wait[at], 1) * DELAY_MAX_MS), *row))
                continue
            rows.append((at_ms, *row))
            if u[at] < DELAYED + REPEATED:
                self.held.append((at_ms + int(min(wait[at], 1) * REPEAT_AFTER_MAX_MS), *row))
            elif u[at] < DELAYED + REPEATED + BROKEN:
                broken = NONSENSE[nonsense[at]] if nonsense[at] < len(NONSENSE) else row[2][: len(row[2]) // 2] + b"\n"
                rows.append((at_ms, at_ms, row[1], broken))
        if rows:
            due = [one for one in self.held if one[0] <= rows[-1][0]]
            self.held = [one for one in self.held if one[0] > rows[-1][0]]
            rows = sorted(rows + due, key=lambda row: row[0])
        return Block([row[1] for row in rows], [row[2] for row in rows], [row[3] for row in rows])
