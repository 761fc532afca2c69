"""A campaign in a gateway's log raises the alerts that it raises in our own form, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from stream import cli
from stream.contract.request import Request, encode
from stream.simulate.scenarios import tell
from tests.mapping.test_presets_say_the_same import SMALL, narrowed, told
from tests.mapping.written_in import FORMS
from tests.receiver.otlp import in_proto, span_in_proto

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def held() -> list[Request]:
    """What of a small fleet's traffic both forms hold: all but what hashes a prompt."""
    return [narrowed(one, FORMS["litellm"]) for one in told()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    (folder / "releases").write_text(json.dumps(tell("pivot", 1, **SMALL).truth.releases))
    return folder


def alerts_of(folder: Path, dialect: str, records: Iterable[bytes]) -> bytes:
    log, alerts = folder / dialect, folder / f"{dialect}.alerts"
    with log.open("wb") as file:
        file.writelines(records)
    words = ["--dialect", dialect, "--releases", str(folder / "releases"), "--alerts", str(alerts)]
    assert cli.run(["backtest", str(log), *words]) == 0
    return alerts.read_bytes()


@pytest.fixture(scope="module")
def ours(folder, held) -> bytes:
    return alerts_of(folder, "swerve", (encode(one) + b"\n" for one in held))


def test_in_our_own_form_the_campaign_raises_alerts(ours):
    assert b"coordinated_shift" in ours


def test_a_log_of_litellm_gives_the_same_alerts(folder, held, ours):
    written = (orjson.dumps(FORMS["litellm"].write(one)) + b"\n" for one in held)

    assert alerts_of(folder, "litellm", written).splitlines() == ours.splitlines()


def test_messages_of_otlp_in_protobuf_give_the_same_alerts(folder, held, ours):
    written = [FORMS["otlp"].write(one) for one in held]
    messages = [span_in_proto(one) for one in written]
    each_hundredth = slice(None, None, 100)
    assert messages[each_hundredth] == [in_proto(orjson.dumps(one)) for one in written[each_hundredth]]
    framed = (len(one).to_bytes(4, "big") + one for one in messages)

    assert alerts_of(folder, "otlp_proto", framed).splitlines() == ours.splitlines()
