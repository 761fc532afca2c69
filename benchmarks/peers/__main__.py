"""What do others cost for a simpler job, and what does Kafka alone, beside Swerve's whole path in the same run?

`make peers`: starts a real broker as the tests do, sends one log, and lets each read it to its end alone: a bare loop,
Swerve's three stages, and every peer whose packages can be installed. Prints CPU seconds a million records.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[2]))  # the broker and the processes are those of the tests

from benchmarks.cost.sizing import records
from benchmarks.cost.sizing_kafka import PARTITIONS, worked_off
from benchmarks.peers import place
from benchmarks.peers.environments import HERE, NoPeerError, python_of, version_of
from stream.kafka import broker
from stream.kafka.broker import Found
from tests.service.broker import NoBrokerError, a_broker
from tests.service.processes import configuration, swerve
from tests.service.rig import kafka_for

PEER_S = 1_200.0  # the longest that one may take
TURNS_EVERY = 20  # of the accounts one asks for another model in the second half: something to tell
ROW = "| {:26} | {:>7} | {:>6} | {:70} | {} |"


@dataclass(frozen=True, slots=True)
class Peer:
    """One that does the job. package: whose version is told. durable: what a restart finds again."""

    name: str
    package: str
    durable: str


PEERS = (
    Peer("quix", "quixstreams", "windows and means: RocksDB, a changelog topic each; at least once"),
    Peer("bytewax", "bytewax", "windows and means: SQLite on this disk, every 10 s; no copy elsewhere"),
    Peer("faust", "faust-streaming", "windows: changelog topic, a message a change; means: nothing"),
)
BARE = Peer("nothing", "aiokafka", "nothing")
SWERVE = "frames and summaries by transactions, state by snapshots; exactly once"


def main(
    accounts: Annotated[int, typer.Option(min=1_000, help="Each sends about --rate requests an hour.")] = 10_000,
    hours: Annotated[int, typer.Option(min=2)] = 20,
    rate: Annotated[int, typer.Option(min=1, help="Requests an hour of each account.")] = 1,
    only: Annotated[str, typer.Option(help="Peers that run.")] = " ".join(peer.name for peer in PEERS),
) -> None:
    """Start a broker, run each in turn, print the table; exit 1 where there is no broker."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with a_broker() as bootstrap:
                for line in _lines(Run(bootstrap, Path(folder), accounts, hours, rate), only.split()):
                    typer.echo(line)
        except NoBrokerError as error:
            typer.echo(f"peers: {error}", err=True)
            raise typer.Exit(1) from None


def _lines(run: Run, peers: list[str]) -> Iterator[str]:
    """Each row as soon as it is measured; the ratios at last."""
    yield f"{run.records:,} records of {run.accounts:,} accounts over {run.hours} hours, {PARTITIONS} partitions"
    yield ROW.format("what", "CPU s", "alerts", "durable", "version")
    yield ROW.format("", "a M rec", "", "", "")
    bare = [run.peer(BARE, sys.executable)]
    path = run.swerve()
    bare.append(run.peer(BARE, sys.executable))
    floor, whole = statistics.mean(bare), sum(path.values())
    yield ROW.format("aiokafka and orjson.loads", f"{floor:.1f}", "-", BARE.durable, version("aiokafka"))
    for stage, seconds in path.items():
        yield ROW.format(f"Swerve: {stage}", f"{seconds:.1f}", "", "", "")
    yield ROW.format("Swerve, whole path", f"{whole:.1f}", run.alerts(), SWERVE, version("swerve"))
    found: dict[str, float] = {}
    for peer in (peer for peer in PEERS if peer.name in peers):
        try:
            found[peer.name] = run.peer(peer, python_of(peer.name))
        except NoPeerError as error:
            yield f"left out: {error}"
            continue
        pinned = f"{peer.package} {version_of(peer.name, peer.package)}"
        yield ROW.format(peer.name, f"{found[peer.name]:.1f}", run.alerts(peer), peer.durable, pinned)
    yield f"ingest against the bare loop: {floor / path['ingest']:.2f}"
    for name, seconds in found.items():
        yield f"Swerve's whole path against {name}: {whole / seconds:.2f}"


