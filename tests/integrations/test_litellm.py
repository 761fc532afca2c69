"""A real LiteLLM proxy with the shipped callback writes what Swerve reads, and no text of anybody.

It needs LiteLLM with its proxy: in this interpreter, or in the one that SWERVE_LITELLM_PYTHON names. Without it these
tests are skipped, and say so: `make litellm-test` installs it beside, in the versions of litellm.txt.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stream.contract.request import Request, decode
from stream.mapping.named import read_by
from tests.pace import PATIENCE_S
from tests.ports import free_port

CALLBACK = Path(__file__).parents[2] / "integrations" / "litellm" / "swerve_callback.py"
PYTHON = os.environ.get("SWERVE_LITELLM_PYTHON") or (sys.executable if importlib.util.find_spec("litellm") else None)
START_S = 2 * PATIENCE_S  # the proxy imports for many seconds of a processor before it listens
KEY = "a key of the hashes, of this test"
SAID = "WHAT A CUSTOMER SAID"
TOLD = "WHAT THE SYSTEM WAS TOLD"
ANSWERED = "WHAT THE MODEL ANSWERED"
CALLED = "WHAT A TOOL IS FOR"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PYTHON is None, reason="no LiteLLM here; make litellm-test"),
]

CONFIG = f"""
model_list:
  - model_name: atlas-4
    litellm_params: {{model: openai/provider-atlas-4, api_key: none, mock_response: "{ANSWERED}"}}
litellm_settings:
  callbacks: ["swerve_callback.swerve", "beside.payloads"]
  turn_off_message_logging: REDACTED
general_settings:
  custom_auth: beside.who
"""
# Who has which key, and LiteLLM's own payload beside what the callback writes.
BESIDE = """
import json
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import UserAPIKeyAuth


async def who(request, api_key):
    return UserAPIKeyAuth(
        api_key=api_key, user_id=api_key.replace("sk-", "acct_"), org_id="org_7", team_id="team_1",
        metadata={"payment": "4111-1111", "country": "DE"},
    )


class Payloads(CustomLogger):
    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        with open("payloads.ndjson", "a") as file:
            file.write(json.dumps(kwargs["standard_logging_object"], default=str) + chr(10))


payloads = Payloads()
"""
TOOLS = [{"type": "function", "function": {"name": "f", "description": CALLED, "parameters": {"type": "object"}}}]


def asked(port: int, key: str, **body: Any) -> None:
    given = {"model": "atlas-4", "messages": [{"role": "user", "content": SAID}]} | body
    headers = {
        "content-type": "application/json", "authorization": f"Bearer {key}", "user-agent": "openai-python/1.52.0 (x)",
    }  # fmt: skip
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    with urllib.request.urlopen(
        urllib.request.Request(url, json.dumps(given).encode(), headers), timeout=PATIENCE_S
    ) as answer:
        assert ANSWERED in answer.read().decode()


def until(holds: Any, said: Any, seconds: float = PATIENCE_S) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, said()
        time.sleep(0.3)


def is_up(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5):
            return True
    except OSError:
        return False


def lines_of(path: Path) -> list[bytes]:
    """The lines that are written to their ends."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


