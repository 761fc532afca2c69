"""What must be equal between two ways through Swerve? Whole alert records, and counts per account, target and tick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from detectors.counts.summary import Summary
from stream.configuration.settings import Settings
from stream.contract.alert import Alert
from stream.pipeline.embedded import Embedded, behind


class Judgeless:
    """In place of the fleet where only counts matter."""

    def apply(self, summary: Summary) -> Sequence[Alert]:
        return ()


def summaries_of(settings: Settings, sources: dict[str, list[bytes]], batch: int = 5_000) -> list[Summary]:
    """The summaries of one process that holds all shards, over the same records."""
    found: list[Summary] = []
    embedded = Embedded(settings.parameters, list(sources), Judgeless(), on_summary=[found.append])
    read = dict.fromkeys(sources, 0)
    left = list(sources)
    while left:
        name = behind(embedded, left)
        at = read[name]
        records = sources[name][at : at + batch]
        embedded.read(name, records, range(at, at + len(records)))
        read[name] += len(records)
        ended = read[name] >= len(sources[name])
        embedded.advance(name, ended=ended)
        if ended:
            left.remove(name)
    return found


Counts = Counter[tuple[str, ...]]


def counts_of(summaries: Iterable[Summary], tick_ms: int, end_ms: int) -> Counts:
    """Requests by (what, who, target, tick) of every tick that ended by end_ms.

    "tick": an account's requests in a 5-minute tick. "day": its requests for a target in the 24 hours before an hour's
    end. "fleet", "cohort": requests of a cohort for a target in a 5-minute tick. A summary that says again what was
    said is left out by whoever calls.
    """
    counted: Counts = Counter()
    for summary in summaries:
        if (summary.tick + 1) * tick_ms > end_ms:
            continue
        _count_cohorts(counted, summary)
        _count_accounts(counted, summary)
    return counted


def _count_cohorts(counted: Counts, summary: Summary) -> None:
    cohorts = summary.cohorts
    for at, target, count in zip(cohorts.at, cohorts.target, cohorts.count, strict=True):
        dimension, value = cohorts.cohorts[at]
        counted["cohort", f"{dimension}={value}", cohorts.targets[target], str(summary.tick)] += int(count)


def _count_accounts(counted: Counts, summary: Summary) -> None:
    columns = summary.accounts
    if columns is None:
        return
    width = columns.bins.shape[1]
    for row, account in enumerate(columns.ids):
        for bin_, count in enumerate(columns.bins[row].tolist()):
            if count:
                counted["tick", account, "", str(summary.tick - width + 1 + bin_)] += count
        start, end = columns.fast.start[row], columns.fast.start[row + 1]
        for target, count in zip(columns.fast.items[start:end], columns.fast_count[start:end], strict=True):
            counted["day", account, columns.targets[target], str(summary.tick)] += int(count)


def difference(one: Counts, other: Counts, shown: int = 5) -> str:
    """ "" where they are equal, else how many entries differ, and the first of them."""
    wrong = sorted(key for key in one.keys() | other.keys() if one[key] != other[key])
    if not wrong:
        return ""
    told = "; ".join(f"{key}: {one[key]} and {other[key]}" for key in wrong[:shown])
    return f"{len(wrong)} of {len(one)} entries differ: {told}"


def first_copies(raws: Iterable[bytes], decode) -> list[Summary]:
    """Each tick of each partition once; a second copy must be the same to the byte."""
    seen: dict[tuple[int, tuple[int, ...]], bytes] = {}
    found = []
    for raw in raws:
        summary = decode(raw)
        key = summary.tick, summary.shards
        if key not in seen:
            seen[key] = raw
            found.append(summary)
        assert seen[key] == raw, f"tick {summary.tick} of shards {summary.shards[:3]}... was told in two ways"
    return found
