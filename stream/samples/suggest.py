"""Which mapping would suit these records? A proposal by the names of their keys, with what a person must decide."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stream.contract.reading.refusal import Refusal
from stream.sources.dialects.mapped import ip_prefix, object_of

PATHS_MAX = 400
DEPTH_MAX = 6
DECIDE = "  # DECIDE: "
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_ZONE = re.compile(r"(Z|UTC|[+-]\d\d:?\d\d)$")
_TEXT_OF_PEOPLE = re.compile(
    r"messages?|prompt\b|content|input\.value|output\.value|response_body|completion\b", re.IGNORECASE
)

# Field -> names that mean it, best first, as regular expressions on the last part of a path.
_FIELDS: dict[str, tuple[str, ...]] = {
    "event_id": (r"event_?id", r"request_?id", r"x-request-id", r"call_?id", r"correlation_?id", r"(trace_?)?id"),
    "timestamp": (
        r"completed(_?at)?", r"end_?time(_?unix_?nano)?", r"response_(created_)?at", r"timestamp", r"@timestamp",
        r"time", r"ts", r"created(_?at)?", r"start(ed)?_?(time|at)",
    ),
    "account_id": (
        r"account(_?id)?", r"(account|customer|tenant|consumer|user)\.(custom_)?id", r"customer(_?id)?",
        r"user_api_key_user_id", r"user_?id", r"tenant(_?id)?", r"user",
        r"end_?user(_?id)?", r"api_?key(_?(id|hash))?", r"consumer(_?id)?",
    ),
    "model": (r"model_group", r"response_model", r"model(_?(name|id))?", r"request_model", r"deployment"),
    "input_tokens": (r"(input|prompt)_?tokens?(_?count)?", r"tokens_(in|prompt)", r"promptTokenCount"),
    "output_tokens": (r"(output|completion)_?tokens?(_?count)?", r"tokens_(out|completion)", r"candidatesTokenCount"),
}  # fmt: skip
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "org": (r"org(ani[sz]ation)?(_?(id|name))?", r"team(_?id)?", r"workspace(_?(id|name))?"),
    "payment": (r"payment(_?(id|hash|method))?", r"card(_?hash)?", r"billing(_?id)?"),
    "ip_prefix": (
        r"ip_?prefix", r"(client|remote|caller|requester)_?ip(_?address)?", r"ip(_?address)?", r"x-forwarded-for",
    ),
    "client": (r"user[_-]?agent(\.original)?", r"ua", r"client(_?(name|version))?", r"sdk"),
    "template": (r"(prompt_?)?template(_?(id|hash))?", r"prompt_?(hash|slug|id)", r"system_?hash"),
    "country": (r"country(_?(code|iso))?", r"iso_code", r"geo_?country"),
    "asn": (r"asn", r"as_?number"),
    "signup_week": (r"signup(_?week)?", r"cohort_?week"),
}  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What stands at a path over a sample: how often, and the first value."""

    count: int = 0
    values: Counter[str] = field(default_factory=Counter)
    example: Any = None


def paths_of(raws: Iterable[bytes]) -> tuple[dict[str, Seen], int]:
    """Every path to a single value in a sample, and how many records it has."""
    found: dict[str, Seen] = {}
    records = 0
    for raw in raws:
        try:
            record = object_of(raw)
        except Refusal:
            continue
        records += 1
        for path, value in _leaves(record, ""):
            if path in found or len(found) < PATHS_MAX:
                one = found.setdefault(path, Seen(example=value))
                one.count += 1
                one.values[str(value)[:64]] += 1
    return found, records


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if path.count(".") < DEPTH_MAX and not re.search(r"[\[\]]", key) and key:
                yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif value not in (None, "", "-") and not isinstance(value, list):
        yield path, value


def proposal(raws: Iterable[bytes]) -> Iterator[str]:
    """Lines of TOML; a line that a person must look at ends with what to decide."""
    seen, records = paths_of(raws)
    usable = {path: one for path, one in seen.items() if not _TEXT_OF_PEOPLE.search(path)}
    yield f"# Proposed from {records:,} records by the names of their keys. Look at each line marked DECIDE."
    yield "[map]"
    for name, patterns in _FIELDS.items():
        yield _line(name, _matching(usable, patterns), usable, records)
    yield from _conditions(usable)
    yield ""
    yield "[map.attributes]"
    for name, patterns in _ATTRIBUTES.items():
        found = _matching(usable, patterns)
        yield _attribute(name, found, usable) if found else f"# {name} = ...{DECIDE}nothing is named like it"


