"""What can be asked of the platform: its models, the tasks that requests are, the countries they come from."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_772_409_600_000  # Monday 2026-03-02, 00:00 UTC: the first hour of a log, where nothing else is asked for

MODELS = (
    "atlas-2", "atlas-3", "atlas-3-mini", "brio-1", "brio-2", "brio-2-mini", "cirrus-1", "cirrus-1-vision",
    "atlas-4", "brio-3",
)  # fmt: skip
MODEL = {name: index for index, name in enumerate(MODELS)}
OLD_MODELS = 8  # those that exist when the log begins; the others are released in it
MODEL_WEIGHTS = np.array([0.05, 0.34, 0.16, 0.04, 0.18, 0.10, 0.08, 0.05])


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of request. capabilities: its tags; tokens: typical input and output length."""

    name: str
    capabilities: tuple[str, ...]
    input_tokens: int
    output_tokens: int


TASKS = (
    Task("chat", (), 400, 250),
    Task("write", (), 700, 600),
    Task("summarise", (), 3200, 300),
    Task("code", ("coding",), 1800, 700),
    Task("code_review", ("coding", "chain_of_thought"), 4200, 500),
    Task("code_agent", ("coding", "tool_use", "agentic_reasoning"), 6500, 800),
    Task("tool", ("tool_use",), 1500, 200),
    Task("agent", ("agentic_reasoning", "tool_use"), 4000, 500),
    Task("orchestrate", ("orchestration", "tool_use"), 3500, 400),
    Task("code_fleet", ("coding", "orchestration"), 5200, 700),
    Task("screen", ("computer_use", "vision"), 5000, 200),
    Task("image", ("vision",), 1600, 300),
    Task("chart", ("vision", "data_analysis"), 2400, 500),
    Task("table", ("data_analysis",), 2800, 500),
    Task("notebook", ("data_analysis", "coding"), 3000, 800),
    Task("reason", ("chain_of_thought",), 900, 1500),
    Task("grade", ("chain_of_thought", "data_analysis"), 2200, 250),
    Task("moderate", ("policy_sensitive",), 600, 120),
    Task("rewrite_policy", ("policy_sensitive", "chain_of_thought"), 900, 700),
    Task("extract", ("structured_output",), 2600, 300),
    Task("translate", ("translation",), 900, 900),
    Task("voice", ("audio",), 1100, 300),
)
TASK = {task.name: index for index, task in enumerate(TASKS)}

# What kinds of customer there are, how common, and what each mostly asks for (Dirichlet weights over tasks).
ARCHETYPES: dict[str, tuple[float, dict[str, float]]] = {
    "assistant": (0.24, {"chat": 5, "write": 3, "summarise": 2, "image": 0.6, "translate": 0.8, "reason": 1.1}),
    "coder": (0.20, {"code": 5, "code_review": 2, "code_agent": 3, "code_fleet": 1.5, "chat": 1, "tool": 0.7}),
    "agent": (0.10, {"agent": 3, "tool": 3, "orchestrate": 2.5, "code_agent": 1.5, "screen": 0.5, "chat": 0.5}),
    "analyst": (0.11, {"table": 4, "notebook": 2, "chart": 2, "summarise": 1, "extract": 1}),
    "support": (0.12, {"chat": 5, "tool": 1.5, "moderate": 1.2, "reason": 0.9, "translate": 1, "extract": 0.7}),
    "vision": (0.07, {"image": 5, "chart": 1, "extract": 1.5, "screen": 0.5}),
    "research": (0.08, {"reason": 4, "grade": 1.5, "summarise": 1.5, "notebook": 1, "code": 0.7}),
    "trust": (0.03, {"moderate": 5, "rewrite_policy": 1, "summarise": 0.5, "extract": 1}),
    "voice": (0.05, {"voice": 5, "chat": 2, "translate": 1}),
}


@dataclass(frozen=True, slots=True)
class Country:
    """Where an account is at home. offset_h: from UTC; weight: part of the accounts."""

    code: str
    offset_h: int
    weight: float


COUNTRIES = (
    Country("US", -6, 0.31), Country("IN", 5, 0.10), Country("GB", 0, 0.08), Country("DE", 1, 0.08),
    Country("FR", 1, 0.05), Country("BR", -3, 0.05), Country("JP", 9, 0.06), Country("KR", 9, 0.03),
    Country("CA", -5, 0.04), Country("AU", 10, 0.03), Country("NL", 1, 0.03), Country("ES", 1, 0.03),
    Country("SG", 8, 0.03), Country("PL", 1, 0.02), Country("IL", 2, 0.02), Country("VN", 7, 0.01),
    Country("NG", 1, 0.01), Country("MX", -6, 0.02),
)  # fmt: skip
OFFSET_H = np.array([country.offset_h for country in COUNTRIES], np.int64)

CLIENTS = tuple(
    f"{name}/{version}"
    for name, versions in (
        ("python-sdk", ("1.38", "1.41", "1.42", "2.0")), ("node-sdk", ("0.91", "0.94", "0.95")),
        ("curl", ("8.5", "8.7")), ("go-sdk", ("0.8", "0.9")), ("java-sdk", ("3.1", "3.2")),
        ("chainwork", ("0.3.9", "0.4.1")), ("agentkit", ("1.1", "1.2")), ("flowdesk", ("22", "23")),
        ("editor-plugin", ("5.0", "5.1", "5.2")), ("desktop", ("11.4", "11.5")), ("mobile", ("7.2", "7.3")),
        ("gateway", ("2.6", "2.7")), ("rust-client", ("0.5",)), ("php-client", ("1.9",)), ("dotnet-sdk", ("4.0",)),
        ("sheets-addon", ("3",)), ("browser-ext", ("1.7",)), ("chainwork", ("0.5.0",)), ("flowdesk", ("24",)),
    )
    for version in versions
)  # fmt: skip
OLD_CLIENTS = len(CLIENTS) - 2  # the last two come out in the log
CLIENT = {name: index for index, name in enumerate(CLIENTS)}


def capabilities_json(renamed: bool) -> list[bytes]:
    """The JSON array of each task's tags; `renamed`: after the platform called data_analysis analytics."""
    new = {"data_analysis": "analytics"} if renamed else {}
    return [
        json.dumps([new.get(tag, tag) for tag in task.capabilities], separators=(",", ":")).encode() for task in TASKS
    ]
