"""What is one API request? The record of the contract, read strictly, or refused with a reason.

`decode` is the whole of it. `Line` is the same record one step earlier, for the encoder, which looks attributes and
capabilities up by their bytes and reads them only when it meets them for the first time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import msgspec
import numpy as np
from msgspec import Meta

from stream.contract.instant import instant_ms
from stream.contract.refusal import Refusal, Reject

RECORD_BYTES_MAX = 1 << 20  # 1 MiB
DEPTH_MAX = 64  # levels of arrays and objects, the record itself included
EVENT_ID_MAX = 128  # characters, as are the next
ACCOUNT_ID_MAX = 256
MODEL_MAX = 256
CAPABILITIES_MAX = 32  # entries
ATTRIBUTES_MAX = 32
TOKENS_MAX = (1 << 63) - 1  # what an int64 column holds


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


_Tokens = Annotated[int, Meta(ge=0, le=TOKENS_MAX)]


class Line(msgspec.Struct, frozen=True, gc=False):
    """A record whose fields have the right types and lengths, with what is inside of three of them still unread."""

    event_id: Annotated[str, Meta(min_length=1, max_length=EVENT_ID_MAX)]
    timestamp: int | str
    account_id: Annotated[str, Meta(min_length=1, max_length=ACCOUNT_ID_MAX)]
    model: Annotated[str, Meta(min_length=1, max_length=MODEL_MAX)]
    capabilities: msgspec.Raw = msgspec.Raw(b"[]")
    input_tokens: _Tokens = 0
    output_tokens: _Tokens = 0
    attributes: msgspec.Raw = msgspec.Raw(b"{}")


#: What a reader of a record may raise: the second is not a DecodeError, the third comes from deep nesting.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

read_line: Callable[[bytes], Line] = msgspec.json.Decoder(Line).decode
read_capabilities: Callable[[bytes | msgspec.Raw], tuple[str, ...]] = msgspec.json.Decoder(
    Annotated[tuple[str, ...], Meta(max_length=CAPABILITIES_MAX)]
).decode
read_attributes: Callable[[bytes | msgspec.Raw], dict[str, str]] = msgspec.json.Decoder(
    Annotated[dict[str, str], Meta(max_length=ATTRIBUTES_MAX)]
).decode
_read_fields: Callable[[bytes], dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def plain(raw: bytes) -> bool:
    """Is it certain, at a glance, that size, encoding and nesting of a record are in order? 0.1 us.

    msgspec checks neither the encoding of what it skips nor the depth. False only means: look closely.
    """
    return len(raw) <= RECORD_BYTES_MAX and raw.isascii() and raw.count(b"{") + raw.count(b"[") <= DEPTH_MAX


def decode(raw: bytes) -> Request:
    """The request that these bytes are. Never raises anything but Refusal, whatever the bytes. About 2 us.

    Unknown fields are ignored, but must be JSON in UTF-8. Of a key that comes twice the last counts.

    >>> decode(b'{"event_id": "e1", "timestamp": 1772362800000, "account_id": "a1", "model": "atlas-4"}').model
    'atlas-4'
    >>> decode(b'{"event_id": 7, "timestamp": 1772362800000, "account_id": "a1", "model": "atlas-4"}')
    Traceback (most recent call last):
    ...
    stream.contract.refusal.Refusal: wrong_type: $.event_id: expected a string, got integer 7
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
        line.input_tokens,
        line.output_tokens,
        attributes,
    )


def check_bytes(raw: bytes) -> None:
    """Raises Refusal where size, encoding or depth breaks the contract, in this order. O(length)."""
    if len(raw) > RECORD_BYTES_MAX:
        raise Refusal(Reject.TOO_LARGE, f"$: expected at most {RECORD_BYTES_MAX} bytes, got {len(raw)}")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise Refusal(
            Reject.NOT_UTF8, f"$: expected UTF-8, got byte 0x{raw[error.start]:02x} at byte {error.start}"
        ) from None
    depth = _depth(raw)
    if depth > DEPTH_MAX:
        raise Refusal(Reject.TOO_DEEP, f"$: expected at most {DEPTH_MAX} levels of nesting, got {depth}")


# Possessive, and the closing quote optional: linear in the length even where a string never ends.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_STEP = np.zeros(256, np.int64)
_STEP[list(b"{[")] = 1
_STEP[list(b"}]")] = -1


def _depth(raw: bytes) -> int:
    """The deepest nesting of brackets outside of strings."""
    if raw.count(b"{") + raw.count(b"[") <= DEPTH_MAX:
        return 0
    outside = np.frombuffer(_STRING.sub(b"", raw), np.uint8)
    return int(np.cumsum(_STEP[outside]).max(initial=0))


def decode_closely(raw: bytes) -> Request:
    """`decode` field by field, in the order of the contract's table: slower by far, and the one that knows why.

    What the quick way refuses is read again here, and this answer counts. So nothing hangs on the wording of an error
    of msgspec, and a key that comes twice, wrong first and right last, is right.
    """
    check_bytes(raw)
    fields = _fields(raw)
    return Request(
        _text(fields, "event_id", EVENT_ID_MAX),
        _instant(fields, "timestamp"),
        _text(fields, "account_id", ACCOUNT_ID_MAX),
        _text(fields, "model", MODEL_MAX),
        _capabilities(fields),
        _count(fields, "input_tokens"),
        _count(fields, "output_tokens"),
        _attributes(fields),
    )


