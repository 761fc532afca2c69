"""Where are answers written? On the terminal as wide as it is; into a pipe or a file wide enough to hold a row.

Names are text that strangers chose: they can neither colour, nor move the cursor, nor turn the line around.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from stream.spoken import harmless

WIDTH = 160


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
