"""Webhook, Slack and PagerDuty against a real HTTP server."""

from __future__ import annotations

import asyncio
import html

import pytest

from stream.contract.alert import decode
from stream.errors import UsageError
from stream.sinks.sink import Links, SinkRefusedError, SinkUnreachableError
from stream.sinks.webhook import Webhook, example_of, idempotency_key, is_genuine, preset

LINKS = Links("https://swerve.example")
NOW_S = 1_770_300_000.0


def webhook(receiver, **given):
    return Webhook("hook", receiver.url + "/in?token=s3cret", LINKS, now_s=lambda: NOW_S, **given)


async def test_a_webhook_gets_the_record_itself(receiver, alert):
    sink = webhook(receiver)
    await sink.send([alert("a1"), alert("a2")])
    await sink.close()
    assert [decode(post.body) for post in receiver.posts] == [alert("a1"), alert("a2")]
    assert receiver.posts[0].headers["Content-Type"] == "application/json"


async def test_a_receiver_can_check_who_signed_and_that_nothing_was_altered(receiver, alert):
    sink = webhook(receiver, secret="shared")
    await sink.send([alert()])
    await sink.close()
    post = receiver.posts[0]
    stamp, signed = post.headers["X-Swerve-Timestamp"], post.headers["X-Swerve-Signature"]
    assert is_genuine(b"shared", stamp, post.body, signed, NOW_S)
    assert not is_genuine(b"other", stamp, post.body, signed, NOW_S)
    assert not is_genuine(b"shared", stamp, post.body + b" ", signed, NOW_S)
    assert not is_genuine(b"shared", stamp, post.body, signed, NOW_S + 301)
    assert not is_genuine(b"shared", "soon", post.body, "ß", NOW_S)


async def test_without_a_secret_nothing_pretends_to_be_signed(receiver, alert):
    sink = webhook(receiver)
    await sink.send([alert()])
    await sink.close()
    assert not [name for name in receiver.posts[0].headers if name.startswith("X-Swerve")]


async def test_the_idempotency_key_is_of_the_record_and_not_of_the_attempt(receiver, alert):
    sink = webhook(receiver)
    await sink.send([alert(), alert(), alert(hour=1)])
    await sink.close()
    keys = [post.headers["Idempotency-Key"] for post in receiver.posts]
    assert keys[0] == keys[1] == idempotency_key(alert())
    assert keys[2] != keys[0]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_an_answer_that_may_pass_is_worth_another_try(receiver, alert, status):
    receiver.answers = [status]
    sink = webhook(receiver)
    with pytest.raises(SinkUnreachableError, match=str(status)):
        await sink.send([alert()])
    await sink.close()


@pytest.mark.parametrize("status", [400, 401, 404, 410, 301, 307])
async def test_an_answer_that_will_not_change_is_refused_for_good(receiver, alert, status):
    receiver.answers = [status]
    sink = webhook(receiver)
    with pytest.raises(SinkRefusedError, match=str(status)):
        await sink.send([alert()])
    await sink.close()
    assert len(receiver.posts) == 1


async def test_the_receiver_says_when_to_come_back(receiver, alert):
    receiver.answers, receiver.answer_headers = [429], {"Retry-After": "17"}
    sink = webhook(receiver)
    with pytest.raises(SinkUnreachableError) as caught:
        await sink.send([alert()])
    await sink.close()
    assert caught.value.retry_after_s == 17


async def test_no_error_shows_the_path_that_holds_the_secret(receiver, alert, new_receiver, start_receiver):
    receiver.answers = [500, 400]
    sink = webhook(receiver)
    told = []
    for _ in range(2):
        with pytest.raises((SinkUnreachableError, SinkRefusedError)) as caught:
            await sink.send([alert()])
        told.append(str(caught.value))
    await sink.close()
    gone = new_receiver()
    await (await start_receiver(gone)).cleanup()
    sink = webhook(gone)
    with pytest.raises(SinkUnreachableError) as caught:
        await sink.send([alert()])
    await sink.close()
    for text in [*told, str(caught.value)]:
        assert "s3cret" not in text
        assert "127.0.0.1" in text
        assert "\n" not in text


