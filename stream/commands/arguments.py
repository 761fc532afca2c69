"""Which arguments do several commands share? Each is described once, so that every --help says the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from stream.errors import UsageError
from stream.mapping.named import NAMES as DIALECTS

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Files, folders, patterns; s3://, gs:// or abfss://; - is standard input. NDJSON or .csv, plain, .gz or "
        ".zst, or Parquet.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Configuration in TOML; SWERVE_CONFIG names it too. Else the defaults."
    ),
]
Releases = Annotated[
    Path | None,
    typer.Option("--releases", metavar="FILE", help="The model catalogue: a JSON array of release records."),
]
Expected = Annotated[
    Path | None,
    typer.Option("--expected", metavar="FILE", help="Shifts that are known already: a JSON array of their records."),
]
Port = Annotated[
    int | None,
    typer.Option("--port", metavar="PORT", min=0, max=65_535, help="Serve HTTP here instead of at \\[http] port."),
]


def ended_by(names: Iterable[str]) -> Callable[[str], list[str]]:
    """How the shell ends a word that is one of these names."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


Dialect = Annotated[
    str | None,
    typer.Option(
        "--dialect",
        metavar="NAME",
        autocompletion=ended_by(DIALECTS),
        help=f"How records are written, instead of \\[sources] dialect: {', '.join(DIALECTS)}.",
    ),
]
MapFile = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE", help="What each field becomes, instead of \\[map]; on top of the dialect."),
]


def made(folder: Path) -> None:
    """The folder of --state, made where it is not there. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--state {folder}: {error.strerror or error}") from None
