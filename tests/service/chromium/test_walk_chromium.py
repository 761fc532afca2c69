"""The walk of docs/on-call.md: from the message to the verdict, on a phone, with every word where it should be."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from tests.console.conftest import Told, fired, holding, members, visiting
from tests.service.browser import Browser
from tests.service.chromium.walk import FOLDER, PHONE, STEPS, walk

DOCUMENT = (Path(__file__).parents[3] / "docs" / "on-call.md").read_text("utf-8")


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", picture[16:24])  # type: ignore[return-value]


@pytest.fixture
def campaign() -> Told:
    named = members(60)
    one = fired(named)
    one.carry(holding({member.account_id: [("payment", "card-net-1")] for member in named}))
    one.step(12, [member.account_id for member in named])
    return one


@pytest.mark.service("chromium")
async def test_a_message_leads_to_a_verdict_in_six_steps(campaign: Told, browser: Browser, tmp_path: Path):
    alert = campaign.desk.view.alerts()[0].last
    async with visiting(campaign.desk) as visitor:
        read = dict(zip(STEPS, await walk(campaign.desk, alert, visitor.address, browser, tmp_path), strict=True))

    assert alert.summary in read["message"]
    assert alert.summary in read["page"]
    assert "60 members" in read["network"]
    assert "Next step:" in read["next-step"]
    assert "acknowledged by kim" in read["mine"]
    assert "campaign, says kim" in read["verdict"]
    assert [size_of((tmp_path / f"{step}.png").read_bytes()) for step in STEPS] == [PHONE] * len(STEPS)


def test_the_pictures_of_the_page_are_those_of_the_walk():
    assert tuple(re.findall(r"\(pictures/walk/([\w-]+)\.png\)", DOCUMENT)) == STEPS
    assert {path.stem for path in FOLDER.iterdir()} == set(STEPS)
    assert {size_of(path.read_bytes()) for path in FOLDER.iterdir()} == {PHONE}
