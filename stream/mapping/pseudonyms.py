"""Under which name does Swerve know an account, where nothing behind ingest may hold its own? A keyed hash of it.

The same key gives the same names, so that counts go on; without the key nobody tells who is behind one, nor tries all
accounts that there may be. Of the same text every dimension has another name: what is shared stays shared, and no more
can be joined than before. BLAKE2b, RFC 7693, with its own key: 96 bits, of which a billion accounts share none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from hashlib import blake2b

import msgspec

from stream.contract.reading.refusal import Refusal
from stream.contract.request import Request

REMEMBERED_MAX = 65_536  # accounts and values whose names are looked up instead of hashed: some 20 MB
_FORM = re.compile(r"px[0-9a-f]{24}")
Read = Callable[[bytes], Sequence[Request | Refusal]]


class Pseudonyms:
    """The names that one key gives.

    >>> names = Pseudonyms(b"a key of sixteen bytes or more")
    >>> names.account("acct_7"), names.value("org", "acct_7") == names.account("acct_7")
    ('pxd54d3bbd3bffcd0b6b285774', False)
    """

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key).digest()
        self.account = lru_cache(REMEMBERED_MAX)(self._account)
        self.value = lru_cache(REMEMBERED_MAX)(self._value)

    def _account(self, account_id: str) -> str:
        """The name of an account."""
        return self._name("account", account_id)

    def _value(self, dimension: str, value: str) -> str:
        """The name of an attribute's value; an organisation is one as well."""
        return self._name(f"value\0{dimension}", value)

    def _name(self, of: str, text: str) -> str:
        said = f"{of}\0{text}".encode("utf-8", "surrogatepass")
        return f"px{blake2b(said, key=self._key, digest_size=12).hexdigest()}"

    def request(self, request: Request) -> Request:
        """The same request under these names. Dimensions, model and capabilities keep theirs."""
        attributes = {dimension: self.value(dimension, value) for dimension, value in request.attributes.items()}
        return msgspec.structs.replace(request, account_id=self.account(request.account_id), attributes=attributes)

    def reading(self, read: Read) -> Read:
        """How records are read, and then renamed, before anything else is done with them."""

        def renamed(raw: bytes) -> Sequence[Request | Refusal]:
            return [one if isinstance(one, Refusal) else self.request(one) for one in read(raw)]

        return renamed


@cache
def pseudonyms_of(key: str) -> Pseudonyms:
    """The names that a configured key gives; the same object for the same key."""
    return Pseudonyms(key.encode())


def is_pseudonym(text: str) -> bool:
    """Whether a person has typed a name of ours, and no account's own. What comes in records is always renamed.

    >>> is_pseudonym("pxd54d3bbd3bffcd0b6b285774"), is_pseudonym("acct_7")
    (True, False)
    """
    return _FORM.fullmatch(text) is not None