@pytest.fixture(scope="module", params=["messages are logged", "messages are redacted"])
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A proxy that was asked by two keys: twice with one kit, once with another, once without, once for no model."""
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    (folder / "swerve_callback.py").write_bytes(CALLBACK.read_bytes())
    (folder / "beside.py").write_text(BESIDE)
    redacted = "redacted" in request.param
    (folder / "config.yaml").write_text(CONFIG.replace("REDACTED", str(redacted).lower()))
    environment = os.environ | {
        "SWERVE_HASH_KEY": KEY, "SWERVE_LOG": str(folder / "swerve.ndjson"), "PYTHONPATH": str(folder),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # Keys are known by custom_auth here; without a master key the proxy wants to be told that this is meant.
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }  # fmt: skip
    command = [str(PYTHON), "-c", "from litellm import run_server; run_server()", "--config", "config.yaml"]
    with open(folder / "proxy.log", "wb") as out:
        running = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)], cwd=folder, env=environment, stdout=out, stderr=out
        )
    try:
        told = folder / "proxy.log"
        until(lambda: is_up(port) or running.poll() is not None, lambda: told.read_text()[-3000:], START_S)
        assert running.poll() is None, told.read_text()[-3000:]
        system = {"role": "system", "content": TOLD}
        said = {"role": "user", "content": SAID}
        for key in ("sk-1", "sk-2"):
            asked(port, key, messages=[system, said], tools=TOOLS, reasoning_effort="high", user="end_1")
        asked(port, "sk-1", messages=[system, said])
        asked(port, "sk-1")
        with pytest.raises(urllib.error.HTTPError):
            asked(port, "sk-1", model="no-such-model")
        until(lambda: len(lines_of(folder / "swerve.ndjson")) >= 4, lambda: told.read_text()[-3000:])
        until(lambda: len(lines_of(folder / "payloads.ndjson")) >= 4, lambda: "no payloads")
        yield SimpleNamespace(folder=folder, redacted=redacted)
    finally:
        running.terminate()
        running.wait(30)


def requests_of(proxy: SimpleNamespace) -> list[Request]:
    return sorted((decode(raw) for raw in lines_of(proxy.folder / "swerve.ndjson")), key=lambda one: one.at_ms)


def test_every_completed_request_is_one_record_of_the_contract(proxy):
    requests = requests_of(proxy)

    assert [one.account_id for one in requests] == ["acct_1", "acct_2", "acct_1", "acct_1"]
    assert {one.model for one in requests} == {"atlas-4"}
    assert len({one.event_id for one in requests}) == 4
    first = requests[0].attributes
    assert (first["org"], first["country"], first["client"]) == ("org_7", "DE", "openai-python/1.52.0")


def test_one_kit_has_one_hash_whoever_uses_it_and_another_has_another(proxy):
    ours, theirs, without_tools, bare = (one.attributes.get("template") for one in requests_of(proxy))

    assert ours == theirs
    assert ours is not None
    assert without_tools not in (None, ours)
    assert bare is None


def test_no_text_of_messages_answers_or_tools_and_no_payment_is_written(proxy):
    written = (proxy.folder / "swerve.ndjson").read_bytes()

    for text in (SAID, TOLD, ANSWERED, CALLED, "4111-1111", KEY):
        assert text.encode() not in written
    log = (proxy.folder / "proxy.log").read_text(errors="replace")
    assert not [line for line in log.splitlines() if "swerve" in line and (SAID in line or TOLD in line)]


def test_it_says_what_the_payload_says_and_what_is_missing_there_besides(proxy):
    """The callback's own table of tags and ours are held to one another by the payload of the same requests."""
    payloads = [one for raw in lines_of(proxy.folder / "payloads.ndjson") for one in read_by("litellm")(raw)]
    by_event = {one.event_id: one for one in payloads if isinstance(one, Request)}
    for request in requests_of(proxy):
        payload = by_event[request.event_id]
        assert set(request.capabilities) == set(payload.capabilities)
        assert (request.model, request.account_id, request.at_ms) == (payload.model, payload.account_id, payload.at_ms)
        added = {"template", "payment"}
        assert {k: v for k, v in request.attributes.items() if k not in added} == {
            k: v for k, v in payload.attributes.items() if k not in added
        }


def test_it_holds_nothing_of_a_request_that_has_ended():
    """Run beside LiteLLM itself: what is held between begin and end is a hash, and nothing after it."""
    code = f"""
import asyncio, os, pickle, sys
sys.path.insert(0, {str(CALLBACK.parent)!r})
os.environ |= {{"SWERVE_HASH_KEY": {KEY!r}, "SWERVE_LOG": "/dev/null"}}
from swerve_callback import swerve
system, said = {{"role": "system", "content": {TOLD!r}}}, {{"role": "user", "content": {SAID!r}}}
data = {{"litellm_call_id": "c1", "messages": [system, said]}}
asyncio.run(swerve.async_pre_call_hook(None, None, data, "completion"))
assert [len(one) for one in swerve._template_of.values()] == [32]
held = repr(vars(swerve))
assert {TOLD!r} not in held and {SAID!r} not in held
asyncio.run(swerve.async_log_failure_event({{"litellm_call_id": "c1"}}, None, None, None))
assert not swerve._template_of
print("held nothing")
"""
    done = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert done.stdout.strip() == "held nothing", done.stderr[-2000:]


def test_without_its_environment_the_proxy_does_not_start():
    command = [str(PYTHON), "-c", "import swerve_callback"]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("SWERVE_")}
    done = subprocess.run(
        command, cwd=CALLBACK.parent, env=bare, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )

    assert "SWERVE_HASH_KEY: expected 16 characters or more, got 0" in done.stderr
