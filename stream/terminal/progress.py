"""How far is a replay? A bar on standard error where a person watches, and silence where nobody does."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from stream.terminal import shown


class Sized(Protocol):
    """A log that knows how far it was read, and how long it is where anybody knows."""

    bytes_total: int | None

    @property
    def bytes_read(self) -> int:
        """So far."""


class Progress:
    """Told of every batch. This one says nothing."""

    def moved(self, records: int) -> None:
        """So many records were read by now."""


class _Shown(Progress):
    def __init__(self, bar: Bar, files: Sequence[Sized]) -> None:
        self._bar = bar
        self._files = files
        sizes = [file.bytes_total for file in files]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        self._task = bar.add_task("replay", total=total, records=0)

    def moved(self, records: int) -> None:
        self._bar.update(self._task, completed=sum(file.bytes_read for file in self._files), records=records)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Records read, and how many a second."""
        records = task.fields["records"]
        elapsed = task.elapsed or 0.0
        rate = f"{records / elapsed:,.0f}/s" if elapsed > 0.5 else "..."
        return Text(f"{records:,} records  {rate}")


@contextmanager
def progress_of(files: Sequence[Sized]) -> Iterator[Progress]:
    """The progress of reading these files, while the block runs."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    bar = Bar(
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        _Rate(),
        TimeRemainingColumn(compact=True),
        console=shown.console(stderr=True),
        transient=True,
        refresh_per_second=4,
    )
    with bar:
        yield _Shown(bar, files)
