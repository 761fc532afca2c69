"""What are the records of a scenario, and who is who in them? The log in order, and the truth about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stream.simulate.events.story import Story
from stream.simulate.scenarios import tell
from stream.simulate.writing.dirt import Dirt
from stream.simulate.writing.write import Block, Lines


def records(
    scenario: str, seed: int = 1, *, accounts: int | None = None, days: float | None = None, real: bool = False,
    scale: float | None = None, dirty: bool = False, world: int | None = None,
) -> Iterator[tuple[int, str, bytes]]:  # fmt: skip
    """The scenario's records in order: (timestamp in ms, account id, the JSON line without its newline).

    Memory holds about an hour of traffic. Raises UsageError for an unknown scenario.
    """
    story = tell(scenario, seed, accounts=accounts, days=days, real=real, scale=scale, world=world)
    lines = Lines(story.fleet, story.course, seed)
    for block in blocks(story, lines, dirty=dirty):
        for at_ms, account, line in zip(block.at_ms, block.account, block.lines, strict=True):
            yield at_ms, lines.account_ids[account], line[:-1]


def blocks(story: Story, lines: Lines, *, dirty: bool = False) -> Iterator[Block]:
    """The log in blocks of lines; dirty: with repeats, late and broken records."""
    clean = (block for batch in story.traffic().hours() for block in lines.blocks(batch))
    return Dirt(story.seed).over(clean) if dirty else clean


def batches(story: Story, lines: Lines) -> Iterator[tuple[list[bytes], range]]:
    """The clean log as a source gives it: the records of an hour, and their offsets."""
    read = 0
    for batch in story.traffic().hours():
        raws = [line[:-1] for line in lines.of(batch)]
        yield raws, range(read, read + len(raws))
        read += len(raws)


def truth_of(story: Story, lines: Lines) -> dict[str, Any]:
    """The document that --truth writes."""
    head = {"scenario": story.name, "seed": story.seed, "start_ms": story.start_ms, "end_ms": story.end_ms}
    if story.world is not None:
        head["world"] = story.world.document()
    return head | story.truth.document(lines.account_ids)
