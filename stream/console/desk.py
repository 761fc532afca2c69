"""What do all pages of one process share? The read model, the door, and the voice once there is one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import jinja2

from stream.configuration.settings import Settings
from stream.console.door import Door
from stream.console.health import always_ready
from stream.console.shown.look import environment
from stream.console.shown.view import View
from stream.oncall.voice import Voice

Drawn = TypeVar("Drawn")


@dataclass(slots=True)
class Desk:
    """The console of one process. voice: None while it judges nothing, as a worker that stands by.

    ready: None, or why this process does not do its work; the only red on a page. now_ms: the wall's clock.
    """

    settings: Settings
    view: View = field(init=False)
    door: Door = field(init=False)
    voice: Voice | None = None
    ready: Callable[[], str | None] = always_ready
    now_ms: Callable[[], int] = lambda: int(1000 * time.time())
    templates: jinja2.Environment = field(default_factory=environment)
    noting: asyncio.Lock = field(default_factory=asyncio.Lock)  # two notes at once must not take one place
    _drawn: dict[str, tuple[int, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.view = View(self.settings.parameters)
        self.door = Door(self.settings.http)

    def once_a_tick(self, name: str, draw: Callable[[], Drawn]) -> Drawn:
        """What `draw` gives, drawn anew only where a tick was judged since."""
        at_ms = self.view.pulse.at_ms
        kept = self._drawn.get(name)
        if kept is None or kept[0] != at_ms:
            kept = self._drawn[name] = (at_ms, draw())
        return cast(Drawn, kept[1])

    @property
    def at_ms(self) -> int:
        """Now by the stream's clock; by the wall's before the first tick."""
        return self.view.pulse.at_ms or self.now_ms()
