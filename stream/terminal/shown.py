"""Where are answers written? On the terminal as wide as it is; into a pipe or a file as wide as a mail shows it.

Names are text that strangers chose: they can neither colour, nor move the cursor, nor turn the line around.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from stream.spoken import harmless

WIDTH = 100
PADDING = 2  # of a column, both sides together


class _Harmless(Console):
    """Shows text as it is: no markup in it, and nothing that a terminal would obey but what is ours."""

    def render_str(self, text: str, **how: Any) -> Text:
        # Here as well, so that a table gives a name the room that it takes once it is written out.
        return super().render_str(harmless(text, lines=True), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else harmless(text, lines=True), style, control)


def console(*, stderr: bool = False) -> Console:
    """Standard output, or standard error; ids are shown as they are, without colours of their own."""
    terminal = _Harmless(highlight=False, markup=False, emoji=False, stderr=stderr)
    if terminal.is_terminal:
        return terminal
    return _Harmless(highlight=False, markup=False, emoji=False, stderr=stderr, width=WIDTH)


def say(text: str, *, err: bool = False) -> None:
    """One line; what would be several is written out."""
    typer.echo(harmless(text), err=err)


def whole(table: Table, width: int) -> Table:
    """The table so wide at most, with no word torn: an id that is torn cannot be copied.

    Each column is as wide as its longest word, and what room is left goes first to those that need least of it. Where
    the words alone are wider, the table stays as it is.
    """
    cells = [[harmless(str(cell), lines=True) for cell in (column.header, *column.cells)] for column in table.columns]
    least = [max((len(word) for cell in column for word in cell.split()), default=1) for column in cells]
    wanted = [max(map(len, column)) - width for column, width in zip(cells, least, strict=True)]
    left = width - PADDING * len(least) - sum(least)
    if left < 0:
        return table
    for number, at in enumerate(sorted(range(len(wanted)), key=lambda at: wanted[at])):
        more = min(max(0, wanted[at]), left // (len(wanted) - number))
        left -= more
        table.columns[at].width = least[at] + more
        table.columns[at].no_wrap = False
    return table
