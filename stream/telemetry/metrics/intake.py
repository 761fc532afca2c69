"""What came in, what was refused, and how far behind is each source?"""

from __future__ import annotations

from typing import Final

import structlog
from prometheus_client import Gauge

from stream.telemetry.metrics.exposition import OTHER, Bounded, counter, gauge, histogram
from stream.telemetry.metrics.seldom import Seldom

REASONS: Final = (
    "not_utf8", "not_json", "not_an_object", "too_large", "too_deep", "missing_field", "wrong_type", "out_of_range",
    "bad_timestamp", "impossible_time", "duplicate_event", "late_event", "not_protobuf", "reader_failed",
)  # fmt: skip
REASONS_MAX = 25  # the twelve of the contract and a dozen of adapters; further ones are counted as "other"
SOURCES_MAX = 32  # x 2 stages x 2 metrics: 128 series; of further partitions "other" shows the one most behind
FRAME_RESULTS: Final = ("applied", "repeat", "gap")
SUMMARY_RESULTS: Final = ("first", "repeat", "conflict")
_INTAKE = ("ingest", "detect")

_log = structlog.get_logger("swerve.intake")
_reasons = Bounded(REASONS_MAX, REASONS)

_accepted = counter(
    "swerve_records_accepted",
    "Requests that each stage took in; alike but for repeats and late ones. Flat while the fleet serves: ask whether "
    "the producer writes to this topic.",
    ["stage"],
)
_refused = counter(
    "swerve_records_refused",
    "Records that were not counted, by reason. A rising share: read the dead-letter topic, then correct the producer.",
    ["reason"],
    _INTAKE,
)
_no_request = counter(
    "swerve_records_no_request",
    "Records that hold no request: failed calls, listings of models, other kinds of entries. Nothing is wrong with "
    "them; but where nearly all are such and few were before, the mapping no longer fits: `swerve map check`.",
    (),
    ["ingest"],
)
_dead_letters = counter(
    "swerve_dead_letters",
    "Refused records kept in the dead-letter topic, whole (sent) or cut to its largest message (truncated), or only "
    "counted: beyond the rate (suppressed) or taken by the broker in no size (lost). Suppressed rises: a flood; "
    "correct the producer, or raise the rate of the dead-letter topic. Lost: raise its max.message.bytes.",
    ["result"],
    ["ingest"],
)
_long = counter(
    "swerve_long_names",
    "Requests with a capability, an attribute or a value of over 256 characters; it is cut to its beginning and a "
    "hash. Any: correct the producer.",
    (),
    ["ingest"],
)
_reused = counter(
    "swerve_event_ids_reused",
    "Requests, about, with the event id of another one of the same account and tick, at another time; both are "
    "counted. Any: a client chooses the ids; take the server's, or true repeats may be missed.",
    (),
    ["detect"],
)
_lag = gauge(
    "swerve_lag_messages",
    "Messages between this stage's position and the end of each source. Growing: add workers of this stage.",
    ["stage", "source"],
)
_clock = gauge(
    "swerve_source_clock_timestamp_seconds",
    "Event time that each source has reached (its watermark before lateness); an idle one shows none. One far behind "
    "the others holds back every tick: look at the worker that owns it.",
    ["stage", "source"],
    _INTAKE,
)
_sources = gauge(
    "swerve_sources",
    "Sources by state. Idle ones do not hold time back; all idle: nothing arrives, ask the producer.",
    ["stage", "state"],
    _INTAKE,
)
_sent = counter(
    "swerve_frames_sent", "Frames that ingest sent. Flat with input present: the broker refuses.", (), ["ingest"]
)
_frame_bytes = histogram(
    "swerve_frame_size_bytes",
    "Encoded size of frames. Near 1,000,000: shorten the flush interval, or raise the limit of the broker.",
    [1e3, 1e4, 5e4, 1e5, 2.5e5, 5e5, 1e6],
    (),
    ["ingest"],
)
_applied = counter(
    "swerve_frames_applied",
    "Frames by what detect did with them. Gaps go on rising: the chain of a source is broken; see the runbook.",
    ["result"],
    ["detect"],
)
_summaries = counter(
    "swerve_summaries",
    "Summaries by what correlate did with them. A conflict: two detect workers disagree on one tick; "
    "keep both, report.",
    ["result"],
    ["correlate"],
)
_long_told, _truncated_told, _reused_told = Seldom(), Seldom(), Seldom()
_set_aside = counter(
    "swerve_messages_set_aside",
    "Messages that are no frame or summary, or a damaged one, and were passed over. Any: read the log for where; find "
    "who else writes to this topic.",
    ["stage"],
    ["detect", "correlate"],
)
_deleted = counter(
    "swerve_records_deleted_unread",
    "Offsets that the broker had deleted before this stage read them: requests that nobody counts any more. Any: the "
    "topic's retention is shorter than the stage was behind; make it longer, and add workers.",
    ["stage"],
)
_made_anew = counter(
    "swerve_topics_made_anew",
    "Topics that were deleted and made anew while this stage was away: what it had not read of the old one is gone, "
    "and counted as deleted unread where that is known. Any: find out who deleted it.",
    ["stage"],
    ["detect", "correlate"],
)
_others = counter(
    "swerve_other_deployment_messages",
    "Messages of two deployments that came in turns on the topic that this stage reads. Any: both count and tell the "
    "same; the log names their groups. Stop one, or give it topics of its own.",
    ["stage"],
    ["detect", "correlate"],
)
_others_told: dict[str, Seldom] = {}  # by topic
_behind: dict[tuple[str, str], dict[str, float]] = {}  # (stage, "lag" or "clock") -> by source
_alone: dict[tuple[str, str], set[str]] = {}  # of these, the sources that have a series of their own


