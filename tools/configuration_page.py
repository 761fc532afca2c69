#!/usr/bin/env python
"""Writes docs/configuration.md from the settings and their meaning; --check fails when the page is not fresh."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from stream.configuration import settings
from stream.configuration.meaning import KEYS, SECTIONS

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
HEAD = """# Configuration

One TOML file, named by `--config` or `SWERVE_CONFIG`; without one the defaults are in force. The environment overrides
the file: `[kafka] bootstrap_servers` is `SWERVE_KAFKA__BOOTSTRAP_SERVERS`. Lists in the environment are separated by
commas, or JSON. `swerve config show` prints what is in force and where each value comes from, `swerve config check`
exits 2 and names key, value and what was expected. A key that is not on this page is refused, with its nearest name.

Secrets belong into the environment; they are masked wherever the configuration is shown.

*This page is generated: `tools/configuration_page.py` writes it from the code.*
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    for section, rows in groupby(settings.known(), key=lambda row: row[0]):
        name = f"[[{section}]]" if section in ("sinks", "drift") else f"[{section}]"
        yield f"\n## `{name}`\n\n{SECTIONS[section]}\n\n| key | default | meaning |\n| --- | --- | --- |\n"
        for _, key, default in rows:
            yield f"| `{key}` | {_shown(default)} | {KEYS[f'{section}.{key}']} |\n"


def _shown(default: Any) -> str:
    """A default as it is written in TOML; nothing where there is none."""
    return "" if default is None else f"`{json.dumps(default, default=str)}`"


def main(arguments: list[str]) -> int:
    """Write, or compare."""
    if "--check" in arguments:
        if PAGE.read_text() == page():
            return 0
        print(f"{PAGE.name} is stale: run tools/configuration_page.py and commit it", file=sys.stderr)
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