async def test_a_receiver_that_hangs_meets_the_time_limit(receiver, alert):
    receiver.hang = True
    sink = webhook(receiver, timeout_s=0.1)
    with pytest.raises(SinkUnreachableError, match=r"within 0\.1 s"):
        await sink.send([alert()])
    await sink.close()


async def test_a_template_makes_any_json_of_a_record(receiver, alert):
    sink = webhook(receiver, template='{"who": {{ alert.accounts | tojson }}, "go": {{ page | tojson }}}')
    await sink.send([alert()])
    await sink.close()
    assert receiver.posts[0].json == {
        "who": ["account-1", 'quotes " and <script>'],
        "go": "https://swerve.example/alerts/a1",
    }


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{ alert.nothing }}", "has no attribute 'nothing'"),
        ("{% if %}", "template"),
        ("not json", "expected JSON"),
        ('{"a": {{ alert.summary }}}', "expected JSON"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
    ],
)
def test_a_template_that_cannot_work_is_refused_at_the_start(source, told):
    with pytest.raises(UsageError, match=told):
        Webhook("hook", "http://127.0.0.1:1", LINKS, template=source)


async def test_slack_gets_a_message_in_which_no_id_can_call_everybody(receiver, alert):
    sink = webhook(receiver, template=preset("slack"))
    await sink.send([alert(summary="<!channel> moved 48% & more")])
    await sink.close()
    body = receiver.posts[0].json
    assert "<!channel>" not in body["text"]
    assert html.unescape(body["text"]).endswith("CRITICAL <!channel> moved 48% & more")
    assert "https://swerve.example/alerts/a1" in receiver.posts[0].body.decode()


async def test_slack_says_that_it_is_over(receiver, alert):
    sink = webhook(receiver, template=preset("slack"))
    await sink.send([alert(status="resolved", hour=3)])
    await sink.close()
    assert ":white_check_mark: RESOLVED" in receiver.posts[0].json["text"]


async def test_pagerduty_opens_and_closes_one_incident(receiver, alert):
    sink = webhook(receiver, template=preset("pagerduty"), extra={"routing_key": "key"})
    await sink.send([alert(), alert(hour=3), alert(hour=9, status="resolved")])
    await sink.close()
    bodies = [post.json for post in receiver.posts]
    assert [one["event_action"] for one in bodies] == ["trigger", "trigger", "resolve"]
    assert {one["dedup_key"] for one in bodies} == {"swerve-a1"}
    assert bodies[0]["payload"]["severity"] == "critical"
    assert bodies[0]["payload"]["timestamp"] == "2026-02-05T03:00:00Z"
    assert bodies[0]["payload"]["custom_details"]["requests"] == 1489
    assert bodies[0]["routing_key"] == "key"


async def test_grafana_marks_the_moment_and_at_the_end_the_span(receiver, alert):
    sink = webhook(receiver, template=preset("grafana"), bearer="key")
    await sink.send([alert(summary="<b>8% & more"), alert(hour=3, status="resolved")])
    await sink.close()
    opened, over = (post.json for post in receiver.posts)
    assert (opened["time"], "timeEnd" in opened) == (alert().detected_at, False)
    assert (over["time"], over["timeEnd"]) == (alert().detected_at, alert(hour=3).updated_at)
    assert opened["text"].startswith("&lt;b&gt;8% &amp; more <a href=")
    assert receiver.posts[0].headers["Authorization"] == "Bearer key"


async def test_the_test_alert_says_that_it_is_one(receiver):
    sink = webhook(receiver)
    await sink.send([example_of(1_770_300_000_000)])
    await sink.close()
    body = receiver.posts[0].json
    assert body["summary"].startswith("TEST")
    assert body["evidence"]["is_test"] is True


async def test_a_cancelled_send_leaves_the_sink_usable(receiver, alert):
    receiver.hang = True
    sink = webhook(receiver)
    sending = asyncio.create_task(sink.send([alert()]))
    await receiver.came.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    receiver.hang = False
    await sink.send([alert()])
    await sink.close()
    assert len(receiver.posts) == 2
