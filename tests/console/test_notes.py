"""What people say of an alert stays in its history: notes, who has it, to whom it was handed over."""

from __future__ import annotations

import re
from html import unescape

import pytest

from stream.console import actions
from stream.contract.attention import NOTE, NOTES_MAX, Asked, decode_asked
from stream.contract.verdict import NOTE_MAX
from stream.errors import UsageError
from stream.oncall.attention import AttentionBook
from stream.oncall.voice import as_json

HOSTILE = "<script>alert(1)</script>"


def only(told):
    return told.desk.view.alerts()[0].last.alert_id


def timeline(page: str) -> str:
    return " ".join(
        unescape(re.sub(r"<[^>]+>", " ", re.search(r'class="timeline">(.*?)</table>', page, re.S)[1])).split()
    )


async def test_a_note_stands_in_the_history_with_its_author_and_never_as_markup(campaign, visit):
    path = f"/alerts/{only(campaign)}"
    async with visit(campaign.desk) as visitor:
        await visitor.press(path, f"{path}/note", by="kim", note=f"asked sales\n{HOSTILE}")
        page = await visitor.page(path)
        told = await visitor.json(f"/api/v1{path}")
    assert f"kim : asked sales {HOSTILE}" in timeline(page)
    assert HOSTILE not in page
    assert [(one["by"], one["note"]) for one in told["notes"]] == [("kim", f"asked sales\n{HOSTILE}")]


async def test_handing_over_names_the_next_one_and_who_gave_it_stays_in_the_history(campaign, visit):
    path = f"/alerts/{only(campaign)}"
    async with visit(campaign.desk) as visitor:
        await visitor.press(path, f"{path}/ack", by="kim")
        await visitor.press(path, f"{path}/handover", by="kim", to="lee", note="banned 40 so far")
        page = await visitor.page(path)
        _, none = await visitor.press(path, f"{path}/handover", by="kim", to="")
    assert "acknowledged by lee" in page
    assert "kim : handed over to lee: banned 40 so far" in timeline(page)
    assert "lee : has it" in timeline(page)
    assert "to: expected the name" in none


async def test_who_took_it_since_the_page_was_read_is_not_overruled_unseen(campaign, visit):
    path = f"/alerts/{only(campaign)}"
    async with visit(campaign.desk) as visitor:
        await visitor.press(path, f"{path}/ack", by="kim", had="")
        status, said = await visitor.press(path, f"{path}/ack", by="lee", had="")
        assert (status, "kim has this alert since 2026-02-05" in said) == (409, True)
        given = {"by": "max", "to": "lee", "had": "max"}
        assert (await visitor.press(path, f"{path}/handover", **given))[0] == 409
        assert 'name="had" value="kim"' in await visitor.page(path)
        assert "acknowledged by kim" in await visitor.page(path)
        await visitor.press(path, f"{path}/ack", by="lee", had="kim")
        assert "acknowledged by lee" in await visitor.page(path)


async def test_programs_note_and_hand_over_as_people_do(campaign, visit):
    path = f"/api/v1/alerts/{only(campaign)}"
    async with visit(campaign.desk) as visitor:
        _, noted = await visitor.send(f"{path}/notes", {"by": "bot", "note": "ticket 4711"})
        _, held = await visitor.send(f"{path}/handover", {"by": "bot", "to": "lee"})
        status, refused = await visitor.send(f"{path}/notes", {"note": "x" * (NOTE_MAX + 1)})
    assert noted["notes"][0]["note"] == "ticket 4711"
    assert held["acknowledged"]["by"] == "lee"
    assert (status, refused["error"]) == (400, "note: expected 1 to 4,000 characters, got 4,001")


async def test_an_alert_keeps_its_last_notes_and_an_empty_one_is_none(campaign):
    clock = iter(range(1_772_362_800_000, 1_772_362_900_000))
    campaign.desk.now_ms = lambda: next(clock)
    for number in range(NOTES_MAX + 2):
        await actions.note_down(campaign.desk, only(campaign), "kim", f"n{number}")
    kept = actions.notes(campaign.desk, only(campaign))
    assert [one.note for one in kept] == [f"n{number}" for number in range(2, NOTES_MAX + 2)]
    with pytest.raises(UsageError, match="expected 1 to"):
        await actions.note_down(campaign.desk, only(campaign), "kim", "  ")


async def test_notes_are_kept_like_an_acknowledgement_over_a_restart_and_on_the_topic(tmp_path):
    one = Asked("a1", NOTE, "kim", 1_772_362_800_000, note="said", place=3)
    path = tmp_path / "attention.json"
    await AttentionBook(path).ask(one)
    assert AttentionBook(path).notes("a1") == [one]
    assert (one.key, decode_asked(as_json(one.record()))) == ("note/3/a1", one)
