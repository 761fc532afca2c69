"""What does Swerve tell the world? The alert record: one per change of an alert's state, the same in every replay."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

SCHEMA_VERSION = 1
ACCOUNTS_MAX = 1_000  # ids in one record: at 256 bytes each 256 kB, well below the 1 MB of a Kafka message
SUMMARY_MAX = 200

Status = Literal["firing", "resolved"]
Severity = Literal["info", "warning", "critical"]
Reason = Literal["ended", "adopted", "expected", "harmless", "superseded"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")

Text = Annotated[str, msgspec.Meta(min_length=1)]
Millis = Annotated[int, msgspec.Meta(ge=0)]


class MalformedAlertError(ValueError):
    """Bytes that are no alert record of a version that this build reads; the text says where and what was expected."""


class NewerAlertError(MalformedAlertError):
    """An alert record that a newer build wrote: nothing to set aside, for the right build reads it."""


class AlertSubject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who shifted. `dimension` is written for cohorts only."""

    kind: Literal["account", "cohort", "cluster"]
    id: Text
    dimension: str | None = None


class AlertTarget(msgspec.Struct, frozen=True):
    """Toward what."""

    kind: Literal["model", "capability", "mix"]
    id: Text


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an alert's state. Times are epoch milliseconds of event time.

    Always: started_at <= detected_at <= updated_at; subject, kind and detected_at never change within an alert_id;
    resolved_at and resolved_reason are there exactly when status is "resolved". accounts: at most 1,000, most
    involved first; accounts_total counts all. evidence: JSON values that a person can check.
    """

    alert_id: Text
    status: Status
    severity: Severity
    kind: Text
    subject: AlertSubject
    target: AlertTarget
    targets: tuple[AlertTarget, ...]
    started_at: Millis
    detected_at: Millis
    updated_at: Millis
    resolved_at: Millis | None = None
    resolved_reason: Reason | None = None
    accounts: Annotated[tuple[str, ...], msgspec.Meta(max_length=ACCOUNTS_MAX)]
    accounts_total: Annotated[int, msgspec.Meta(ge=0)]
    evidence: Mapping[str, Any]
    summary: Annotated[str, msgspec.Meta(min_length=1, max_length=SUMMARY_MAX)]
    schema_version: int = SCHEMA_VERSION

    @property
    def is_page(self) -> bool:
        """Whether this record is one that wakes somebody: critical and firing."""
        return self.severity == "critical" and self.status == "firing"


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Alert)


def encode(alert: Alert) -> bytes:
    """One line of JSON without the newline. Deterministic: keys are sorted, floats written shortest."""
    return _encoder.encode(alert)


def decode(raw: bytes) -> Alert:
    """The record that `encode` wrote; unknown fields are ignored. Raises MalformedAlertError, NewerAlertError."""
    try:
        alert = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedAlertError(f"not an alert record: {error}") from error
    if alert.schema_version > SCHEMA_VERSION:
        raise NewerAlertError(
            f"alert {alert.alert_id} has schema_version {alert.schema_version}; "
            f"this build reads up to {SCHEMA_VERSION}: update Swerve"
        )
    return alert


def alert_id_of(kind: str, subject: AlertSubject, detected_at: int, salt: str = "") -> str:
    """16 hexadecimal digits, frozen at opening: a better estimate of the onset changes nothing.

    salt: only where two alerts of one kind and subject open in the same tick.

    >>> alert_id_of("release_shift", AlertSubject("cohort", "org_7", "org"), 1_770_260_400_000)
    '4a0d75a630f65661'
    """
    parts = [kind, subject.kind, subject.dimension or "", subject.id, str(detected_at), *([salt] if salt else [])]
    # The length before each part: an id is text chosen by strangers and could contain any separator.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
