"""How long may a name be that the contract does not limit? Capabilities, attributes and their values."""

from __future__ import annotations

from hashlib import blake2b

NAME_MAX = 256  # characters: 1 kB of UTF-8 at most, so that 32 attributes of a request take 64 kB
_KEPT = 200  # of a longer one, in front of its hash


def short_name(name: str) -> str:
    """The name; of one of over 256 characters its beginning and a hash of it all, so that equal ones stay equal.

    A table holds tens of thousands of names, and a summary all of a tick: one customer with names of a megabyte must
    not make a message of it that no broker takes.

    >>> short_name("org_7")
    'org_7'
    >>> len(short_name("x" * 900_000)), short_name("x" * 900_000) == short_name("x" * 899_999)
    (217, False)
    """
    if len(name) <= NAME_MAX:
        return name
    return f"{name[:_KEPT]}~{blake2b(name.encode(), digest_size=8).hexdigest()}"
