"""What of a finding's evidence goes into a record? JSON values only, numbers short enough to read aloud."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

DIGITS = 6  # significant; a share of 0.483917 is exact enough for everyone who recomputes it


def plain(value: Any) -> Any:
    """The same value in JSON types: arrays become lists, NaN and infinity null, targets {"kind", "id"}.

    Floats keep six significant digits, whole ones all of theirs (times in ms).

    >>> plain({"share": np.float32(0.1), "target": "model:atlas-4", "at": 1770260400000.0, "z": float("nan")})
    {'share': 0.1, 'target': {'kind': 'model', 'id': 'atlas-4'}, 'at': 1770260400000.0, 'z': None}
    """
    if isinstance(value, Mapping):
        return {str(key): _target(one) if key == "target" else plain(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return _short(value)
    if isinstance(value, set | frozenset):
        return [plain(one) for one in sorted(value, key=str)]
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value)


def _short(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return value if value == int(value) else float(f"{value:.{DIGITS}g}")


def _target(value: Any) -> Any:
    """ "model:atlas-4", as the detectors name a target, in the words of the contract."""
    if isinstance(value, str) and ":" in value:
        kind, _, name = value.partition(":")
        return {"kind": kind, "id": name}
    return plain(value)


def number(evidence: Mapping[str, Any], key: str) -> float | None:
    """A finite number of the evidence; None where it is missing or no number. 0 is a number."""
    value = evidence.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def votes_of(evidence: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What each trait said of one operator's hand, as the detector gave it; none where the evidence is of no network.

    >>> votes_of({"votes": [{"trait": "moved", "nats": 0.4}, "?"]}), votes_of({"votes": 5})
    ([{'trait': 'moved', 'nats': 0.4}], [])
    """
    given = evidence.get("votes")
    return [vote for vote in given if isinstance(vote, Mapping)] if isinstance(given, list | tuple) else []
