"""The real OpenTelemetry SDK and its exporter send to `swerve watch --listen`: what they are told is kept, is kept."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, set_span_in_context

from stream.contract.request import decode
from tests.pace import PATIENCE_S

SWERVE = [sys.executable, "-m", "stream"]
AS_A_MODEL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "atlas-4", "gen_ai.usage.input_tokens": 812}


@contextmanager
def watching(*arguments: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """A watch that receives; and where."""
    command = [*SWERVE, "watch", *arguments, "--listen", "127.0.0.1:0", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        said = next(json.loads(line) for line in running.stderr if '"receiving"' in line)
        try:
            yield running, str(said["address"])
        finally:
            running.kill()


def send_spans(address: str, accounts: range, compression: Compression = Compression.Gzip) -> None:
    """A client's span and the server's within it, of one request of each account."""
    provider = TracerProvider(resource=Resource.create({"swerve.attribute.org": "org_7"}))
    exporter = OTLPSpanExporter(f"{address}/v1/traces", compression=compression, timeout=PATIENCE_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=100))
    tracer = provider.get_tracer("test")
    for number in accounts:
        known = AS_A_MODEL | {"user.id": f"acct_{number}"}
        client = tracer.start_span("chat atlas-4", kind=SpanKind.CLIENT, attributes=known)
        within = set_span_in_context(client)
        tracer.start_span("chat atlas-4", within, SpanKind.SERVER, attributes=known).end()
        client.end()
    assert provider.force_flush(int(1_000 * PATIENCE_S))
    provider.shutdown()


def send_logs(address: str, accounts: range) -> None:
    provider = LoggerProvider()
    provider.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(f"{address}/v1/logs", timeout=PATIENCE_S))
    )
    for number in accounts:
        provider.get_logger("test").emit(
            timestamp=time.time_ns(),
            event_name="gen_ai.client.inference.operation.details",
            attributes=AS_A_MODEL | {"user.id": f"acct_{number}", "gen_ai.response.id": f"r{number}"},
        )
    assert provider.force_flush(int(1_000 * PATIENCE_S))
    provider.shutdown()


def accounts_in(log: Path) -> list[str]:
    return [decode(line).account_id for line in log.read_bytes().splitlines()]


def test_what_it_said_200_for_outlives_a_kill_and_is_counted_after_the_restart(tmp_path):
    log = tmp_path / "received.ndjson"
    with watching(str(log)) as (running, address):
        send_spans(address, range(200))
        running.kill()
    assert sorted(accounts_in(log)) == sorted(f"acct_{n}" for n in range(200))

    with watching(str(log)) as (running, address):
        send_logs(address, range(200, 250))
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0
        assert running.stderr is not None
        told = running.stderr.read()
    assert len(accounts_in(log)) == 250
    assert "0 not counted" in told.splitlines()[-1]


def test_what_is_held_in_memory_alone_is_judged_before_it_stops():
    with watching() as (running, address):
        send_spans(address, range(30), Compression.NoCompression)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0
        assert running.stderr is not None
        assert running.stderr.read().splitlines()[-1].startswith("30 records read, 0 not counted")
