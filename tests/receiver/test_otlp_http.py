"""The receiver, as a sender sees it: what each answer promises, and that it is kept."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from stream.commands.begin.listen import Listening, listening
from stream.configuration.settings import Settings
from stream.console.health import always_ready
from stream.contract.reading.arrays import BATCH_BYTES_MAX
from stream.contract.request import Request, decode
from stream.errors import UsageError
from stream.receiver.inbox import LogFile, Memory, NoRoomError
from stream.receiver.otlp_http import AT_ONCE_MAX
from tests.receiver.otlp import CHAT, DONE_MS, attributes, chat, logs, span, spans

PROTO = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
ONE = spans(chat(1)).SerializeToString()


@asynccontextmanager
async def receiving(path: str | None = None, **http: str) -> AsyncIterator[tuple[Listening, Callable]]:
    """A receiver, and a way to post to it that gives (status, body, headers)."""
    source = listening("127.0.0.1:0", path, Settings.model_validate({"http": http}))
    async with source.served(always_ready) as health, aiohttp.ClientSession() as session:

        async def post(body: object, headers: dict = PROTO, signal: str = "traces") -> tuple[int, bytes, dict]:
            async with session.post(f"{health.address}/v1/{signal}", data=body, headers=headers) as answer:
                return answer.status, await answer.read(), dict(answer.headers)

        yield source, post


def kept(source: Listening) -> list[Request]:
    return [decode(line) for line in source.followed.take(0.0) or []]


async def test_a_batch_of_spans_is_kept_and_nothing_else_is_said():
    async with receiving() as (source, post):
        status, body, headers = await post(ONE)

        assert (status, body, headers["Content-Type"]) == (200, b"", "application/x-protobuf")
        assert [one.account_id for one in kept(source)] == ["acct_1"]


async def test_a_batch_of_logs_in_json_is_kept_and_answered_in_json():
    record = {"timeUnixNano": str(DONE_MS * 1_000_000), "attributes": [
        {"key": name, "value": {"stringValue": value}} for name, value in (CHAT | {"gen_ai.response.id": "r1"}).items()
    ]}  # fmt: skip
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    async with receiving() as (source, post):
        status, said, headers = await post(body, JSON, "logs")

        assert (status, json.loads(said), headers["Content-Type"].split(";")[0]) == (200, {}, "application/json")
        assert [one.event_id for one in kept(source)] == ["r1"]


@pytest.mark.parametrize(("signal", "response", "rejected"), [
    ("traces", ExportTraceServiceResponse, "rejectedSpans"), ("logs", ExportLogsServiceResponse, "rejectedLogRecords")
])  # fmt: skip
async def test_a_partial_success_counts_what_is_refused_and_says_why(signal, response, rejected):
    """A span of HTTP is no request, and is not refused."""
    nobody = {"user.id": "", "gen_ai.response.id": "r1"}
    known = {"gen_ai.response.id": "r2"}
    body = spans(chat(1), chat(2, user__id=""), span(3)) if signal == "traces" else logs(
        LogRecord(time_unix_nano=DONE_MS * 10**6, attributes=attributes(CHAT | nobody)),
        LogRecord(time_unix_nano=DONE_MS * 10**6, attributes=attributes(CHAT | known)),
    )  # fmt: skip
    async with receiving() as (source, post):
        status, said, _ = await post(body.SerializeToString(), signal=signal)
        partial = MessageToDict(response.FromString(said))["partialSuccess"]

        assert (status, partial[rejected], len(kept(source))) == (200, "1", 1)
        assert partial["errorMessage"].startswith("missing_field: $.account_id: expected a string, got nothing")
        assert source.receiver.refused() == {"missing_field": 1}
        assert source.receiver.refused() == {}


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_compressed_batch_is_read(coding, pack):
    async with receiving() as (source, post):
        assert (await post(pack(ONE), PROTO | {"Content-Encoding": coding}))[0] == 200
        assert len(kept(source)) == 1


async def test_a_bomb_is_inflated_no_further_than_a_batch_may_be():
    bomb = gzip.compress(bytes(BATCH_BYTES_MAX * 20))
    async with receiving() as (source, post):
        status, said, _ = await post(bomb, PROTO | {"Content-Encoding": "gzip"})

        assert (len(bomb) < BATCH_BYTES_MAX // 40, status) == (True, 413)
        assert b"expected at most 16777216 bytes, inflated" in said
        assert kept(source) == []


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b"\n\x7f" + b"\xff" * 127, PROTO, 400, b"not_protobuf: $: expected OTLP in protobuf or JSON"),
        (b"{", JSON, 400, b"not_json: $: expected one JSON object"),
        (b'{"a": 1}', JSON, 400, b"expected resourceLogs or resourceSpans, got neither"),
        (b"no gzip at all", PROTO | {"Content-Encoding": "gzip"}, 400, b""),
        (ONE, {"Content-Type": "text/plain"}, 415, b"expected application/x-protobuf or application/json"),
        (ONE, PROTO | {"Content-Encoding": "snappy"}, 415, b"plain, gzip or deflate"),
    ],
)
async def test_what_cannot_be_read_is_refused_for_good_with_its_reason(body, headers, status, said):
    async with receiving() as (source, post):
        got, text, answered = await post(body, headers)

        assert (got, said in text) == (status, True)
        assert "Retry-After" not in answered
        assert kept(source) == []


async def test_an_empty_batch_is_a_success():
    async with receiving() as (_, post):
        assert (await post(b""))[0] == 200


async def test_where_too_much_waits_to_be_judged_it_says_when_to_come_again_and_then_takes_it():
    async with receiving() as (source, post):
        assert isinstance(source.followed, Memory)
        source.followed._bytes_max = 1
        assert (await post(ONE))[0] == 200
        status, _, headers = await post(spans(chat(2)).SerializeToString())
        assert (status, int(headers["Retry-After"]) >= 1, len(kept(source))) == (429, True, 1)
        assert (await post(spans(chat(2)).SerializeToString()))[0] == 200


async def test_no_more_batches_are_in_memory_at_once_than_it_promises():
    async with receiving() as (source, post):
        begun = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield ONE[:5]
            await begun.wait()
            yield ONE[5:]

        waiting = [asyncio.create_task(post(slow())) for _ in range(AT_ONCE_MAX)]
        while source.receiver._at_once < AT_ONCE_MAX:
            await asyncio.sleep(0.01)
        assert (await post(ONE))[0] == 429
        begun.set()
        assert {status for status, *_ in await asyncio.gather(*waiting)} == {200}


async def test_while_it_stops_it_takes_nothing_more():
    async with receiving() as (source, post):
        source.close()
        status, _, headers = await post(ONE)

        assert (status, "Retry-After" in headers) == (503, True)


async def test_with_a_token_whoever_sends_must_show_it():
    async with receiving(token="t" * 20) as (source, post):
        assert (await post(ONE))[0] == 401
        assert (await post(ONE, PROTO | {"Authorization": "Bearer " + "t" * 20}))[0] == 200
        assert len(kept(source)) == 1


async def test_what_200_was_said_for_is_in_the_log(tmp_path):
    log = tmp_path / "log"
    async with receiving(str(log)) as (source, post):
        assert (await post(ONE))[0] == 200
        assert [decode(line).account_id for line in log.read_bytes().splitlines()] == ["acct_1"]
        assert len(kept(source)) == 1


def test_a_log_that_was_moved_away_is_begun_anew(tmp_path):
    log = LogFile(str(tmp_path / "log"))
    log.put([b"one"])
    (tmp_path / "log").rename(tmp_path / "log.1")
    log.put([b"two", b"three"])

    assert (tmp_path / "log.1").read_bytes() == b"one\n"
    assert (tmp_path / "log").read_bytes() == b"two\nthree\n"


def test_a_line_that_was_begun_before_a_crash_spoils_none_behind_it(tmp_path):
    (tmp_path / "log").write_bytes(b'{"whole": 1}\n{"begun')
    LogFile(str(tmp_path / "log")).put([b"next"])

    assert (tmp_path / "log").read_bytes() == b'{"whole": 1}\n{"begun\nnext\n'


def test_a_full_disk_is_said_and_nothing_is_lost_once_there_is_room():
    full = LogFile("/dev/full")
    with pytest.raises(NoRoomError, match="No space left on device"):
        full.put([b"one"])


@pytest.mark.parametrize(
    ("address", "path", "given", "said"),
    [
        ("4318", None, {}, "--listen 4318: expected HOST:PORT, as 127.0.0.1:4318"),
        ("127.0.0.1:99999", None, {}, "--listen 127.0.0.1:99999: expected HOST:PORT"),
        ("127.0.0.1:0", "-", {}, "--listen keeps what it receives in a log: expected a FILE or none, got -"),
        ("127.0.0.1:0", None, {"sources": {"dialect": "litellm"}}, "--listen takes OpenTelemetry"),
        ("127.0.0.1:0", "/nowhere/log", {}, "/nowhere/log: No such file or directory"),
    ],
)
def test_what_cannot_be_listened_with_is_said_in_a_line(address, path, given, said):
    with pytest.raises(UsageError) as caught:
        listening(address, path, Settings.model_validate(given))

    assert str(caught.value).startswith(said)
