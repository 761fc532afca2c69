"""How does another dialect's record become a request of ours? By our own contract, field by field."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from stream.contract.reading.json_object import RECORD_BYTES_MAX, check_bytes, got
from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.request import ATTRIBUTES_MAX, CAPABILITIES_MAX, EVENT_ID_MAX, Request, decode
from stream.sources.dialects.mended import mended

_CLIENT_MAX = 128


def object_of(raw: bytes, bytes_max: int = RECORD_BYTES_MAX) -> dict[str, Any]:
    """The JSON object that a record is, with null where a part of it cannot be read (see `mended`).

    Raises Refusal as `contract.request.decode` does for bytes like these.
    """
    try:
        check_bytes(raw, bytes_max)
        value = orjson.loads(raw)
    except (Refusal, orjson.JSONDecodeError) as error:
        value = _around_what_is_bad(raw, error)
    if not isinstance(value, dict):
        raise Refusal(Reject.NOT_AN_OBJECT, f"$: expected an object, got {got(value)}")
    return value


def _around_what_is_bad(raw: bytes, error: Refusal | orjson.JSONDecodeError) -> Any:
    if isinstance(error, Refusal) and error.reason is not Reject.TOO_DEEP:
        raise error
    try:
        return orjson.loads(mended(raw))
    except orjson.JSONDecodeError as still:
        if isinstance(error, Refusal):
            raise error from None
        raise Refusal(Reject.NOT_JSON, f"$: expected one JSON object, got {len(raw)} bytes: {still}") from None


def request_of(fields: Mapping[str, Any], origin: str) -> Request:
    """The request with these fields; what is None is not there. Held to the contract by the contract's own reader.

    Who is billed, for what model and when decides whether it counts: an id that is too long is hashed, and of too many
    tags or attributes the first are taken, since a client may have set them. `origin` says in a refusal where the
    fields were taken from. Raises Refusal.
    """
    present = {name: value for name, value in fields.items() if value is not None}
    if "event_id" in present:
        present["event_id"] = _short(present["event_id"])
    if isinstance(present.get("capabilities"), list):
        present["capabilities"] = present["capabilities"][:CAPABILITIES_MAX]
    attributes = present.get("attributes", {}).items()
    present["attributes"] = dict(
        [(name, str(value)) for name, value in attributes if value not in (None, "")][:ATTRIBUTES_MAX]
    )
    try:
        return decode(orjson.dumps(present))
    except Refusal as refusal:
        raise Refusal(refusal.reason, f"{refusal.detail} ({origin})") from None
    except orjson.JSONEncodeError as error:
        raise Refusal(Reject.OUT_OF_RANGE, f"$: expected values that JSON can say, got {error} ({origin})") from None


def _short(event_id: Any) -> Any:
    """An id within the contract's length; one that is longer by its hash, so that its repeats are still known."""
    if not isinstance(event_id, str) or len(event_id) <= EVENT_ID_MAX:
        return event_id
    return f"blake2b:{blake2b(event_id.encode(), digest_size=16).hexdigest()}"


def ids_of(*ids: Any, between: str = "/") -> Any:
    """One id of several that are known of a request, the server's own among them: a client that sets one sets not all.

    >>> ids_of("resp_1", "call-1"), ids_of(None, "call-1"), ids_of("x", "x"), ids_of(None, None)
    ('resp_1/call-1', 'call-1', 'x', None)
    """
    known = [one for one in ids if one not in (None, "")]
    texts = dict.fromkeys(one for one in known if isinstance(one, str))
    return between.join(texts) if texts else next(iter(known), None)


def ip_prefix(address: Any) -> str | None:
    """The network of a client's address: /24 of IPv4, /48 of IPv6. Takes a port, and the first of a forwarded list.

    The last part of an address of IPv4 may be masked.

    >>> ip_prefix("198.51.100.7:443"), ip_prefix("[2001:db8:1:2::7]:443"), ip_prefix("10.0.0.1, 10.9.9.9")
    ('198.51.100.0/24', '2001:db8:1::/48', '10.0.0.0/24')
    >>> ip_prefix("198.51.100.***"), ip_prefix("unknown")
    ('198.51.100.0/24', None)
    """
    if not isinstance(address, str):
        return None
    host = address.split(",")[0].strip().removesuffix("***") + "0" * address.endswith("***")
    if host.startswith("["):
        host = host[1:].split("]")[0]
    elif host.count(":") == 1:
        host = host.split(":")[0]
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return None
    return str(ipaddress.ip_network(f"{host.split('%')[0]}/{24 if version == 4 else 48}", strict=False))


def client_of(user_agent: Any) -> str | None:
    """The first product of a user agent: what library, in what version.

    >>> client_of("openai-python/1.52.0 (Linux x86_64)")
    'openai-python/1.52.0'
    """
    return user_agent.split(" ")[0][:_CLIENT_MAX] or None if isinstance(user_agent, str) else None
