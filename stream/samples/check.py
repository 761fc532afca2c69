"""What does a mapping make of a sample? Each field, from where, how many lack it, and what can then be found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from detectors.parameters import RECORDED_MIN, Parameters
from stream.contract.reading.refusal import Refusal
from stream.contract.request import Request, decode
from stream.mapping.mapping import FIELDS
from stream.mapping.mapping import Mapping as Ready
from stream.mapping.steps import epoch_ms, integer
from stream.sources.dialects.otlp import Unfolded
from stream.sources.dialects.spans import Spans
from stream.spoken import percent
from stream.telemetry.costs import LARGE_SHARE, costs_of

ACCOUNTS_MIN = 3  # a sample of fewer says nothing of shares
VALUES_KEPT = 100_000
EXAMPLE_CHARACTERS = 40
REFUSALS_SHOWN = 10


@dataclass(slots=True)
class Told:
    """What one field or attribute became. By path: how many it gave; the values, and how often each came."""

    paths: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)

    def add(self, value: Any, where: str) -> None:
        """One more request has it."""
        self.paths[where] += 1
        if len(self.values) < VALUES_KEPT:
            self.values[str(value)] += 1

    @property
    def count(self) -> int:
        """How many have it."""
        return self.paths.total()


@dataclass(slots=True)
class Sample:
    """What came of the records of a sample. refused: (record, 1-based, and what is wrong), the first of them.

    no_request: how many records are none, by the condition that says so.
    """

    records: int = 0
    requests: int = 0
    fields: dict[str, Told] = field(default_factory=dict)
    attributes: dict[str, Told] = field(default_factory=dict)
    capabilities: Counter[str] = field(default_factory=Counter)
    no_request: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[int, str]] = field(default_factory=list)
    _spans: Spans = field(default_factory=Spans)

    def take(self, mapping: Ready, raws: Iterable[bytes]) -> None:
        """Read some more records."""
        for raw in raws:
            self.records += 1
            try:
                self._read(mapping, mapping.unfolded(raw))
            except Refusal as refusal:
                self._refuse(refusal)

    def take_ours(self, raws: Iterable[bytes]) -> None:
        """Read some more records of our own form, in which each field stands under its own name."""
        for raw in raws:
            self.records += 1
            try:
                request = decode(raw)
            except Refusal as refusal:
                self._refuse(refusal)
                continue
            self.requests += 1
            for name in FIELDS:
                if value := getattr(request, "at_ms" if name == "timestamp" else name):
                    self.fields.setdefault(name, Told()).add(value, name)
            for name, value in request.attributes.items():
                self.attributes.setdefault(name, Told()).add(value, f"attributes.{name}")
            self.capabilities.update(request.capabilities)

    def _read(self, mapping: Ready, held: list[Unfolded]) -> None:
        self.no_request.update(why for one in held if (why := mapping.why_none(one.record)) is not None)
        told = mapping.told(held, self._spans)
        asked = sum(mapping.why_none(one.record) is None for one in held)
        if len(told) < asked:
            self.no_request["another span of the same request"] += asked - len(told)
        for one, became in told:
            if isinstance(became, Refusal):
                self._refuse(became, came_from(mapping, one.record, became))
            else:
                self._count(mapping, one, became)

    def _refuse(self, refusal: Refusal, came: str = "") -> None:
        self.reasons[refusal.reason.value] += 1
        if len(self.refused) < REFUSALS_SHOWN:
            self.refused.append((self.records, refusal.detail + came))

    def _count(self, mapping: Ready, one: Unfolded, request: Request) -> None:
        self.requests += 1
        for name in FIELDS:
            value, where = mapping.field(name, one.record)
            if value is not None:
                self.fields.setdefault(name, Told()).add(value, where)
        for name, (value, where) in mapping.attributes_of(one.record).items():
            if name in request.attributes:
                self.attributes.setdefault(name, Told()).add(value, where)
        self.capabilities.update(request.capabilities)


def came_from(mapping: Ready, record: Mapping[str, Any], refusal: Refusal) -> str:
    """The end of a refusal's line: which key of the mapping is meant, from which path, and for a time what to write.

    A refusal says where the request is wrong, as the contract has it; who wrote the mapping looks for its key. Empty
    where no field of the mapping is meant.
    """
    name = refusal.detail.removeprefix("$.").partition(":")[0]
    if name not in FIELDS:
        return ""
    value, where = mapping.field(name, record)
    if not where:
        paths = [path.written for way in mapping.fields.get(name, ()) for path in way.paths]
        return f"; map {name}: nothing at {', '.join(f'`{one}`' for one in paths)}"
    return f"; map {name} from `{where}`{_of_time(value) if name == 'timestamp' else ''}"


def _of_time(value: Any) -> str:
    """What reads a time that the contract does not."""
    if isinstance(integer(value), int | float):
        return ': write its unit, `epoch = "s"`, "ms", "us" or "ns"'
    if isinstance(value, str) and epoch_ms(value, "ms", ZoneInfo("UTC")) != value:
        return ': write its time zone, `zone = "UTC"`'
    return ": `epoch` reads a number, `zone` a text without a time zone; this is neither"


def findings(sample: Sample, parameters: Parameters) -> Iterator[str]:
    """What can and cannot be found with what is there, and what a person should look at, a line each."""
    if not sample.requests:
        return
    yield from _accounts(sample)
    for name in sorted({*parameters.link_dimensions, *parameters.cohort_dimensions}):
        share = sample.attributes[name].count / sample.requests if name in sample.attributes else 0.0
        if share < RECORDED_MIN:
            costs = "; ".join(costs_of(name, parameters))
            yield f"{percent(share)} of the requests carry {name}: {costs}"
        elif sample.requests >= ACCOUNTS_MIN and len(sample.attributes[name].values) == 1:
            yield f"all requests carry one {name}: it compares nothing in this sample"
    yield _networks(sample, parameters)
    if not sample.capabilities:
        yield "no request shows a capability: shifts toward one are not found, those toward a model are"


def _accounts(sample: Sample) -> Iterator[str]:
    told = sample.fields["account_id"]
    for value, count in told.values.most_common(10):
        if len(told.values) >= ACCOUNTS_MIN and count > LARGE_SHARE * sample.requests:
            yield (
                f"account {_short(value)} is a {percent(count / sample.requests)} part of all requests: is it who is "
                f"billed? Else say so: `ignore` it, or take another path"
            )
    if len(told.values) == 1 and sample.requests >= ACCOUNTS_MIN:
        yield f"every request is of account {_short(next(iter(told.values)))}: nobody can be compared with anybody"


def _networks(sample: Sample, parameters: Parameters) -> str:
    """Whether a campaign over many accounts can page: that takes a tie, and organisations that are told apart."""
    ties = [name for name in parameters.link_dimensions if _is_carried(sample, name)]
    if not ties:
        return "campaigns over many accounts are NOT found: nothing ties accounts together"
    found = f"campaigns over many accounts are found by {', '.join(ties)}"
    if not _is_carried(sample, parameters.org_dimension):
        if parameters.payment_dimension in ties:
            return f"{found}, and page where they pay in many ways: {parameters.org_dimension} is not known"
        return f"{found}, but do NOT page: {parameters.org_dimension} is not known, so each is a warning at most"
    if len(ties) == 1:
        return f"{found} alone, and can page: on less evidence than two kinds of ties give, so later or not at all"
    return f"{found}, and can page"


def _is_carried(sample: Sample, name: str) -> bool:
    return name in sample.attributes and sample.attributes[name].count >= RECORDED_MIN * sample.requests


def _short(value: str) -> str:
    return value if len(value) <= EXAMPLE_CHARACTERS else f"{value[: EXAMPLE_CHARACTERS - 1]}…"


def example_of(told: Told) -> str:
    """One of its values, for a person."""
    return _short(next(iter(told.values), ""))


def rows(sample: Sample) -> Iterator[tuple[str, str, str, str]]:
    """A table: field, from where with how many, how many lack it, an example."""
    named: Mapping[str, Told] = {
        **{name: sample.fields.get(name, Told()) for name in FIELDS},
        **{f"attributes.{name}": told for name, told in sample.attributes.items()},
    }
    for name, told in named.items():
        places = ", ".join(f"{where} {count:,}" for where, count in told.paths.most_common())
        yield name, places or "nowhere", f"{sample.requests - told.count:,}", example_of(told)
    tags = ", ".join(f"{tag} {count:,}" for tag, count in sample.capabilities.most_common())
    yield "capabilities", tags or "none", "", ""
