"""Where do the tests get a real Apache Kafka from? One that is given, else Maven's jars, else Docker, else nowhere."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn, TypeVar

from tests.pace import PATIENCE_S
from tests.ports import free_port

HERE = Path(__file__).parent / "kafka"
REPOSITORY = Path(__file__).parents[2]
IMAGE = "apache/kafka:4.3.1"
CLUSTER = "AAAAAAAAAAAAAAAAAAAAAA"  # any 16 bytes in base64url
JAVA_MIN = 17
JAVA = ("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # starts in half the time of one that means to stay
DOWNLOAD_S = 300.0

Running = TypeVar("Running")


class NoBrokerError(Exception):
    """No way to a broker on this machine; the text says which were tried and what is missing."""


class Broker:
    """One running Kafka node from jars, with a folder of its own. `stop` ends it and removes the folder."""

    def __init__(self, jars: Path, scram: str | None = None) -> None:
        """Format and start; `scram` is "name=...,password=..." of a user for SCRAM-SHA-512."""
        self.jars = jars
        self.folder = Path(tempfile.mkdtemp(prefix="swerve-kafka-"))
        self.port, controller = free_port(), free_port()
        text = (HERE / "server.properties").read_text()
        text = text.replace("19092", str(self.port)).replace("19093", str(controller))
        (self.folder / "server.properties").write_text(f"{text}\n{self.properties(controller)}\n")
        self._java_once("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", "server.properties", *_scram(scram))
        self.process = self.start()

    def properties(self, controller: int) -> str:
        """What is set beside ours; of a key that comes twice the last counts."""
        return ""

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the node in its folder (again, after a kill) and wait until it answers."""
        log = (self.folder / "broker.log").open("ab")
        self.process = subprocess.Popen(
            [*JAVA, "-Xmx256m",
             "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
             "-cp", f"{self.jars}/*", "kafka.Kafka", "server.properties"],
            cwd=self.folder, stdout=log, stderr=log,
        )  # fmt: skip
        wait_for_port(self.port, self.process, self.folder / "broker.log")
        return self.process

    def stop(self) -> None:
        """End the node; its data goes with it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _java_once(self, *arguments: str) -> None:
        command = [*JAVA, "-Xmx128m", "-cp", f"{self.jars}/*", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE_S)
        if done.returncode:
            raise NoBrokerError(f"{arguments[0]} failed: {done.stderr[-2000:]}")


def _scram(scram: str | None) -> tuple[str, ...]:
    return ("--add-scram", f"SCRAM-SHA-512=[{scram}]") if scram else ()


def wait_for_port(port: int, process: subprocess.Popen[bytes] | None, log: Path | None) -> None:
    """Until something accepts connections; NoBrokerError with the end of the log where the process died, or in time."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and (process is None or process.poll() is None):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-2000:] if log else ""
    raise NoBrokerError(f"the broker did not answer on port {port}: {said}")


def why_no_java() -> str | None:
    """None where Java 17 and Maven are; else what is missing."""
    missing = [program for program in ("java", "mvn") if not shutil.which(program)]
    if missing:
        return f"{' and '.join(missing)} not installed"
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=PATIENCE_S).stderr
    version = said.split('"')[1] if '"' in said else "0"
    major = int(version.split(".")[0].split("-")[0] or 0)
    return None if major >= JAVA_MIN else f"Java {version} is too old, {JAVA_MIN} is needed"


def jars() -> Path:
    """Kafka's jars, downloaded once by Maven into the clone's .cache; NoBrokerError when that fails."""
    pom = HERE / "pom.xml"
    kept = REPOSITORY / ".cache" / f"kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if kept.is_dir():
        return kept
    kept.parent.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="kafka-", dir=kept.parent))
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies",
               f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_S)
    except subprocess.TimeoutExpired:
        raise NoBrokerError(f"Maven did not download Kafka within {DOWNLOAD_S:.0f} s") from None
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise NoBrokerError(f"Maven could not download Kafka: {(done.stdout + done.stderr)[-500:]}")
    with contextlib.suppress(OSError):  # another run was faster
        fresh.rename(kept)
    return kept


def why_no_docker() -> str | None:
    """None where a Docker daemon answers; a `docker` program alone means nothing."""
    if not shutil.which("docker"):
        return "docker not installed"
    done = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=PATIENCE_S)
    return None if done.returncode == 0 else "no Docker daemon answers"


@contextlib.contextmanager
def from_docker() -> Iterator[str]:
    """A node in a container, removed afterwards."""
    port = free_port()
    listeners = f"PLAINTEXT://:{port},CONTROLLER://:9093"
    lines = (HERE / "server.properties").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    settings |= {
        "listeners": listeners,
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": "1@localhost:9093",
        "log.dirs": "/tmp/kafka-data",
    }
    variables = [f"--env=KAFKA_{key.upper().replace('.', '_')}={value}" for key, value in settings.items()]
    command = ["docker", "run", "--detach", "--rm", f"--publish={port}:{port}", *variables, IMAGE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_S)
    if done.returncode:
        raise NoBrokerError(f"docker run {IMAGE}: {done.stderr[-500:]}")
    try:
        wait_for_port(port, None, None)
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run(["docker", "kill", done.stdout.strip()], capture_output=True, timeout=PATIENCE_S)


@contextlib.contextmanager
def a_broker() -> Iterator[str]:
    """Bootstrap servers of a real Kafka: KAFKA_BOOTSTRAP, else jars, else Docker, else NoBrokerError."""
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
        return
    no_java = why_no_java()
    if no_java is None:
        with breakable() as broker:
            yield broker.bootstrap
        return
    no_docker = why_no_docker()
    if no_docker is not None:
        raise NoBrokerError(f"KAFKA_BOOTSTRAP is not set; {no_java}; {no_docker}")
    with from_docker() as bootstrap:
        yield bootstrap


@contextlib.contextmanager
def breakable() -> Iterator[Broker]:
    """A real Kafka that may be killed and started again: from jars, else NoBrokerError."""
    no_java = why_no_java()
    if no_java is not None:
        raise NoBrokerError(f"a broker that may be killed is started from jars: {no_java}")
    broker = Broker(jars())
    try:
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def or_unavailable(
    starting: AbstractContextManager[Running], unavailable: Callable[[str, str], NoReturn]
) -> Iterator[Running]:
    """What `starting` gives, until the end; the test is skipped, or fails, where no broker can be had."""
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(starting)
        except NoBrokerError as error:
            unavailable("kafka", str(error))
        yield running
