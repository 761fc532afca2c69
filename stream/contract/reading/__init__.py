"""How is a record of others read? Strictly: a field is what the contract says, or the record is refused by reason.

In: bytes, and what a field may be. Out: frozen values, or a `Refusal` that says where, what was expected and what came.

Limits stand here, so that no record can cost more than its size: depth, length, the number of entries. May never touch:
what a record is about; the nouns stand one floor up.
"""
