"""Where are answers written? On the terminal as wide as it is; into a pipe or a file wide enough to hold a row."""

from __future__ import annotations

from rich.console import Console

WIDTH = 160


def console() -> Console:
    """Standard output; ids are shown as they are, without colours of their own."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=WIDTH)
