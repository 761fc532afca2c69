"""For every preset: a fleet's traffic in its form and in ours raises the same alerts, byte for byte, as far as it goes.

`make presets-test` runs it and prints how many alert records each has; minutes, so no part of `make test`, in which
every preset is compared request by request, and two of them by their alerts.
"""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from stream.contract.request import Request, encode
from stream.simulate.scenarios import tell
from tests.mapping.test_presets_alert_the_same import alerts_of
from tests.mapping.test_presets_say_the_same import SMALL, narrowed, told
from tests.mapping.written_in import FORMS

#: Forms in which the campaign of this small fleet is seen as a network, as was measured; the others are not held to it.
TELL_OF_A_NETWORK = ("litellm",)


@pytest.fixture(scope="module")
def traffic() -> list[Request]:
    return [narrowed(one, FORMS["otlp"]) for one in told()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    (folder / "releases").write_text(json.dumps(tell("pivot", 1, **SMALL).truth.releases))
    return folder


@pytest.mark.parametrize("name", sorted(FORMS))
def test_the_alerts_are_the_same(name, traffic, folder, capsys):
    form = FORMS[name]
    ours = alerts_of(folder, "swerve", (encode(narrowed(one, form)) + b"\n" for one in traffic)).splitlines()
    theirs = alerts_of(folder, name, (orjson.dumps(form.write(one)) + b"\n" for one in traffic)).splitlines()

    kinds = sorted({json.loads(one)["kind"] for one in ours})
    assert ours, "of nothing all forms say the same: what this form holds is too little to compare"
    assert name not in TELL_OF_A_NETWORK or "coordinated_shift" in kinds
    assert theirs == ours
    with capsys.disabled():
        print(f"\n{name}: {len(traffic):,} requests, {len(ours)} alert records, the same: {', '.join(kinds)}")
