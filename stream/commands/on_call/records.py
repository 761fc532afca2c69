"""Alert records and verdicts from a file: NDJSON as backtest and the file sink write it, or a JSON array."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from stream.contract.alert import Alert, MalformedAlertError, decode
from stream.errors import UsageError


def lines_of(path: Path) -> list[bytes]:
    """The JSON records of a file. Raises UsageError."""
    try:
        data = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    if not data.startswith(b"["):
        return [line for line in data.splitlines() if line.strip()]
    try:
        return [bytes(raw) for raw in msgspec.json.decode(data, type=list[msgspec.Raw])]
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: expected a JSON array or one record a line, got: {error}") from None


def alerts_in(path: Path) -> list[Alert]:
    """Alert records in the order of the file. Raises UsageError with the line."""
    alerts = []
    for number, raw in enumerate(lines_of(path), 1):
        try:
            alerts.append(decode(raw))
        except MalformedAlertError as error:
            raise UsageError(f"{path}:{number}: {error}") from None
    return alerts


def last_of_each(alerts: Iterable[Alert]) -> dict[str, Alert]:
    """The last record of every alert."""
    last: dict[str, Alert] = {}
    for alert in alerts:
        last[alert.alert_id] = alert
    return last
