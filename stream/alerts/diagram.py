"""Draws the life of an alert from its table: `python -m stream.alerts.diagram docs/alert-life.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from stream.alerts.transitions import TABLE, Change, State

BEGIN, END = "<!-- drawn: begin -->\n", "<!-- drawn: end -->\n"


def drawn() -> str:
    """The table as a Mermaid state diagram and as a list of rows."""
    return f"```mermaid\n{_diagram()}```\n\n{_rows()}"


def _diagram() -> str:
    lines = ["stateDiagram-v2", f"    [*] --> {State.NOTHING.name}"]
    lines += [f'    state "{state.value}" as {state.name}' for state in State]
    for state, row in TABLE.items():
        for event, step in row.items():
            told = "" if step.change is Change.NOTHING else f" / {step.change.value}"
            reason = f" ({step.reason})" if step.reason else ""
            lines.append(f"    {state.name} --> {step.state.name}: {event.value.replace(':', ',')}{told}{reason}")
    return "\n".join(lines) + "\n"


def _rows() -> str:
    lines = ["| state | event | next state | told | reason |", "| --- | --- | --- | --- | --- |"]
    for state, row in TABLE.items():
        for event, step in row.items():
            told = "" if step.change is Change.NOTHING else step.change.value
            lines.append(f"| {state.value} | {event.value} | {step.state.value} | {told} | {step.reason or ''} |")
    return "\n".join(lines) + "\n\nEvery other pair changes nothing and tells nothing.\n"


def refreshed(text: str) -> str:
    """A page with the drawing between its two marks replaced. Raises ValueError where a mark is missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected {BEGIN.strip()} and {END.strip()} in the page, found them not")
    return before + BEGIN + drawn() + END + after


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(refreshed(page.read_text()))
