"""How does another dialect's record become a request of ours? By our own contract, field by field."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

import orjson

from stream.contract.json_object import check_bytes, got
from stream.contract.refusal import Refusal, Reject
from stream.contract.request import Request, decode

_CLIENT_MAX = 128


def object_of(raw: bytes) -> dict[str, Any]:
    """The JSON object that a record is. Raises Refusal as `contract.request.decode` does for bytes like these."""
    check_bytes(raw)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refusal(Reject.NOT_JSON, f"$: expected one JSON object, got {len(raw)} bytes: {error}") from None
    if not isinstance(value, dict):
        raise Refusal(Reject.NOT_AN_OBJECT, f"$: expected an object, got {got(value)}")
    return value


def request_of(fields: Mapping[str, Any], origin: str) -> Request:
    """The request with these fields; what is None is not there. Held to the contract by the contract's own reader.

    `origin` says in a refusal where the fields were taken from.
    """
    present = {name: value for name, value in fields.items() if value is not None}
    attributes = present.get("attributes", {})
    present["attributes"] = {name: str(value) for name, value in attributes.items() if value not in (None, "")}
    try:
        return decode(orjson.dumps(present))
    except Refusal as refusal:
        raise Refusal(refusal.reason, f"{refusal.detail} ({origin})") from None
    except orjson.JSONEncodeError as error:
        raise Refusal(Reject.OUT_OF_RANGE, f"$: expected values that JSON can say, got {error} ({origin})") from None


def first(record: Mapping[str, Any], *names: str) -> Any:
    """The value of the first of these names that the record has, and neither null nor empty; None without one."""
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def ip_prefix(address: Any) -> str | None:
    """The network of a client's address: /24 of IPv4, /48 of IPv6. Takes a port, and the first of a forwarded list.

    >>> ip_prefix("198.51.100.7:443"), ip_prefix("[2001:db8:1:2::7]:443"), ip_prefix("10.0.0.1, 10.9.9.9")
    ('198.51.100.0/24', '2001:db8:1::/48', '10.0.0.0/24')
    """
    if not isinstance(address, str):
        return None
    host = address.split(",")[0].strip()
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
