"""How does a long-running stage start, say how it is, and stop? Around every Kafka stage, whatever it does."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.metadata
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.configuration.memory import MB, given_bytes, state_bytes
from stream.configuration.sections import Http
from stream.configuration.settings import Settings
from stream.console.health import Health
from stream.stages.deadline import Deadline
from stream.telemetry import log, metrics

if TYPE_CHECKING:
    from stream.console.desk import Desk

GARBAGE_AFTER = (50_000, 20, 50)  # new objects, then rounds, before Python looks for garbage: young, older, all
RESUMED_MAX = 12  # partitions that one line names
PORTS = {"ingest": 8322, "detect": 8323, "correlate": 8321}
_log = log.get("swerve.stage")


@dataclass(slots=True)
class Running:
    """One process: asked to stop or not, and why each of its stages is not ready (nothing: all are).

    health: its HTTP server. desk: its console, where correlate is among the stages. kafka: the brokers that it is for.
    unwritten: of each stage, what it has taken and not stored, in words. ends: told, once, why the process is to end.
    memory: bytes that the state of each stage may hold; as much as it likes where it is not said.
    """

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[str, str] = field(default_factory=dict)
    health: Health | None = None
    desk: Desk | None = None
    kafka: str = ""
    unwritten: dict[str, Callable[[], str]] = field(default_factory=dict)
    ends: Callable[..., None] = lambda why, failure="": None
    memory: Mapping[str, float] = field(default_factory=dict)

    def waits(self, stage: str, reason: str) -> None:
        """The stage does not do its work now, and why."""
        self.waiting[stage] = reason
        metrics.ready(stage, False)

    def ready(self, stage: str, resumes: str) -> None:
        """The stage does its work: one line says what it is connected to, and from where it goes on."""
        if self.waiting.pop(stage, None) is not None:
            metrics.ready(stage, True)
            _log.info("ready", stage=stage, kafka=self.kafka, resumes=resumes)

    def why_not(self) -> str | None:
        """The answer of /readyz."""
        return "; ".join(f"{stage}: {reason}" for stage, reason in sorted(self.waiting.items())) or None

    async def stopping(self, seconds: float) -> bool:
        """Wait so long; True as soon as the process is asked to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), seconds)
        return self.stop.is_set()


def resumed(topic: str, positions: Mapping[int, int]) -> str:
    """From where a stage goes on, by partition, the first dozen in words.

    >>> resumed("frames", {1: 0, 0: 1204})
    'frames[0] at 1204, frames[1] at 0'
    >>> resumed("summaries", {})
    'no partition of summaries: stands by'
    """
    if not positions:
        return f"no partition of {topic}: stands by"
    told = [f"{topic}[{partition}] at {offset}" for partition, offset in sorted(positions.items())]
    more = f" and {len(told) - RESUMED_MAX} more" if len(told) > RESUMED_MAX else ""
    return ", ".join(told[:RESUMED_MAX]) + more


Work = Callable[[Settings, Running], Coroutine[Any, Any, None]]


def http_of(settings: Settings, stages: Sequence[str], port: int | None) -> Http:
    """Where the stages serve: at the port that was asked for, else configured, else the stage's own.

    >>> from stream.configuration.settings import Settings
    >>> http_of(Settings(), ["detect"], None).port, http_of(Settings(), ["detect"], 9000).port
    (8323, 9000)
    """
    if port is not None:
        return settings.http.model_copy(update={"port": port})
    if "port" in settings.http.model_fields_set or len(stages) > 1:
        return settings.http
    return settings.http.model_copy(update={"port": PORTS[stages[0]]})


def run(settings: Settings, work: Mapping[str, Work], port: int | None = None) -> None:
    """Run the stages until SIGTERM or SIGINT, or until one fails; what it raised is raised here."""
    if "correlate" in work:
        from stream.sinks.catalogue import check

        check(settings)
    log.set_up()
    look_seldom_for_garbage()
    asyncio.run(_run(settings, work, http_of(settings, list(work), port)))


def look_seldom_for_garbage() -> None:
    """Keep Python's search for cycles from looking at everything again and again while state is built.

    Millions of objects stay for days here, and every thread stands still while they are looked at.
    """
    gc.set_threshold(*GARBAGE_AFTER)


async def _run(settings: Settings, work: Mapping[str, Work], http: Http) -> None:
    given = given_bytes(settings.limits.memory_mb)
    running = Running(kafka=settings.kafka.bootstrap_servers, memory=state_bytes(given, list(work)))
    running.ends = Deadline(settings.kafka.stop_ms / 1000, running.unwritten).begin
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, running, number.name)
    metrics.serving(list(work), importlib.metadata.version("swerve"))
    for stage in work:
        running.waits(stage, "starts")
    served = Health(http, ready=running.why_not)
    if "correlate" in work:
        running.desk = _console(settings, running, served)
    async with served as health:
        running.health = health
        version = importlib.metadata.version("swerve")
        _log.info(
            "serving",
            stages=list(work),
            version=version,
            address=health.address,
            kafka=running.kafka,
            memory_mb=given // MB,
            state_mb={stage: round(held / MB) for stage, held in running.memory.items()},
        )
        await _until_the_first_ends([asyncio.create_task(one(settings, running)) for one in work.values()], running)
    _log.info("stopped", stages=list(work))


def _end(running: Running, why: str) -> None:
    running.ends(why)
    running.stop.set()


def _console(settings: Settings, running: Running, served: Health) -> Desk:
    """Its pages are added before HTTP starts; what they show comes with the first partition."""
    from stream.console.desk import Desk
    from stream.console.routes.site import attach

    desk = Desk(settings, ready=running.why_not)
    attach(desk, served.app)
    return desk


async def _until_the_first_ends(tasks: Sequence[asyncio.Task[None]], running: Running) -> None:
    """A stage that ends, in peace or not, ends the process: half a process would look healthy."""
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    _end(running, "a stage had ended")
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
