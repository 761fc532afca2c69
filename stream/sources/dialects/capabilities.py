"""What did a request exercise? Tags from the tools that it was offered and how it ended; never from its text.

A gateway that tags its requests itself knows better: its tags are taken as they are, and these come behind them. What
else shows a capability (a reasoning budget, image tokens, a schema) a mapping says under `[map.evidence]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Shape:
    """What a log says of a request without its text.

    tools: types of the tools that were offered ("function", "computer_20250124", ...). finish: reasons why it ended.
    conversation: whether it continues one.
    """

    tools: tuple[str, ...] = ()
    finish: tuple[str, ...] = ()
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
    "agentic_reasoning": lambda shape: shape.conversation and bool(shape.tools),
}


def capabilities_of(shape: Shape, tagged: Iterable[str] = ()) -> list[str]:
    """The tags of a request: those given upstream first, then those that its shape shows, none twice.

    >>> capabilities_of(Shape(tools=("function", "bash_20250124")), tagged=["coding"])
    ['coding', 'tool_use']
    """
    return list(dict.fromkeys([*tagged, *(tag for tag, holds in RULES.items() if holds(shape))]))


def tool_types(tools: Any) -> tuple[str, ...]:
    """Types of the tools in a definition as the APIs take it, or of their types alone, as a list or as its JSON.

    A tool without a type counts as a function.

    >>> tool_types([{"type": "function", "function": {"name": "f"}}, {"type": "computer_20250124"}, {"name": "g"}])
    ('function', 'computer_20250124', 'function')
    >>> tool_types('["web_search_20250305"]'), tool_types("none"), tool_types(None)
    (('web_search_20250305',), (), ())
    """
    if isinstance(tools, str) and tools[:1] == "[":
        try:
            tools = orjson.loads(tools)
        except orjson.JSONDecodeError:
            return ()
    if not isinstance(tools, list):
        return ()
    types = [tool.get("type", "function") if isinstance(tool, dict) else tool for tool in tools]
    return tuple(one if isinstance(one, str) and one else "function" for one in types)
