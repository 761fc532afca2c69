"""Delivery around any sink: nothing lost, nothing twice, nobody held up."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stream.kafka.place import Place
from stream.sinks.delivery import RESOLVED_FOR_S, Attention, Deliveries, Delivery
from stream.sinks.ledger import Ledger
from stream.sinks.sink import SinkRefusedError, SinkUnreachableError
from stream.telemetry import metrics
from tests.pace import PATIENCE_S


class Scripted:
    """A sink that does what its script says, one entry a call, and takes everything after that."""

    def __init__(self, *script, name="scripted", resend_s=None):
        self.name, self.resend_s = name, resend_s
        self.script = list(script)
        self.calls = []
        self.taken = []

    async def send(self, alerts):
        self.calls.append([one.updated_at for one in alerts])
        step = self.script.pop(0) if self.script else None
        if isinstance(step, BaseException):
            raise step
        if step == "hang":
            await asyncio.sleep(60)
        self.taken += [(one.alert_id, one.updated_at, one.severity, one.status) for one in alerts]

    async def close(self):
        pass


@contextlib.asynccontextmanager
async def running(*deliveries):
    group = Deliveries(deliveries)
    group.start()
    yield group
    await group.close(drain_s=0.5)


async def settled(delivery):
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.sleep(0)
        await delivery.drained()


def quick(sink, **given):
    return Delivery(sink, back_off_first_s=0.001, deadline_s=0.2, **given)


DOWN = SinkUnreachableError("down")


async def test_a_record_is_delivered_once_however_often_it_is_offered(alert):
    delivery = quick(Scripted())
    async with running(delivery):
        for _ in range(3):
            delivery.offer(alert())
            await settled(delivery)
    assert len(delivery.sink.taken) == 1


async def test_what_failed_is_tried_again_until_it_is_taken(alert):
    before = metrics.value("swerve_sink_failed_total", sink="retried") or 0
    delivery = quick(Scripted(DOWN, DOWN, DOWN, name="retried"))
    async with running(delivery):
        delivery.offer(alert())
        await settled(delivery)
    assert (len(delivery.sink.calls), len(delivery.sink.taken)) == (4, 1)
    assert metrics.value("swerve_sink_failed_total", sink="retried") - before == 3


async def test_a_sink_that_never_answers_meets_the_deadline(alert):
    delivery = quick(Scripted("hang"))
    async with running(delivery):
        delivery.offer(alert())
        await settled(delivery)
    assert (len(delivery.sink.calls), len(delivery.sink.taken)) == (2, 1)


async def test_a_dead_sink_holds_up_no_other(alert):
    dead, alive = quick(Scripted(*["hang"] * 50, name="dead")), quick(Scripted(name="alive"))
    async with running(dead, alive) as group:
        for hour in range(20):
            group.offer(alert(f"a{hour}", hour))
        await settled(alive)
    assert len(alive.sink.taken) == 20
    assert dead.sink.taken == []


async def test_what_is_refused_does_not_hold_up_what_follows(alert):
    delivery = quick(Scripted(SinkRefusedError("400")))
    async with running(delivery):
        delivery.offer(alert("bad"))
        delivery.offer(alert("good"))
        await settled(delivery)
    assert [one[0] for one in delivery.sink.taken] == ["good"]


class Indigestible(Scripted):
    """Answers 500 to one alert, for ever."""

    async def send(self, alerts):
        self.calls.append(alerts[0].alert_id)
        if alerts[0].alert_id == "bad":
            raise DOWN
        await super().send(alerts)


async def test_one_record_that_always_fails_holds_up_no_other(alert):
    delivery = quick(Indigestible())
    for alert_id in ("bad", "a1", "a2", "a3"):
        delivery.offer(alert(alert_id))
    async with running(delivery):
        async with asyncio.timeout(PATIENCE_S):
            while len(delivery.sink.taken) < 3:
                await asyncio.sleep(0.001)
    assert [one[0] for one in delivery.sink.taken] == ["a1", "a2", "a3"]
    assert delivery.backlog == 1


async def test_a_page_goes_before_the_tickets_that_waited_longer(alert):
    delivery = quick(Scripted())
    for alert_id, severity in (("t1", "warning"), ("t2", "warning"), ("p1", "critical")):
        delivery.offer(alert(alert_id, severity=severity))
    async with running(delivery):
        await settled(delivery)
    assert [one[0] for one in delivery.sink.taken] == ["p1", "t1", "t2"]


async def test_a_ledger_that_cannot_be_written_stops_no_delivery(alert):
    def full(raw):
        raise OSError(28, "No space left on device")

    delivery = quick(Scripted(), keep=full)
    async with running(delivery):
        delivery.offer(alert("a1"))
        delivery.offer(alert("a2"))
        await settled(delivery)
    assert len(delivery.sink.taken) == 2


async def test_a_defect_of_a_sink_ends_neither_its_task_nor_the_rest(alert):
    delivery = quick(Scripted(KeyError("a bug")))
    async with running(delivery):
        delivery.offer(alert("first"))
        delivery.offer(alert("second"))
        await settled(delivery)
    assert [one[0] for one in delivery.sink.taken] == ["second"]


async def test_while_a_sink_is_away_only_the_latest_state_of_an_alert_waits(alert):
    delivery = quick(Scripted())
    for hour in range(5):
        delivery.offer(alert(hour=hour))
    delivery.offer(alert(hour=6, status="resolved"))
    assert delivery.backlog == 1
    async with running(delivery):
        await settled(delivery)
    assert [one[3] for one in delivery.sink.taken] == ["resolved"]


async def test_a_log_gets_every_record_in_order(alert):
    delivery = quick(Scripted(), keeps_all=True)
    for hour in range(5):
        delivery.offer(alert(hour=hour))
    async with running(delivery):
        await settled(delivery)
    assert [one[1] for one in delivery.sink.taken] == [alert(hour=hour).updated_at for hour in range(5)]


async def test_a_full_backlog_drops_the_least_severe_first_and_says_so(alert):
    before = metrics.value("swerve_bound_reached_total", bound="sink_backlog") or 0
    delivery = quick(Scripted(), backlog_max=3)
    for number, severity in enumerate(["critical", "info", "warning", "critical", "critical"]):
        delivery.offer(alert(f"a{number}", severity=severity))
    async with running(delivery):
        await settled(delivery)
    assert [one[2] for one in delivery.sink.taken] == ["critical"] * 3
    assert metrics.value("swerve_bound_reached_total", bound="sink_backlog") - before == 2


async def test_the_backlog_is_metered(alert):
    delivery = quick(Scripted(name="metered"))
    delivery.offer(alert("a1"))
    delivery.offer(alert("a2"))
    assert metrics.value("swerve_sink_backlog", sink="metered") == 2


async def test_pages_that_wait_are_metered_where_the_sink_can_call_somebody(alert):
    pager, log = quick(Scripted(DOWN, name="pager2")), quick(Scripted(name="log2"), calls=False, keeps_all=True)
    Deliveries([pager, log])
    for delivery in (pager, log):
        delivery.offer(alert("a1", severity="critical"))
        delivery.offer(alert("a2", severity="warning"))

    assert metrics.value("swerve_sink_pages_waiting", sink="pager2") == 1
    assert metrics.value("swerve_sink_pages_waiting", sink="log2") is None
    async with running(pager):
        await settled(pager)
    assert metrics.value("swerve_sink_pages_waiting", sink="pager2") == 0


async def test_a_snoozed_page_waits_because_somebody_wanted_it(alert):
    snoozed = Attention(snoozed_until_ms=2**60)
    delivery = quick(Scripted(name="snoozing"), attention=lambda alert_id: snoozed)

    delivery.offer(alert("a1", severity="critical"))

    assert metrics.value("swerve_sink_pages_waiting", sink="snoozing") == 0


async def test_a_record_that_a_sink_refuses_for_good_is_counted_as_lost_by_severity(alert):
    delivery = quick(Scripted(SinkRefusedError("answered 400"), name="refusing"))
    Deliveries([delivery])
    assert metrics.value("swerve_sink_lost_total", sink="refusing", severity="critical") == 0

    delivery.offer(alert("a1", severity="critical"))
    async with running(delivery):
        await settled(delivery)

    assert metrics.value("swerve_sink_lost_total", sink="refusing", severity="critical") == 1
    assert metrics.value("swerve_sink_lost_total", sink="refusing", severity="warning") == 0


async def test_what_is_below_the_severity_of_a_sink_never_reaches_it(alert):
    delivery = quick(Scripted(), severity_min="warning")
    async with running(delivery):
        for severity in ("info", "warning", "critical"):
            delivery.offer(alert(severity, severity=severity))
        await settled(delivery)
    assert [one[2] for one in delivery.sink.taken] == ["critical", "warning"]


async def test_a_restart_with_its_ledger_sends_nothing_again(alert):
    kept = []
    first = quick(Scripted(), keep=kept.append)
    async with running(first):
        first.offer(alert("a1"))
        first.offer(alert("a2"))
        await settled(first)
    second = quick(Scripted(), ledger=Ledger.from_bytes(kept[-1]))
    async with running(second):
        second.offer(alert("a1"))
        second.offer(alert("a2"))
        second.offer(alert("a2", hour=1, severity="critical"))
        await settled(second)
    assert second.sink.taken == [("a2", alert(hour=1).updated_at, "critical", "firing")]


async def test_an_end_in_the_very_tick_of_the_last_record_is_news(alert):
    delivery = quick(Scripted())
    async with running(delivery):
        for one in (alert(hour=3), alert(hour=3, status="resolved"), alert(hour=3)):
            delivery.offer(one)
            await settled(delivery)
    assert [one[3] for one in delivery.sink.taken] == ["firing", "resolved"]


async def test_a_record_that_waits_is_named_beside_the_offset_up_to_which_all_is_done(alert):
    delivery = quick(Scripted(*["hang"] * 9), severity_min="warning")
    delivery.offer(alert("skipped", severity="info"), mark=(0, 10))
    assert delivery.places() == {0: Place(11)}
    delivery.offer(alert("waits"), mark=(0, 11))
    assert delivery.places() == {0: Place(12, frozenset({11}))}
    delivery.offer(alert("skipped too", severity="info"), mark=(0, 12))
    assert delivery.places() == {0: Place(13, frozenset({11}))}
    delivery.sink.script.clear()
    async with running(delivery):
        await settled(delivery)
    assert delivery.places() == {0: Place(13)}


class Wall:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 1_770_300_000.0

    def __call__(self):
        return self.now


async def ticking(wall, delivery, seconds):
    """Let the wall pass second by second, and the delivery notice."""
    for _ in range(seconds):
        wall.now += 1
        delivery._wake.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_firing_alert_is_repeated_and_a_resolved_one_for_five_minutes(alert):
    wall = Wall()
    delivery = quick(Scripted(resend_s=60.0), now_s=wall)
    async with running(delivery):
        delivery.offer(alert())
        await settled(delivery)
        await ticking(wall, delivery, 185)
        assert len(delivery.sink.taken) == 4  # at 0, 60, 120 and 180 s
        delivery.offer(alert(hour=1, status="resolved"))
        await settled(delivery)
        await ticking(wall, delivery, 2 * int(RESOLVED_FOR_S))
    resolved = [one for one in delivery.sink.taken if one[3] == "resolved"]
    assert 5 <= len(resolved) <= 6


async def test_after_a_restart_what_fires_is_repeated_at_once_though_it_is_not_new(alert):
    ledger = Ledger()
    ledger.add(alert())
    delivery = quick(Scripted(resend_s=60.0), ledger=ledger)
    async with running(delivery) as group:
        group.resume([alert()])
        async with asyncio.timeout(PATIENCE_S):
            while not delivery.sink.taken:
                await asyncio.sleep(0)
    assert len(delivery.sink.taken) == 1


async def test_an_acknowledged_alert_tells_no_updates_but_its_rise_and_its_end(alert):
    acknowledged = {}
    delivery = quick(Scripted(), attention=lambda alert_id: acknowledged.get(alert_id, Attention()))
    async with running(delivery):
        delivery.offer(alert(hour=0, severity="warning"))
        await settled(delivery)
        acknowledged["a1"] = Attention(acknowledged=True)
        delivery.offer(alert(hour=3, severity="warning"))
        await settled(delivery)
        delivery.offer(alert(hour=4, severity="critical"))
        await settled(delivery)
        delivery.offer(alert(hour=9, severity="critical", status="resolved"))
        await settled(delivery)
    assert [(one[2], one[3]) for one in delivery.sink.taken] == [
        ("warning", "firing"),
        ("critical", "firing"),
        ("critical", "resolved"),
    ]


async def test_a_snoozed_alert_is_silent_until_the_end_of_the_snooze_and_then_told(alert):
    wall = Wall()
    until = Attention(snoozed_until_ms=int(1000 * wall.now) + 60_000)
    delivery = quick(Scripted(), now_s=wall, attention=lambda alert_id: until)
    async with running(delivery):
        delivery.offer(alert())
        await ticking(wall, delivery, 55)
        assert delivery.sink.taken == []
        await ticking(wall, delivery, 10)
        await settled(delivery)
    assert len(delivery.sink.taken) == 1


async def test_a_damaged_ledger_is_refused_with_a_reason():
    with pytest.raises(ValueError, match="ledger of a sink"):
        Ledger.from_bytes(b"{}")
