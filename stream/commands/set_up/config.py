"""Which configuration is in force, and is it right? The commands `swerve config show` and `swerve config check`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer

from stream.commands.arguments import Config
from stream.configuration import settings
from stream.configuration.meaning import KEYS
from stream.sinks import catalogue

app = typer.Typer(help="Show and check the configuration.", no_args_is_help=True, add_completion=False)


@app.command(epilog="Example: [bold]swerve config show --config swerve.toml[/bold]")
def show(
    config: Config = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say above each key what it means.")] = False,
) -> None:
    """Print what is in force as TOML, secrets masked, each value with where it comes from."""
    for line in as_toml(settings.sources(config), KEYS if explain else {}):
        typer.echo(line)


@app.command(epilog="Example: [bold]SWERVE_HTTP__PORT=9000 swerve config check --config swerve.toml[/bold]")
def check(config: Config = None) -> None:
    """Exit 0 when the configuration can be used, else 2, naming key, value and what was expected."""
    configured = settings.load(config).speaking(None)
    catalogue.check(configured)
    path = settings.file_of(config)
    typer.echo(f"{path or 'defaults and environment'}: the configuration can be used")


def as_toml(rows: Iterable[tuple[str, str, Any, str]], meaning: Mapping[str, str] | None = None) -> Iterator[str]:
    """Rows of `settings.sources` as lines of TOML; what has no value is a comment, as is the meaning of a key.

    >>> print(*as_toml([("http", "port", 80, "default"), ("http", "token", None, "default")]), sep="\\n")
    [http]
    port = 80  # default
    # token = (not set)
    """
    section: str | None = None
    seen: set[str] = set()
    for name, key, value, where in rows:
        if name != section or (name.startswith("[") and key in seen):
            if section is not None:
                yield ""
            yield f"[{name}]"
            section, seen = name, set()
        seen.add(key)
        words = (meaning or {}).get(f"{name.strip('[]')}.{key}")
        if words is not None:
            yield f"# {words}"
        if value is None:
            yield f"# {key} = (not set)"
        else:
            yield f"{key} = {_written(value)}  # {where}"


def _written(value: Any) -> str:
    """A value as TOML has it.

    >>> _written([{"from": "a", "lower": True}, "b"])
    '[{ "from" = "a", "lower" = true }, "b"]'
    """
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_written(one)}' for key, one in value.items())} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False)
