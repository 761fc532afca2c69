"""What is one API request? The record of the contract, read strictly, or refused with a reason.

`decode` is the whole of it. `Line` is the same record one step earlier, for the encoder, which looks attributes and
capabilities up by their bytes and reads them only when it meets them for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from stream.contract.reading.fields import INTEGER_MAX, Fields
from stream.contract.reading.instant import instant_ms
from stream.contract.reading.json_object import UNREADABLE, check_bytes, plain

EVENT_ID_MAX = 128  # characters, as are the next
ACCOUNT_ID_MAX = 256
MODEL_MAX = 256
CAPABILITIES_MAX = 32  # entries
ATTRIBUTES_MAX = 32


class Request(msgspec.Struct, frozen=True):
    """One completed API request. No text of a prompt or a completion is ever in it.

    at_ms: event time, when the request completed, epoch milliseconds UTC. account_id: who is billed.
    capabilities: what it exercised, in the order given. attributes: of this request, dimension -> value.
    """

    event_id: str
    at_ms: int
    account_id: str
    model: str
    capabilities: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    attributes: dict[str, str] = {}


_Tokens = Annotated[int, Meta(ge=0, le=INTEGER_MAX)] | None


class Line(msgspec.Struct, frozen=True, gc=False):
    """A record whose fields have the right types and lengths, with what is inside of three of them still unread.

    An optional field that is null is as if it were left out.
    """

    event_id: Annotated[str, Meta(min_length=1, max_length=EVENT_ID_MAX)]
    timestamp: int | str
    account_id: Annotated[str, Meta(min_length=1, max_length=ACCOUNT_ID_MAX)]
    model: Annotated[str, Meta(min_length=1, max_length=MODEL_MAX)]
    capabilities: msgspec.Raw = msgspec.Raw(b"[]")
    input_tokens: _Tokens = 0
    output_tokens: _Tokens = 0
    attributes: msgspec.Raw = msgspec.Raw(b"{}")


read_line: Callable[[bytes], Line] = msgspec.json.Decoder(Line).decode
_capabilities: Callable[[bytes | msgspec.Raw], tuple[str, ...] | None] = msgspec.json.Decoder(
    Annotated[tuple[str, ...], Meta(max_length=CAPABILITIES_MAX)] | None
).decode
_attributes: Callable[[bytes | msgspec.Raw], dict[str, str | None] | None] = msgspec.json.Decoder(
    Annotated[dict[str, str | None], Meta(max_length=ATTRIBUTES_MAX)] | None
).decode


def read_capabilities(raw: bytes | msgspec.Raw) -> tuple[str, ...]:
    """What a record's capabilities say; raises what msgspec raises. None where they are null."""
    return _capabilities(raw) or ()


def read_attributes(raw: bytes | msgspec.Raw) -> dict[str, str]:
    """What a record's attributes say, without those that are null; raises what msgspec raises."""
    found = _attributes(raw) or {}
    if None not in found.values():
        return found  # type: ignore[return-value]
    return {name: value for name, value in found.items() if value is not None}


def decode(raw: bytes) -> Request:
    """The request that these bytes are. Never raises anything but Refusal, whatever the bytes. About 2.5 us.

    Unknown fields are ignored, but must be JSON in UTF-8. Of a key that comes twice the last counts. An optional field,
    or an attribute, that is null is as if it were left out.

    >>> decode(b'{"event_id": "e1", "timestamp": 1772362800000, "account_id": "a1", "model": "atlas-4"}').model
    'atlas-4'
    >>> decode(b'{"event_id": 7, "timestamp": 1772362800000, "account_id": "a1", "model": "atlas-4"}')
    Traceback (most recent call last):
    ...
    stream.contract.reading.refusal.Refusal: wrong_type: $.event_id: expected a string, got integer 7
    """
    try:
        if not plain(raw):
            check_bytes(raw)
        line = read_line(raw)
        capabilities, attributes = read_capabilities(line.capabilities), read_attributes(line.attributes)
    except UNREADABLE:
        return decode_closely(raw)
    return Request(
        line.event_id,
        instant_ms(line.timestamp, "$.timestamp"),
        line.account_id,
        line.model,
        capabilities,
        line.input_tokens or 0,
        line.output_tokens or 0,
        attributes,
    )


def decode_closely(raw: bytes) -> Request:
    """`decode` field by field, in the order of the contract's table: slower by far, and the one that knows why.

    What the quick way refuses is read again here, and this answer counts. So nothing hangs on the wording of an error
    of msgspec, and a key that comes twice, wrong first and right last, is right.
    """
    fields = Fields(raw)
    return Request(
        fields.text("event_id", EVENT_ID_MAX),
        fields.instant("timestamp"),
        fields.text("account_id", ACCOUNT_ID_MAX),
        fields.text("model", MODEL_MAX),
        fields.texts("capabilities", CAPABILITIES_MAX),
        fields.count("input_tokens"),
        fields.count("output_tokens"),
        fields.named_texts("attributes", ATTRIBUTES_MAX),
    )


def encode(request: Request) -> bytes:
    """The line of our own form that `decode` makes this request of. 2 us.

    >>> encode(Request("e1", 1772362800000, "a1", "atlas-4"))[:60]
    b'{"event_id":"e1","timestamp":1772362800000,"account_id":"a1"'
    """
    return msgspec.json.encode(
        {
            "event_id": request.event_id,
            "timestamp": request.at_ms,
            "account_id": request.account_id,
            "model": request.model,
            "capabilities": request.capabilities,
            "input_tokens": request.input_tokens,
            "output_tokens": request.output_tokens,
            "attributes": request.attributes,
        }
    )
