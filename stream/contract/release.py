"""Which model was released when? The records of the model catalogue."""

from __future__ import annotations

from pathlib import Path

import msgspec

from stream.contract.reading.fields import Fields
from stream.contract.record_file import records_of
from stream.contract.request import MODEL_MAX


class Release(msgspec.Struct, frozen=True):
    """One model. family: of which it is a version. supersedes: the model whose traffic it is meant to take over."""

    model: str
    released_at_ms: int
    family: str | None = None
    supersedes: str | None = None


def decode_release(raw: bytes) -> Release:
    """The release that these bytes are; raises Refusal.

    >>> decode_release(b'{"model": "atlas-4", "released_at": "2026-03-01T00:00:00Z", "supersedes": "atlas-3"}')
    Release(model='atlas-4', released_at_ms=1772323200000, family=None, supersedes='atlas-3')
    """
    fields = Fields(raw)
    fields.refuse_misspelt(("model", "released_at", "family", "supersedes"))
    return Release(
        fields.text("model", MODEL_MAX),
        fields.instant("released_at"),
        fields.text_or_none("family", MODEL_MAX),
        fields.text_or_none("supersedes", MODEL_MAX),
    )


def releases_in(path: Path) -> list[Release]:
    """The releases of a file, sorted by time and model; of a model that comes twice the last entry counts.

    Raises UsageError in one line where the file cannot be read or an entry is no release.
    """
    by_model = {release.model: release for release in records_of(path, decode_release, "releases")}
    return sorted(by_model.values(), key=lambda release: (release.released_at_ms, release.model))
