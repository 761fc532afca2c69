"""What is posted to Alertmanager: identity in labels that never change, all else in annotations."""

from __future__ import annotations

from datetime import datetime

import pytest

from stream.sinks.alertmanager import Alertmanager
from stream.sinks.sink import Links, SinkRefusedError, SinkUnreachableError

LINKS = Links("https://swerve.example")
NOW_S = 1_770_300_000.0


def to(*receivers, now_s=NOW_S):
    return Alertmanager("am", [one.url for one in receivers], LINKS, resend_s=60.0, now_s=lambda: now_s)


def seconds(text):
    return datetime.fromisoformat(text).timestamp()


async def told(receiver, *alerts, **given):
    sink = to(receiver, **given)
    for one in alerts:
        await sink.send([one])
    await sink.close()
    return [post.json for post in receiver.posts]


async def test_labels_stay_the_same_while_numbers_grow(receiver, alert):
    first, second = await told(
        receiver, alert(), alert(hour=3, accounts_total=400, summary="400 accounts.", evidence={"requests": 9})
    )
    assert first[0]["labels"] == second[0]["labels"]
    assert first[0]["annotations"] != second[0]["annotations"]
    assert first[0]["labels"]["alertname"] == "SwerveCoordinatedShift"
    assert not [value for value in first[0]["labels"].values() if value.replace(".", "").isdigit() and len(value) < 9]


async def test_it_starts_when_it_was_told_and_ends_four_intervals_ahead(receiver, alert):
    ((posted,),) = await told(receiver, alert())
    assert seconds(posted["startsAt"]) == alert().detected_at / 1000
    assert seconds(posted["endsAt"]) == NOW_S + 240
    assert posted["annotations"]["onset"] == "2026-02-04T18:00:00.000Z"
    assert posted["generatorURL"] == "https://swerve.example/alerts/a1"
    assert posted["annotations"]["runbook_url"] == "https://swerve.example/runbook#coordinated_shift"


async def test_the_end_is_in_the_past(receiver, alert):
    ((posted,),) = await told(receiver, alert(hour=4, status="resolved"))
    assert seconds(posted["startsAt"]) < seconds(posted["endsAt"]) <= NOW_S


async def test_a_replay_from_the_future_still_has_its_times_in_order(receiver, alert):
    firing, resolved = await told(receiver, alert(), alert(hour=4, status="resolved"), now_s=1_600_000_000.0)
    assert seconds(firing[0]["startsAt"]) <= 1_600_000_000 < seconds(firing[0]["endsAt"])
    assert seconds(resolved[0]["startsAt"]) <= seconds(resolved[0]["endsAt"]) <= 1_600_000_000


async def test_a_rise_ends_the_label_set_of_the_lower_severity(receiver, alert):
    _, second = await told(receiver, alert(severity="warning"), alert(hour=1, severity="critical"))
    by_severity = {one["labels"]["severity"]: one for one in second}
    assert seconds(by_severity["warning"]["endsAt"]) <= NOW_S < seconds(by_severity["critical"]["endsAt"])


async def test_every_member_of_the_cluster_gets_it(receiver, alert, new_receiver, start_receiver):
    other = new_receiver()
    runner = await start_receiver(other)
    sink = to(receiver, other)
    await sink.send([alert()])
    await sink.close()
    await runner.cleanup()
    assert receiver.posts[0].body == other.posts[0].body
    assert receiver.posts[0].path == "/api/v2/alerts"


async def test_one_member_that_takes_it_is_enough(receiver, alert, new_receiver, start_receiver):
    gone = new_receiver()
    await (await start_receiver(gone)).cleanup()
    sink = to(gone, receiver)
    await sink.send([alert()])
    await sink.close()
    assert len(receiver.posts) == 1


async def test_no_member_at_all_is_worth_another_try(receiver, alert, new_receiver, start_receiver):
    gone = new_receiver()
    await (await start_receiver(gone)).cleanup()
    receiver.answers = [400]
    sink = to(gone, receiver)
    with pytest.raises(SinkUnreachableError):
        await sink.send([alert()])
    receiver.answers = [400]
    sink = to(receiver)
    with pytest.raises(SinkRefusedError):
        await sink.send([alert()])
    await sink.close()


async def test_a_thousand_alerts_go_in_batches(receiver, alert):
    sink = to(receiver)
    await sink.send([alert(f"a{number}") for number in range(1_000)])
    await sink.close()
    assert [len(post.json) for post in receiver.posts] == [100] * 10
