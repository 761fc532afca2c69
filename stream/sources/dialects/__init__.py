"""What does a record of another platform mean? One dialect a file, each with its table of fields (docs/adapting.md).

In: the bytes of one record. Out: requests of the contract, or a refusal with its reason; never an exception, whatever a
record holds. `named` lists the dialects; `mapped`, `mended` and `capabilities` are what they share.

No dialect reads a prompt or a completion. May never touch: files, the configuration, and what the other dialects say.
"""
