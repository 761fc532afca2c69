"""Which alert is in a record of the alerts topic? What is none is set aside, told with its place."""

from __future__ import annotations

from typing import Protocol

from stream.contract.alert import Alert, MalformedAlertError, NewerAlertError, decode
from stream.errors import SwerveError
from stream.telemetry import metrics


class Recorded(Protocol):
    """A record as the client gives it."""

    topic: str
    partition: int
    offset: int
    value: bytes | None


def alert_in(record: Recorded) -> Alert | None:
    """The alert; None for what is none of ours, as anybody may write who may write to the topic.

    Raises SwerveError for one that a newer build wrote: passed over, it would be written and told again.
    """
    place = f"{record.topic}[{record.partition}]@{record.offset}"
    try:
        return decode(record.value or b"")
    except NewerAlertError as error:
        raise SwerveError(f"{place}: {error}") from error
    except MalformedAlertError as error:
        metrics.message_set_aside("correlate", place, str(error))
        return None
