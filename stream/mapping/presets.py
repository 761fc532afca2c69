"""Which mappings are shipped? One file each in `presets/`, with its source and a sample beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from stream.mapping.written import read_map

FOLDER = Path(__file__).parent / "presets"
#: What can be named as a dialect besides our own form.
NAMES: tuple[str, ...] = tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


@cache
def preset(name: str) -> dict[str, Any]:
    """A shipped mapping as it is written. Not to be changed."""
    return read_map(file_of(name))


def file_of(name: str) -> Path:
    """Where it stands."""
    return FOLDER / f"{name}.toml"


def sample_of(name: str) -> list[bytes]:
    """The records of its sample."""
    return (FOLDER / f"{name}.ndjson").read_bytes().splitlines()
