"""What happened to an alert, and what did people say of it? One list in order of time, for its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.alerts.verdicts import Said
from stream.console.shown.view import Known
from stream.contract.attention import NOTE, Asked


@dataclass(frozen=True, slots=True)
class Happened:
    """One line. by: who said it; "" where Swerve did."""

    at_ms: int
    what: str
    by: str = ""


def history(
    known: Known, changes: Sequence[tuple[str, str]], said: Sequence[Asked], verdict: Said | None
) -> list[Happened]:
    """Changes of an alert, of which `changes` has the words, and what people said, oldest first.

    What people say is told by the wall's clock, which in a replay is another one: there it stands at the end.
    """
    rows = [Happened(alert.updated_at, what) for alert, (_, what) in zip(known.records, changes, strict=True)]
    rows += [Happened(one.at_ms, one.note if one.word == NOTE else "has it", one.by) for one in said]
    if verdict is not None:
        rows.append(Happened(verdict.at_ms, f"verdict: {verdict.verdict}", getattr(verdict, "by", "")))
    return sorted(rows, key=lambda one: one.at_ms)
