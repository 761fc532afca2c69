"""The watch list on the console: a page, a place on the account's page, and the same as JSON; it follows the judge."""

from __future__ import annotations

import re

import orjson

from tests.console.conftest import HOSTILE, T0, watched

ROWS = (watched("acct_9", others=4, because="ip_prefix=campus"), watched(HOSTILE, requests_usual=None))


async def test_before_the_first_list_the_page_says_why_it_is_empty(quiet, visit):
    async with visit(quiet.desk) as visitor:
        page = await visitor.page("/watchlist")
    assert "after three days of history" in page


async def test_the_page_shows_every_row_with_its_numbers_and_no_name_as_markup(quiet, visit):
    quiet.fleet.judge.watch.rows = ROWS
    quiet.step(12, ["acct_9"])
    async with visit(quiet.desk) as visitor:
        page = await visitor.page("/watchlist")
    for said in ("acct_9", "coding", "4%", "52%", "0.6%", "210", "96.4", "4 more, ip_prefix=campus", "none yet"):
        assert said in page, said
    assert HOSTILE not in page
    assert "never pages" in page


async def test_an_accounts_page_says_its_place_and_that_this_is_no_alert(quiet, visit):
    quiet.fleet.judge.watch.rows = ROWS
    quiet.step(12, ["acct_1", "acct_9"])
    async with visit(quiet.desk) as visitor:
        page = await visitor.page("/account?id=acct_9")
        _, other = await visitor.get("/account?id=acct_1")
    assert 'Place 1 on the <a href="/watchlist">' in page
    assert "A list to read, no alert" in page
    assert "A list to read, no alert" not in other


async def test_programs_get_the_list_and_an_accounts_row(quiet, visit):
    quiet.fleet.judge.watch.rows = ROWS
    quiet.step(12, ["acct_9"])
    async with visit(quiet.desk) as visitor:
        told = await visitor.json("/api/v1/watchlist")
        one = await visitor.json("/api/v1/accounts/acct_9")
        none = await visitor.json("/api/v1/accounts/acct_1")
        described = (await visitor.json("/api/v1/openapi.json"))["components"]["schemas"]["Watched"]["properties"]
    assert [row["account_id"] for row in told["accounts"]] == ["acct_9", HOSTILE]
    assert one["watched"] == told["accounts"][0]
    assert "no account" in none["error"]
    assert told["accounts"][0].keys() == described.keys()
    assert (told["accounts"][0]["place"], told["accounts"][0]["since"]) == (1, T0)
    assert told["accounts"][0]["target"] == {"kind": "capability", "id": "coding"}


async def test_a_list_that_was_restored_is_shown_before_the_next_tick(quiet, visit):
    quiet.fleet.judge.watch.rows = ROWS
    quiet.desk.view.follow(quiet.fleet)
    assert quiet.desk.view.watched == ROWS


async def test_the_list_can_be_taken_away_as_a_table_with_times_that_programs_read(quiet, visit):
    quiet.fleet.judge.watch.rows = (watched("=1+1"),)
    quiet.step(12, ["acct_9"])
    async with visit(quiet.desk) as visitor:
        assert 'href="/api/v1/watchlist?format=csv"' in await visitor.page("/watchlist")
        status, table = await visitor.get("/api/v1/watchlist?format=csv")
    head, row = table.splitlines()
    told = dict(zip(head.replace('"', "").split(","), row.replace('"', "").split(","), strict=True))
    assert (status, told["account_id"], told["since"]) == (200, "'=1+1", "2026-02-05T03:00:00.000Z")


async def test_the_list_is_filtered_and_sorted_and_its_export_holds_what_is_shown(quiet, visit):
    quiet.fleet.judge.watch.rows = (watched("b_1", requests=5), watched("a_1", requests=9), watched("c_2"))
    quiet.step(12, ["acct_9"])
    async with visit(quiet.desk) as visitor:
        page = await visitor.page("/watchlist?q=_1&sort=-requests")
        _, lines = await visitor.get("/api/v1/watchlist?q=_1&sort=-requests&format=ndjson")
        none = await visitor.page("/watchlist?q=nobody")
    told = [orjson.loads(one) for one in lines.splitlines()]
    assert re.findall(r'/account\?id=(\w+)"', page) == ["a_1", "b_1"]
    assert [(one["account_id"], one["place"]) for one in told] == [("a_1", 2), ("b_1", 1)]
    assert told[0]["since"] == "2026-02-05T03:00:00.000Z"
    assert "/api/v1/watchlist?q=_1&amp;sort=-requests&amp;format=ndjson" in page
    assert "None of the 3 has “nobody”" in none