class Run:
    """One broker and one log on it; each reads it with names of its own. Seconds are of CPU, for a million records."""

    def __init__(self, bootstrap: str, folder: Path, accounts: int, hours: int, rate: int) -> None:
        self.accounts, self.hours = accounts, hours
        self.kafka = kafka_for(
            bootstrap, f"peers{os.getpid()}", partitions=PARTITIONS, flush_ms=1_000, snapshot_ms=60_000
        )
        self.folder = folder
        self.config = configuration(folder, self.kafka)
        swerve("topics", "create", "--partitions", str(PARTITIONS), "--config", str(self.config))
        self.records = asyncio.run(self._send(list(_log(accounts, hours, rate))))

    async def _send(self, log: list[bytes]) -> int:
        """Keyed by account: what the peers need in order to count an account in one place."""
        number = re.compile(rb'"account_id":"acct_(\d+)"')
        await broker.create_topics(self.kafka, {self._alerts(peer): Found(1, 1) for peer in PEERS})
        async with broker.producer(self.kafka, linger_ms=50) as producer:
            for line in log:
                account = number.search(line)[1]
                await producer.send(self.kafka.topics.requests, line, key=account, partition=int(account) % PARTITIONS)
            await producer.flush()
        return len(log)

    def swerve(self) -> Mapping[str, float]:
        """Of each stage, in its order."""
        return {name: 1e6 * seconds for name, seconds in worked_off(self.config, self.folder, self.records).items()}

    def peer(self, peer: Peer, python: str) -> float:
        """From when it had loaded everything until it ended. Raises NoPeerError where it fails, or does not end."""
        log = self.folder / f"{peer.name}.log"
        with tempfile.TemporaryDirectory(dir=self.folder) as own, log.open("wb") as out:
            if peer.name == "bytewax":
                subprocess.run([python, "-m", "bytewax.recovery", own, "1"], check=True)
            process = subprocess.Popen(
                [python, *_arguments(peer, own)], cwd=HERE, stdout=out, stderr=out, env=self._environment(peer)
            )
            spent_s, code = _until_it_ended(process)
        said = log.read_text(errors="replace")
        begun = re.search(rf"^{place.BEGUN}([\d.]+)$", said, re.MULTILINE)
        if code or begun is None:
            raise NoPeerError(f"{peer.name} ended with {code}: {said[-2000:]}")
        return 1e6 * (spent_s - float(begun[1])) / self.records

    def alerts(self, peer: Peer | None = None) -> str:
        """How many it told; Swerve's where no peer is named."""
        topic = self.kafka.topics.alerts if peer is None else self._alerts(peer)
        return f"{sum(asyncio.run(broker.ends(self.kafka, topic)).values()):,}"

    def _alerts(self, peer: Peer) -> str:
        return f"{self.kafka.topics.alerts}.{peer.name}"

    def _environment(self, peer: Peer) -> dict[str, str]:
        return os.environ | {
            "PEER_BOOTSTRAP": self.kafka.bootstrap_servers,
            "PEER_REQUESTS": self.kafka.topics.requests,
            "PEER_ALERTS": self._alerts(peer),
            "PEER_NAME": f"{self.kafka.topics.alerts}-{peer.name}",
            "PEER_RECORDS": str(self.records),
            "PEER_PARTITIONS": str(PARTITIONS),
            "PYTHONPATH": str(HERE),
        }


def _arguments(peer: Peer, folder: str) -> tuple[str, ...]:
    """After its Python, as its documentation starts it."""
    if peer.name == "bytewax":
        return ("-m", "bytewax.run", f"with_{peer.name}", "-r", folder, "-s", "10", "-b", "0")
    if peer.name == "faust":
        return ("-m", "faust", "-A", f"with_{peer.name}", "worker", "-l", "warn", "--without-web")
    return (f"with_{peer.name}.py",)


def _until_it_ended(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """(CPU seconds with those of its children, exit code); killed where it takes too long."""
    timer = threading.Timer(PEER_S, process.kill)
    timer.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, process.returncode


def _log(accounts: int, hours: int, rate: int) -> Iterator[bytes]:
    """The traffic of `sizing`, in whose second half one account in TURNS_EVERY asks for another model."""
    lines = [line for batch in records(accounts, hours, rate=rate) for line in batch]
    asks = re.compile(rb'"acct_(\d+)","model":"[^"]*"')

    def turned(found: re.Match[bytes]) -> bytes:
        return found[0] if int(found[1]) % TURNS_EVERY else b'"acct_%s","model":"model-new"' % found[1]

    yield from lines[: len(lines) // 2]
    yield from (asks.sub(turned, line) for line in lines[len(lines) // 2 :])


if __name__ == "__main__":
    typer.run(main)
