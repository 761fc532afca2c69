"""What are accounts, organisations and attribute values called? Hashes, as a platform would record them."""

from __future__ import annotations

from hashlib import blake2b


def hashed(seed: int, kind: str, index: int, size: int = 5) -> str:
    """A name of 2 x size hexadecimal digits, the same for the same seed, kind and index.

    >>> hashed(1, "payment", 0) == hashed(1, "payment", 0), len(hashed(1, "payment", 0))
    (True, 10)
    """
    return blake2b(f"{seed}/{kind}/{index}".encode(), digest_size=size).hexdigest()


def account_name(seed: int, index: int) -> str:
    """The `account_id` of an account."""
    return f"acct_{hashed(seed, 'account', index)}"


def org_name(seed: int, index: int) -> str:
    """The value of `org` of an organisation."""
    return f"org_{hashed(seed, 'org', index, 4)}"