def _show_all() -> None:
    """Counters begin at 0, not with their first occurrence: else rate() misses exactly that one."""
    for reason in REASONS:
        _refused.labels(reason)
    for result in ("sent", "truncated", "suppressed", "lost"):
        _dead_letters.labels(result)
    for stage in ("detect", "correlate"):
        _set_aside.labels(stage)
        _others.labels(stage)
    for stage in ("ingest", "detect", "correlate"):
        _deleted.labels(stage)
    for result in FRAME_RESULTS:
        _applied.labels(result)
    for result in SUMMARY_RESULTS:
        _summaries.labels(result)


_show_all()


def begin(stage: str) -> None:
    """A stage starts: its own counters begin at 0."""
    _accepted.labels(stage)


def records_accepted(stage: str, n: int) -> None:
    """A stage took in n requests. Call once a batch."""
    _accepted.labels(stage).inc(n)


def records_refused(reason: str, n: int = 1) -> None:
    """n records were not counted, for one reason of the contract or of an adapter. Call once a batch and reason."""
    _refused.labels(_reasons(reason)).inc(n)
    if reason == "reader_failed":
        _log.error("reader_failed", records=n)  # ours to mend, not the producer's


def records_no_request(n: int) -> None:
    """n records hold no request, as their dialect or mapping says. Call once a batch."""
    _no_request.inc(n)


def dead_letters(sent: int = 0, suppressed: int = 0, truncated: int = 0, lost: int = 0) -> None:
    """Refused records went to the dead-letter topic, whole or cut, or were only counted."""
    for result, n in (("sent", sent), ("suppressed", suppressed), ("truncated", truncated), ("lost", lost)):
        _dead_letters.labels(result).inc(n)
    told = _truncated_told.due(truncated)
    if told:
        _log.warning("dead_letters_truncated", truncated=told)
    if suppressed:
        _log.warning("dead_letters_suppressed", suppressed=suppressed)


def long_names(n: int) -> None:
    """n requests had a name that was cut, for its length."""
    _long.inc(n)
    told = _long_told.due(n)
    if told:
        _log.warning("long_names_cut", requests=told)


def event_ids_reused(n: int) -> None:
    """About n requests had an id that another request of their account has, at another time."""
    _reused.inc(n)
    told = _reused_told.due(n)
    if told:
        _log.warning("event_ids_reused", requests=told)


def source_lag(stage: str, source: str, messages: int) -> None:
    """How many messages a stage has still to read from a source."""
    _show_bounded(stage, source, "lag", float(messages))


