"""What the peers are given: one score, and versions that are pinned. That they run is seen by `make peers`."""

from __future__ import annotations

import re

import pytest

from benchmarks.peers import share
from benchmarks.peers.environments import HERE, version_of

RECORD = {"model": "a", "capabilities": ["coding", "tool_use"]}


def minutes(*models):
    """(whether it is told, how far it moved) of each minute, of one request each."""
    normal, told = None, []
    for model in models:
        counts = share.add(share.nothing(), RECORD | {"model": model})
        before = 0 if normal is None else normal["minutes"]
        normal, change = share.compare(normal, counts)
        told.append((share.is_told(before, change), round(change, 3)))
    return told


def test_an_account_that_does_as_always_is_never_told():
    assert minutes(*"a" * 20) == [(False, 0.0)] * 20


def test_a_share_that_moved_is_told_until_it_became_normal():
    told = [told for told, _ in minutes(*"a" * 10, *"b" * 10)]
    assert told == [False] * 10 + [True] * 7 + [False] * 3


def test_a_new_account_is_not_told():
    assert minutes("a", "b") == [(False, 0.0), (False, 1.0)]


@pytest.mark.parametrize(("peer", "package"), [("quix", "quixstreams"), ("bytewax", "bytewax"), ("faust", "river")])
def test_every_package_of_a_peer_is_pinned(peer, package):
    lines = (HERE / f"{peer}.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.]+", line) for line in lines), lines
    assert version_of(peer, package)
