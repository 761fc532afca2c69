"""What did a request exercise? Tags from its shape, by one table; never from its text.

A gateway that tags its requests itself knows better: its tags are taken as they are, and these come behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """What a log says of a request without its text.

    tools: types of the tools that were offered ("function", "computer_20250124", ...). finish: reasons why it ended.
    The rest are flags: image or audio parts, a reasoning budget or reasoning tokens, a schema for the answer, and
    whether it continues a conversation.
    """

    tools: tuple[str, ...] = ()
    finish: tuple[str, ...] = ()
    images: bool = False
    audio: bool = False
    reasoning: bool = False
    schema: bool = False
    conversation: bool = False


def _offers(*prefixes: str) -> Callable[[Shape], bool]:
    return lambda shape: any(tool.startswith(prefixes) for tool in shape.tools)


#: Tag -> what it takes.
RULES: dict[str, Callable[[Shape], bool]] = {
    "tool_use": lambda shape: bool(shape.tools) or any(reason.startswith("tool") for reason in shape.finish),
    "computer_use": _offers("computer_", "computer-use"),
    "coding": _offers("bash", "text_editor", "code_execution", "code_interpreter", "shell", "apply_patch"),
    "web_search": _offers("web_search", "web_fetch"),
    "retrieval": _offers("file_search"),
    "vision": lambda shape: shape.images,
    "audio": lambda shape: shape.audio,
    "chain_of_thought": lambda shape: shape.reasoning,
    "structured_output": lambda shape: shape.schema,
    "agentic_reasoning": lambda shape: shape.conversation and bool(shape.tools),
}


def capabilities_of(shape: Shape, tagged: Iterable[str] = ()) -> list[str]:
    """The tags of a request: those given upstream first, then those that its shape shows, none twice.

    >>> capabilities_of(Shape(tools=("function", "bash_20250124"), reasoning=True), tagged=["coding"])
    ['coding', 'tool_use', 'chain_of_thought']
    """
    return list(dict.fromkeys([*tagged, *(tag for tag, holds in RULES.items() if holds(shape))]))


def tool_types(tools: Any) -> tuple[str, ...]:
    """Types of the tools in a definition as the APIs take it: a list of objects with `type`; others count by name.

    >>> tool_types([{"type": "function", "function": {"name": "f"}}, {"type": "computer_20250124"}, {"name": "g"}])
    ('function', 'computer_20250124', 'function')
    """
    if not isinstance(tools, list):
        return ()
    types = [tool.get("type", "function") for tool in tools if isinstance(tool, dict)]
    return tuple(one if isinstance(one, str) else "function" for one in types)