def source_clock(stage: str, source: str, clock_ms: int, idle: bool = False) -> None:
    """The event time, in ms, that a source has reached in a stage.

    One that is not known yet is not shown, nor that of an idle source: it stands still, and holds nothing back.
    """
    if idle:
        _forget(stage, source, "clock")
    elif clock_ms > 0:
        _show_bounded(stage, source, "clock", clock_ms / 1000)


def source_left(stage: str, source: str) -> None:
    """A source moved to another worker: its series end here, or they would look like one that stands still."""
    for what in ("lag", "clock"):
        _forget(stage, source, what)


def _forget(stage: str, source: str, what: str) -> None:
    shown = _behind.get((stage, what), {})
    if shown.pop(source, None) is not None:
        _show(stage, what, shown)


def sources(stage: str, active: int, idle: int) -> None:
    """How many sources deliver now, and how many are idle."""
    _sources.labels(stage, "active").set(active)
    _sources.labels(stage, "idle").set(idle)


def _show_bounded(stage: str, source: str, what: str, number: float) -> None:
    """O(1) for a source that is shown by itself, O(sources) for one of the rest or for a new one."""
    shown = _behind.setdefault((stage, what), {})
    is_new = source not in shown
    shown[source] = number
    if is_new and len(shown) > SOURCES_MAX:
        _show(stage, what, shown)
    elif len(shown) <= SOURCES_MAX or source in _alone[stage, what]:
        _metric(what).labels(stage, source).set(number)
    else:
        _show_rest(stage, what, shown)


def _show(stage: str, what: str, shown: dict[str, float]) -> None:
    """The first sources by name each for itself; of the rest, the one most behind."""
    metric = _metric(what)
    metric.remove_by_labels({"stage": stage})
    _alone[stage, what] = set(sorted(shown)[:SOURCES_MAX])
    for name in _alone[stage, what]:
        metric.labels(stage, name).set(shown[name])
    if len(shown) > SOURCES_MAX:
        _show_rest(stage, what, shown)


def _show_rest(stage: str, what: str, shown: dict[str, float]) -> None:
    worst = max if what == "lag" else min
    rest = (number for name, number in shown.items() if name not in _alone[stage, what])
    _metric(what).labels(stage, OTHER).set(worst(rest))


def _metric(what: str) -> Gauge:
    return _lag if what == "lag" else _clock


def frame_sent(size_bytes: int = 0) -> None:
    """Ingest sent one frame, and the broker acknowledged it."""
    _sent.inc()
    if size_bytes:
        _frame_bytes.observe(size_bytes)


def message_set_aside(stage: str, where: str, why: str) -> None:
    """One message of an internal topic is none that can be read. where: "frames[3]@812", as [kafka.topics] names it."""
    _set_aside.labels(stage).inc()
    _log.error("message_set_aside", stage=stage, where=where, why=why)


def deleted_unread(stage: str, source: str, n: int) -> None:
    """n offsets of a source were deleted before this stage read them; it goes on behind them."""
    _deleted.labels(stage).inc(n)
    _log.error("records_deleted_before_they_were_read", stage=stage, source=source, records=n)


def topic_made_anew(stage: str, where: str, upto: int) -> None:
    """The input topic of a stage is another one of that name; the state holds the old one up to this offset."""
    _made_anew.labels(stage).inc()
    _log.error("topic_was_deleted_and_made_anew", stage=stage, where=where, read_upto=upto, goes_on_at=0)


def other_deployment(stage: str, topic: str, one: str, other: str) -> None:
    """Messages of two groups came in turns on a topic that belongs to one deployment."""
    _others.labels(stage).inc()
    told = _others_told.setdefault(topic, Seldom()).due(1)
    if told:
        _log.error("two_deployments_on_one_topic", stage=stage, topic=topic, groups=[one, other], turns=told)


def frame_applied(result: str, source: str = "") -> None:
    """Detect saw one frame: "applied", "repeat" (skipped) or "gap" (refused, to be read again)."""
    _applied.labels(result).inc()
    if result == "gap":
        _log.warning("frame_gap", source=source)


def summary_seen(result: str, tick: int = -1, shards: str = "") -> None:
    """Correlate saw one summary: "first", "repeat" (same bytes) or "conflict" (other bytes; discarded)."""
    _summaries.labels(result).inc()
    if result == "conflict":
        _log.error("summary_conflict", tick=tick, shards=shards)
