"""What a judge knew of declared cohorts, it knows after a restart."""

from __future__ import annotations

import numpy as np

from detectors.comparison.cohorts import HISTORY_TICKS, TICKS_MIN
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.counts.summary import CohortCounts
from detectors.fleet import Judge
from detectors.parameters import Parameters

ORGS = 10
TURNED_AT = HISTORY_TICKS + 24
ENDS_AT = TURNED_AT + 4 * TICKS_MIN


def counts(tick: int) -> CohortCounts:
    """40 requests of each organisation, a fifth of them for coding; of the first nearly all, from TURNED_AT on."""
    coding = np.full(ORGS, 8)
    if tick >= TURNED_AT:
        coding[0] = 38
    requests = np.full(ORGS, 40)
    return CohortCounts(
        cohorts=(("", ""), *(("org", f"org_{i}") for i in range(ORGS))),
        targets=("capability:coding",),
        requests=np.append(requests.sum(), requests),
        accounts=np.append(30 * ORGS, np.full(ORGS, 30)),
        at=np.arange(ORGS + 1),
        target=np.zeros(ORGS + 1, np.int64),
        count=np.append(coding.sum(), coding),
    )


def restarted(judge: Judge) -> Judge:
    other = Judge(Parameters())
    other.restore(from_bytes(to_bytes(judge.state())))
    return other


def test_a_turn_is_found_alike_with_and_without_a_restart_in_its_middle():
    judge = Judge(Parameters())
    for tick in range(TURNED_AT + 3):
        assert judge.cohorts([counts(tick)], tick) == []
    other = restarted(judge)
    said = [[one.cohorts([counts(tick)], tick) for tick in range(TURNED_AT + 3, ENDS_AT)] for one in (judge, other)]
    assert said[0] == said[1]
    assert {finding.subject.id for findings in said[0] for finding in findings} == {"org_0"}
