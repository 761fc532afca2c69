"""How does a record of another platform become a request? By a mapping: a way to each field, and what is a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Record
from dataclasses import dataclass, field
from typing import Any

from stream.contract.reading.json_object import got
from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.request import Request
from stream.mapping.evidence import Evidence
from stream.mapping.paths import Path
from stream.mapping.steps import Way, text_of
from stream.sources.dialects.capabilities import Shape, capabilities_of, tool_types
from stream.sources.dialects.mapped import object_of, request_of
from stream.sources.dialects.otlp import Unfolded, unfolded
from stream.sources.dialects.spans import Spans, Told

FIELDS = ("event_id", "timestamp", "account_id", "model", "input_tokens", "output_tokens")
REQUIRED = FIELDS[:4]
OTLP = "otlp"
EVERY = "*"  # the name of an attribute that stands for many: all that its path begins
Chain = tuple[Way, ...]
Found = tuple[Any, str]  # a value, and the path that gave it


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, ready to read records. Build it with `written.mapping_of`, which says what is wrong with one.

    name: what it reads, in a refusal. envelope: "otlp" where a message is a batch as OpenTelemetry sends it. records:
    where a document holds its records. absent: texts that stand for nothing wherever they are. when: by name, what
    makes a record a request. fields, attributes: the ways to each, best first. tags: given upstream; tools, finish:
    types of the tools offered, reasons why it ended; evidence: by tag, what shows it.
    """

    name: str
    fields: Record[str, Chain]
    attributes: Record[str, Chain] = field(default_factory=dict)
    when: Record[str, Evidence] = field(default_factory=dict)
    evidence: Record[str, Evidence] = field(default_factory=dict)
    tags: Chain = ()
    tools: Chain = ()
    finish: Chain = ()
    conversation: Evidence | None = None
    envelope: str = ""
    records: Path | None = None
    absent: frozenset[str] = frozenset()

    def reader(self) -> Callable[[bytes], list[Request | Refusal]]:
        """What reads one stream of records, and remembers from one to the next which spans were counted."""
        spans = Spans()
        return lambda raw: self.read(raw, spans)

    def read(self, raw: bytes, spans: Spans | None = None) -> list[Request | Refusal]:
        """The requests of a raw record, a Refusal in place of one that breaks the contract; none where it holds none.

        spans: those of the records before; none where it is read for itself. Raises Refusal of the whole. 100 to 300 us
        a request.
        """
        if self.envelope != OTLP and self.records is None:
            return [self.request(one) for one in self.unfolded(raw) if self.why_none(one.record) is None]
        return [became for _, became in self.told(self.unfolded(raw), Spans() if spans is None else spans)]

    def told(self, held: Sequence[Unfolded], spans: Spans) -> list[Told]:
        """What those that are requests became, each request once. held: all that a raw record holds."""
        told = [(one, self._or_refusal(one)) for one in held if self.why_none(one.record) is None]
        return spans.once(held, told) if self.envelope == OTLP else told

    def unfolded(self, raw: bytes) -> list[Unfolded]:
        """The records that a raw one holds: itself, or what is in its envelope. Raises Refusal."""
        if self.envelope == OTLP:
            return list(unfolded(raw))
        message = object_of(raw)
        if self.records is None:
            return [Unfolded(message, "")]
        held = self.records.of(message)
        if held is None:
            return [Unfolded(message, "")]
        where = f"$.{self.records.written}"
        if not isinstance(held, list):
            raise Refusal(Reject.WRONG_TYPE, f"{where}: expected an array of records, got {got(held)}")
        return [Unfolded(one if isinstance(one, dict) else {}, f"{where}[{at}]") for at, one in enumerate(held)]

    def why_none(self, record: Record[str, Any]) -> str | None:
        """The name of the first condition for which a record is no request; None where it is one."""
        return next((name for name, shown in self.when.items() if not shown.holds(record, self.absent)), None)

    def request(self, one: Unfolded) -> Request:
        """The request that a record is. Raises Refusal."""
        fields = {name: self.field(name, one.record)[0] for name in FIELDS}
        for name in ("event_id", "account_id", "model"):
            fields[name] = _name_of(fields[name])
        fields["capabilities"] = self.capabilities(one.record)
        fields["attributes"] = {name: value for name, (value, _) in self.attributes_of(one.record).items()}
        return request_of(fields, f"from {one.where or self.name}")

    def _or_refusal(self, one: Unfolded) -> Request | Refusal:
        try:
            return self.request(one)
        except Refusal as refusal:
            return refusal

    def field(self, name: str, record: Record[str, Any]) -> Found:
        """What a field becomes, and from where; (None, "") where nothing gives it."""
        return self._first(self.fields.get(name, ()), record)

    def attributes_of(self, record: Record[str, Any]) -> dict[str, Found]:
        """Every attribute that the record has, and from where."""
        found: dict[str, Found] = {}
        for name, chain in self.attributes.items():
            if name == EVERY:
                found |= _beginning(chain, record)
                continue
            value, where = self._first(chain, record)
            if (text := text_of(value)) is not None:
                found[name] = (text, where)
        return found

    def capabilities(self, record: Record[str, Any]) -> list[str]:
        """The tags of a request: those given upstream, then what its shape shows."""
        finish = self._first(self.finish, record)[0]
        shape = Shape(
            tools=tool_types(self._first(self.tools, record)[0]),
            finish=tuple(map(str, finish if isinstance(finish, list) else [finish])) if finish is not None else (),
            conversation=self.conversation is not None and self.conversation.holds(record, self.absent),
        )
        shown = [tag for tag, evidence in self.evidence.items() if evidence.holds(record, self.absent)]
        tagged = self._first(self.tags, record)[0]
        tags = tagged if isinstance(tagged, list) else [tagged] if isinstance(tagged, str) else []
        texts = [text for one in tags if (text := text_of(one)) is not None]
        return list(dict.fromkeys([*capabilities_of(shape, texts), *shown]))

    def _first(self, chain: Chain, record: Record[str, Any]) -> Found:
        for way in chain:
            value, where = way.value(record, self.absent)
            if value is not None and value != "":
                return value, where
        return None, ""


def _name_of(value: Any) -> Any:
    """A number as the text that it is written as; what is neither is left to the contract to refuse."""
    return text_of(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _beginning(chain: Chain, record: Record[str, Any]) -> dict[str, Found]:
    """Attributes by the rest of their key, for every key of a flat record that begins with a path."""
    found: dict[str, Found] = {}
    for path in [path for way in chain for path in way.paths]:
        beginning = f"{path.written}."
        for key, value in record.items():
            if key.startswith(beginning) and (text := text_of(value)) not in (None, ""):
                found[key.removeprefix(beginning)] = (text, key)
    return found
