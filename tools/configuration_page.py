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
from stream.configuration.sections import KINDS_OF_SINKS

DEFINITIONS = settings.Settings.model_json_schema()["$defs"]
TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "object": "table"}
UNITS = {"_ms": "milliseconds", "_ms_max": "milliseconds", "_s": "seconds", "_h": "hours"}
PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
HEAD = """# Configuration

One TOML file, named by `--config` or `SWERVE_CONFIG`; without one the defaults are in force. The environment overrides
the file: `[kafka] bootstrap_servers` is `SWERVE_KAFKA__BOOTSTRAP_SERVERS`. Lists in the environment are separated by
commas, or JSON. `swerve config show` prints what is in force and where each value comes from, `swerve config check`
exits 2 and names key, value and what was expected. A key that is not on this page is refused, with its nearest name.
`[map]` has [a page of its own](mapping.md): a field, step or condition that is not there is refused the same way; the
names in `[map.attributes]`, `[map.evidence]` and `[map.when]` are yours.

Secrets belong into the environment; they are masked wherever the configuration is shown.

*This page is generated: `tools/configuration_page.py` writes it from the code.*
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    for section, rows in groupby(settings.known(), key=lambda row: row[0]):
        name = f"[[{section}]]" if section in ("sinks", "drift") else f"[{section}]"
        yield f"\n## `{name}`\n\n{SECTIONS[section]}\n\n| key | value | default | meaning |\n"
        yield "| --- | --- | --- | --- |\n"
        for _, key, default in rows:
            yield f"| `{key}` | {_value(section, key)} | {_shown(default)} | {KEYS[f'{section}.{key}']} |\n"


def _value(section: str, key: str) -> str:
    """What may stand there: type, range and unit, as the settings refuse all else."""
    schemas = [one for one in _schemas_of(section) if key in one]
    said = list(dict.fromkeys(_said(one[key]) for one in schemas))
    unit = next((word for ending, word in UNITS.items() if key.endswith(ending)), "")
    return " or ".join(said) + (f" ({unit})" if unit else "")


def _schemas_of(section: str) -> list[dict[str, Any]]:
    """The keys of a section, as JSON schema; of [[sinks]] those of each kind."""
    if section == "sinks":
        return [DEFINITIONS[kind.__name__]["properties"] for kind in KINDS_OF_SINKS]
    name = section.rpartition(".")[2].capitalize()
    properties: dict[str, Any] = DEFINITIONS[name]["properties"]
    return [properties]


def _said(schema: dict[str, Any]) -> str:
    """A JSON schema in words.

    >>> _said({"type": "integer", "minimum": 0, "maximum": 9}), _said({"type": "number", "exclusiveMinimum": 0})
    ('whole number, 0 to 9', 'number, above 0')
    """
    if "anyOf" in schema:
        kinds = [_said(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_said(schema['items'])}"
    if schema.get("format") == "password":
        return "secret text"
    if schema.get("pattern", "").startswith("^https?"):
        return "http address"
    kind = TYPES.get(schema.get("type", ""), "value")
    return kind + _range(schema)


def _range(schema: dict[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f", {least:g} to {most:,}"
    bounds = (
        (least, "{:g} or more"), (most, "{:g} or less"), (schema.get("exclusiveMinimum"), "above {:g}"),
        (schema.get("exclusiveMaximum"), "below {:g}"),
    )  # fmt: skip
    said = [words.format(bound) for bound, words in bounds if bound is not None]
    return f", {', '.join(said)}" if said else ""


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