def _matching(seen: Mapping[str, Seen], patterns: tuple[str, ...]) -> list[str]:
    """Paths whose last part, or last two, a pattern means; by pattern, then by how many records have it."""
    found: list[str] = []
    for pattern in patterns:
        of_pattern = [path for path in seen if re.search(rf"(^|[.]){pattern}$", path, re.IGNORECASE)]
        found += sorted(of_pattern, key=lambda path: (-seen[path].count, path.count("."), path))
    return list(dict.fromkeys(found))


def _line(name: str, found: list[str], seen: Mapping[str, Seen], records: int) -> str:
    if not found:
        required = name not in ("input_tokens", "output_tokens")
        return f'{"" if required else "# "}{name} = "..."{DECIDE}nothing is named like it'
    if name == "event_id":
        found = [path for path in found if len(seen[path].values) == seen[path].count] or found
    best = found[: 1 if name in ("timestamp", "event_id") else 3]
    if name == "timestamp":
        return f"timestamp = {_time(best[0], seen[best[0]].example)}"
    tokens = name.endswith("tokens") and isinstance(seen[best[0]].example, (str, float))
    written = json.dumps(best[0] if len(best) == 1 else best, ensure_ascii=False)
    line = f"{name} = {{ from = {written}, number = true }}" if tokens else f"{name} = {written}"
    return line + _doubt(name, best, seen, records)


def _doubt(name: str, best: list[str], seen: Mapping[str, Seen], records: int) -> str:
    if name == "account_id":
        top = seen[best[0]].values.most_common(1)[0]
        often = f"; {top[0]!r} is in {top[1]:,} of {records:,}" if top[1] > max(records / 10, 1) else ""
        return f"{DECIDE}who is billed?{often}"
    if name == "event_id" and len(seen[best[0]].values) < seen[best[0]].count:
        return f"{DECIDE}it is not different in every record"
    if name == "model" and len(best) > 1:
        return f"{DECIDE}the public name first"
    return ""


def _time(path: str, example: Any) -> str:
    written = json.dumps(path)
    started = (
        f"{DECIDE}when the request began; add plus_ms = the path of its duration" if "start" in path.lower() else ""
    )
    if isinstance(example, str) and _TIME.match(example):
        zone = "" if _ZONE.search(example) and "T" in example else ', zone = "UTC"'
        return f"{{ from = {written}{zone} }}{started}" if zone else f"{written}{started}"
    try:
        digits = len(str(int(float(example))))
    except (ValueError, OverflowError):
        return f"{written}{DECIDE}{example!r} is no time that is known"
    unit = {9: "s", 10: "s", 13: "ms", 16: "us", 19: "ns"}.get(digits)
    return f'{{ from = {written}, epoch = "{unit}" }}{started}' if unit else f"{written}{DECIDE}{example!r} is no time"


def _conditions(seen: Mapping[str, Seen]) -> Iterator[str]:
    """What a failed request is known by."""
    found = _matching(seen, (r"(response_?)?status(_?code)?", r"(response_)?code", r"success"))
    if not found:
        return
    path, example = found[0], seen[found[0]].example
    yield ""
    yield "[map.when]"
    if isinstance(example, bool):
        yield f'completed = {{ from = {json.dumps(path)}, is = ["true"] }}'
    elif str(example).isdigit():
        yield f"completed = {{ from = {json.dumps(path)}, below = 400 }}"
    else:
        values = ", ".join(list(seen[path].values)[:5])
        yield f'completed = {{ from = {json.dumps(path)}, not = ["failure", "error"] }}{DECIDE}it says {values}'


def _attribute(name: str, found: list[str], seen: Mapping[str, Seen]) -> str:
    written = json.dumps(found[0] if len(found) == 1 else found[:3], ensure_ascii=False)
    if name == "ip_prefix" and ip_prefix(seen[found[0]].example) not in (None, seen[found[0]].example):
        return f"{name} = {{ from = {written}, prefix = true }}"
    if name == "client":
        return f"{name} = {{ from = {written}, client = true }}"
    if name == "payment":
        return f'{name} = {{ from = {written}, hash = "SWERVE_MAP_KEY" }}{DECIDE}hashed already? then leave `hash` out'
    return f"{name} = {written}"