def _fields(raw: bytes) -> dict[str, msgspec.Raw]:
    """The fields of an object, unread; raises Refusal `not_json` or `not_an_object`."""
    try:
        return _read_fields(raw)
    except msgspec.ValidationError:
        pass
    except UNREADABLE as error:
        _refuse_json(raw, error)
    try:
        value = msgspec.json.decode(raw)  # an array may be broken behind the bracket that gave it away
    except UNREADABLE as error:
        _refuse_json(raw, error)
    raise Refusal(Reject.NOT_AN_OBJECT, f"$: expected an object, got {_got(value)}")


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _refuse_json(raw: bytes, error: Exception) -> NoReturn:
    if not raw.strip(b" \t\r\n"):
        raise Refusal(Reject.NOT_JSON, "$: expected a JSON object, got an empty line") from None
    hint = "; it has a \\ud8.. escape, which must come in a pair" if _SURROGATE.search(raw) else ""
    raise Refusal(Reject.NOT_JSON, f"$: expected one JSON object, got {len(raw)} bytes: {error}{hint}") from None


_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


def _got(value: Any) -> str:
    """What came, in JSON's words and short: a value of a wrong type may be anything, of any size."""
    if value is None:
        return "null"
    name = _NAMES.get(type(value), type(value).__name__)
    if isinstance(value, bool):
        return f"{name} {str(value).lower()}"
    if isinstance(value, int) and value.bit_length() > 64:  # Python refuses to print some of these
        return f"integer of {value.bit_length()} bits"
    if isinstance(value, (int, float)):
        return f"{name} {value}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _value(fields: dict[str, msgspec.Raw], name: str) -> Any:
    """The value of a field. Its bytes were found to be JSON, so only a number beyond all measure cannot be read."""
    try:
        return msgspec.json.decode(fields[name])
    except (ValueError, msgspec.MsgspecError) as error:
        raise Refusal(Reject.OUT_OF_RANGE, f"$.{name}: expected a value that can be read, got {error}") from None


def _required(fields: dict[str, msgspec.Raw], name: str, expected: str) -> Any:
    if name not in fields:
        raise Refusal(Reject.MISSING_FIELD, f"$.{name}: expected {expected}, got nothing")
    return _value(fields, name)


def _text(fields: dict[str, msgspec.Raw], name: str, length_max: int) -> str:
    value = _required(fields, name, "a string")
    if not isinstance(value, str):
        raise Refusal(Reject.WRONG_TYPE, f"$.{name}: expected a string, got {_got(value)}")
    if not 1 <= len(value) <= length_max:
        raise Refusal(Reject.OUT_OF_RANGE, f"$.{name}: expected 1 to {length_max} characters, got {len(value)}")
    return value


def _instant(fields: dict[str, msgspec.Raw], name: str) -> int:
    expected = "integer epoch milliseconds or an RFC 3339 string"
    value = _required(fields, name, expected)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise Refusal(Reject.WRONG_TYPE, f"$.{name}: expected {expected}, got {_got(value)}")
    return instant_ms(value, f"$.{name}")


def _count(fields: dict[str, msgspec.Raw], name: str) -> int:
    if name not in fields:
        return 0
    value = _value(fields, name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(Reject.WRONG_TYPE, f"$.{name}: expected an integer, got {_got(value)}")
    if not 0 <= value <= TOKENS_MAX:
        raise Refusal(Reject.OUT_OF_RANGE, f"$.{name}: expected an integer from 0 to {TOKENS_MAX}, got {_got(value)}")
    return value


def _capabilities(fields: dict[str, msgspec.Raw]) -> tuple[str, ...]:
    if "capabilities" not in fields:
        return ()
    value = _value(fields, "capabilities")
    if not isinstance(value, list):
        raise Refusal(Reject.WRONG_TYPE, f"$.capabilities: expected an array of strings, got {_got(value)}")
    if len(value) > CAPABILITIES_MAX:
        raise Refusal(
            Reject.OUT_OF_RANGE, f"$.capabilities: expected at most {CAPABILITIES_MAX} entries, got {len(value)}"
        )
    for index, one in enumerate(value):
        if not isinstance(one, str):
            raise Refusal(Reject.WRONG_TYPE, f"$.capabilities[{index}]: expected a string, got {_got(one)}")
    return tuple(value)


def _attributes(fields: dict[str, msgspec.Raw]) -> dict[str, str]:
    if "attributes" not in fields:
        return {}
    value = _value(fields, "attributes")
    if not isinstance(value, dict):
        raise Refusal(Reject.WRONG_TYPE, f"$.attributes: expected an object of strings, got {_got(value)}")
    if len(value) > ATTRIBUTES_MAX:
        raise Refusal(Reject.OUT_OF_RANGE, f"$.attributes: expected at most {ATTRIBUTES_MAX} entries, got {len(value)}")
    for name, one in value.items():
        if not isinstance(one, str):
            raise Refusal(Reject.WRONG_TYPE, f"$.attributes.{name[:64]}: expected a string, got {_got(one)}")
    return value
