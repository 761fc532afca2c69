"""Where are answers written? On the terminal as wide as it is; into a pipe or a file as wide as a mail shows it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

WIDTH = 100
PADDING = 2  # of a column, both sides together


def console() -> Console:
    """Standard output; ids are shown as they are, without colours of their own."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=WIDTH)


def whole(table: Table, width: int) -> Table:
    """The table so wide at most, with no word torn: an id that is torn cannot be copied.

    Each column is as wide as its longest word, and what room is left goes first to those that need least of it. Where
    the words alone are wider, the table stays as it is.
    """
    cells = [[str(cell) for cell in (column.header, *column.cells)] for column in table.columns]
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
