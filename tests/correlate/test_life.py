"""Promises of every record, whatever the detectors say."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.comparison.findings import Finding, Level, Member, Phase, Subject, Target
from stream.alerts.life import FORGET_MS, INFOS_MAX, Life, UnreadableLifeError
from stream.contract.alert import decode, encode
from stream.contract.verdict import Verdict

HOUR_MS = 3_600_000
T0_MS = 1_770_249_600_000


def finding(at_ms, key="net", level=Level.CRITICAL, phase=Phase.MOVING, accounts=5, subject=None, **changes):
    evidence = {"share_after": 0.4, "requests": 10, "ticks": 2, **changes.pop("evidence", {})}
    return Finding(
        key=key,
        kind=changes.pop("kind", "release_shift"),
        subject=subject or Subject("cluster", key),
        targets=changes.pop("targets", (Target("model", "atlas-4"),)),
        level=level,
        phase=phase,
        at_ms=at_ms,
        onset_ms=changes.pop("onset_ms", at_ms - 9 * HOUR_MS),
        members=changes.pop("members", tuple(Member(f"a{i}", 0.9, at_ms, 7, 0.0, 0.4) for i in range(accounts))),
        evidence=evidence,
        why="test",
    )


one_tick = st.tuples(
    st.sampled_from(list(Level)),
    st.sampled_from(list(Phase)),
    st.integers(0, 40),
    st.integers(0, 3),
    st.integers(-50, 50),
    st.booleans(),
)


@settings(max_examples=30)
@given(st.lists(st.lists(one_tick, max_size=3), max_size=40))
def test_every_sequence_of_findings_gives_records_that_keep_the_contract(ticks):
    life, seen, over, named = Life(), {}, set(), set()
    for hour, groups in enumerate(ticks, 1):
        at_ms = T0_MS + hour * HOUR_MS
        findings = [
            finding(
                at_ms, f"net{i}", level, phase, accounts, onset_ms=at_ms + onset * HOUR_MS,
                evidence={"ticks": ticks_held}, targets=(Target("model", "m1" if first else "m2"),),
            )
            for i, (level, phase, accounts, ticks_held, onset, first) in enumerate(groups)
        ]  # fmt: skip
        for alert in life.step(findings, at_ms):
            assert decode(encode(alert)) == alert
            assert alert.started_at <= alert.detected_at <= alert.updated_at == at_ms
            assert alert.alert_id not in over
            assert (
                (alert.status == "resolved") == (alert.resolved_at is not None) == (alert.resolved_reason is not None)
            )
            assert seen.setdefault(alert.alert_id, alert.detected_at) == alert.detected_at
            assert 0 < len(alert.summary) < 120
            assert alert.target == alert.targets[0]
            assert alert.evidence
            if alert.status == "resolved":
                over.add(alert.alert_id)
            if alert.severity != "info":
                named.update(alert.accounts)
        raw = life.snapshot()
        life = Life.restore(raw)
        assert life.snapshot() == raw
    rows = life.named_accounts()
    assert named <= {row.account_id for row in rows}
    assert [(-row.score, row.account_id) for row in rows] == sorted((-row.score, row.account_id) for row in rows)
    assert {alert.alert_id for alert in life.firing()} == set(seen) - over


def test_a_thousand_accounts_are_listed_and_all_are_known():
    life = Life()
    (alert,) = life.step([finding(T0_MS, accounts=1_500)], T0_MS)
    assert (len(alert.accounts), alert.accounts_total) == (1_000, 1_500)
    assert alert.accounts[0] == "a0"
    assert len(life.members(alert.alert_id)) == len(life.named_accounts()) == 1_500


def test_an_account_that_was_named_keeps_its_row_when_it_leaves():
    life = Life()
    (alert,) = life.step([finding(T0_MS, accounts=3)], T0_MS)
    life.step([finding(T0_MS + HOUR_MS, members=(Member("b", 0.5, T0_MS, 1, 0, 1),))], T0_MS + HOUR_MS)
    assert [one.account_id for one in life.members(alert.alert_id)] == ["b"]
    rows = {row.account_id: row for row in life.named_accounts()}
    assert set(rows) == {"a0", "a1", "a2", "b"}
    assert rows["a0"].first_flagged_at == T0_MS
    assert rows["b"].score == 0.5


@pytest.mark.parametrize(("accounts", "told"), [(47, [40]), (48, [40, 48]), (34, [40]), (33, [40, 33])])
def test_a_fifth_more_accounts_or_fewer_are_told_and_less_is_not(accounts, told):
    life, records = Life(), []
    for hour, size in enumerate((40, accounts, accounts, accounts, accounts), 1):
        at_ms = T0_MS + hour * HOUR_MS
        records += life.step([finding(at_ms, accounts=size)], at_ms)
    assert [one.accounts_total for one in records] == told


def test_an_account_of_two_alerts_has_one_row_with_its_highest_score():
    life = Life()
    weak, strong = (Member("a", score, T0_MS, 1, 0, 1) for score in (0.4, 0.8))
    life.step([finding(T0_MS, "n1", members=(weak,)), finding(T0_MS, "n2", members=(strong,))], T0_MS)
    (row,) = life.named_accounts()
    assert (row.score, len(row.alert_ids)) == (0.8, 2)


def test_context_names_nobody():
    life = Life()
    (alert,) = life.step([finding(T0_MS, level=Level.INFO)], T0_MS)
    assert (alert.severity, life.named_accounts()) == ("info", [])


def test_context_without_a_comparison_is_not_worth_a_record():
    life = Life()
    assert life.step([finding(T0_MS, level=Level.INFO, evidence={"share_after": 0.1})], T0_MS)
    bare = finding(T0_MS, "other", level=Level.INFO)
    bare = Finding(**{name: getattr(bare, name) for name in bare.__slots__} | {"evidence": {"ticks": 2}})
    assert life.step([bare], T0_MS + HOUR_MS) == []


def test_there_is_only_so_much_context_at_once_and_the_rest_is_counted():
    life = Life()
    many = [finding(T0_MS, f"n{i:04d}", level=Level.INFO) for i in range(INFOS_MAX + 7)]
    assert len(life.step(many, T0_MS)) == INFOS_MAX
    assert life.infos_suppressed == 7


def test_two_alerts_of_one_subject_and_kind_in_one_tick_have_ids_of_their_own():
    life = Life()
    subject = Subject("cohort", "org_7", "org")
    came = life.step([finding(T0_MS, "k1", subject=subject), finding(T0_MS, "k2", subject=subject)], T0_MS)
    assert len({alert.alert_id for alert in came}) == 2


def test_the_id_depends_on_kind_subject_and_tick_and_on_nothing_else():
    def id_of(**changes):
        (alert,) = Life().step([finding(changes.pop("at_ms", T0_MS), **changes)], changes.get("tick_ms", T0_MS))
        return alert.alert_id

    assert id_of() == id_of(accounts=9, onset_ms=T0_MS - 1, level=Level.WARNING, evidence={"requests": 1})
    assert len({id_of(), id_of(kind="capability_shift"), id_of(subject=Subject("cluster", "x"))}) == 3


def test_the_order_in_which_findings_come_changes_nothing():
    findings = [finding(T0_MS, f"n{i}") for i in range(9)]
    assert Life().step(findings, T0_MS) == Life().step(findings[::-1], T0_MS)


def test_numpy_numbers_and_odd_values_become_plain_json():
    life = Life()
    odd = {"z": np.float64(4.123456789), "n": np.int64(7), "bad": float("nan"), "list": np.arange(3), "set": {"b", "a"}}
    (alert,) = life.step([finding(T0_MS, evidence=odd)], T0_MS)
    back = json.loads(encode(alert))["evidence"]
    assert back["z"] == 4.12346
    assert (back["n"], back["bad"], back["list"], back["set"]) == (7, None, [0, 1, 2], ["a", "b"])


def test_time_that_runs_back_is_refused():
    life = Life()
    life.step([], T0_MS)
    with pytest.raises(ValueError, match="expected a tick at or after"):
        life.step([], T0_MS - 1)


def test_two_findings_of_one_group_in_one_tick_are_refused():
    with pytest.raises(ValueError, match="one finding a group"):
        Life().step([finding(T0_MS), finding(T0_MS)], T0_MS)


@pytest.mark.parametrize("raw", [b"", b"\xc1", b"\x94\x02\x00\x90\x90"])
def test_bytes_that_are_no_snapshot_are_refused(raw):
    with pytest.raises(UnreadableLifeError, match="snapshot of alerts"):
        Life.restore(raw)


def test_ninety_days_after_its_end_an_alert_is_forgotten_once():
    life = Life()
    (opened,) = life.step([finding(T0_MS)], T0_MS)
    life.step([finding(T0_MS + HOUR_MS, phase=Phase.ADOPTED)], T0_MS + HOUR_MS)
    life.step([], T0_MS + HOUR_MS + FORGET_MS)
    assert life.forgotten() == []
    life.step([], T0_MS + 2 * HOUR_MS + FORGET_MS)
    assert (life.forgotten(), life.forgotten()) == ([opened.alert_id], [])
    assert (life.alerts(), life.named_accounts()) == ([], [])


def test_a_verdict_silences_for_longer_than_its_alert_is_remembered():
    life = Life()
    (opened,) = life.step([finding(T0_MS)], T0_MS)
    harmless = [Verdict(opened.alert_id, "harmless", "kim", T0_MS)]
    life.step([], T0_MS + HOUR_MS, verdicts=harmless)
    later = T0_MS + 2 * FORGET_MS
    life.step([], later, verdicts=harmless)
    assert life.step([finding(later + HOUR_MS)], later + HOUR_MS, verdicts=harmless) == []


def test_similar_alerts_are_those_of_the_same_group_and_then_those_with_the_same_accounts():
    life = Life()
    first = life.step([finding(T0_MS, "n1")], T0_MS)[0]
    life.step([finding(T0_MS + HOUR_MS, "n1", phase=Phase.ADOPTED)], T0_MS + HOUR_MS)
    at_ms = T0_MS + 2 * HOUR_MS
    again = life.step([finding(at_ms, "n1")], at_ms)[0]
    shared = life.step([finding(at_ms, "n2", accounts=2)], at_ms)[0]
    life.step([finding(at_ms, "n3", members=(Member("zz", 1, 0, 1, 0, 1),))], at_ms)
    assert [one.alert_id for one in life.similar(again.alert_id)] == [first.alert_id, shared.alert_id]
    assert life.similar("unknown") == []


def test_another_process_with_another_hash_seed_gives_the_same_bytes():
    code = (
        "import sys; sys.path.insert(0, 'tests/correlate')\n"
        "from importlib import import_module; t = import_module('test_life')\n"
        "life = t.Life(); out = []\n"
        "for h in range(1, 20):\n"
        "    at = t.T0_MS + h * t.HOUR_MS\n"
        "    e = {'set': {'x', 'y', 'z'}}\n"
        "    fs = [t.finding(at, f'n{i}', evidence=e, accounts=h * 3) for i in range(5)]\n"
        "    out += [t.encode(a) for a in life.step(fs, at)]\n"
        "print(t.json.dumps([o.decode() for o in out]), life.snapshot().hex())\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout
        for env in ({"PYTHONHASHSEED": seed, "PYTHONPATH": "."} for seed in ("1", "2"))
    ]
    assert runs[0] == runs[1]
