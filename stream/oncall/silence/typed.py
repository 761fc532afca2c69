"""How is a silence asked for at a terminal? With a reason and a name, previewed, and typed to confirm a wide one."""

from __future__ import annotations

import sys

import typer

from stream.alerts.expected_shifts import OF_ALERT
from stream.errors import UsageError
from stream.oncall.silence.preview import REASON_MIN, is_typed


def reason_or_ask(given: str, option: str = "--reason") -> str:
    """Why: as given, or asked for. Raises UsageError where nobody can be asked, or nothing was answered."""
    else_told = f'{option}: expected why, for those who read it later: {option} "ticket 4711"'
    reason = given.strip() or _asked("why", else_told)
    if len(reason) < REASON_MIN:
        raise UsageError(else_told)
    return reason


def confirmed(wanted: str | None, given: str | None) -> None:
    """Return where nothing need be typed, or it was. Raises UsageError, and then nothing is silent."""
    if wanted is None:
        return
    typed = given or _asked(f"type “{wanted}” to confirm", f'not confirmed: add --confirm "{wanted}"')
    if not is_typed(wanted, typed):
        raise UsageError(f"not confirmed, and nothing is silent: expected “{wanted}”, got “{typed[:80]}”")


def _asked(words: str, else_told: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(else_told)
    answer: str = typer.prompt(words, default="", show_default=False, err=True)
    return answer.strip()


def alert_of(subject: str) -> str | None:
    """The id in alert=ID; None for whatever else.

    >>> alert_of("alert=10c487fd8888d1cc"), alert_of("org=org_7")
    ('10c487fd8888d1cc', None)
    """
    dimension, _, name = subject.partition("=")
    return name if dimension == OF_ALERT and name else None
