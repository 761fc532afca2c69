"""How does a record of another platform become a request? By a mapping: data that says where each field stands.

In: tables of TOML (`written`) and the bytes of one record. Out: requests of the contract, or a refusal with its reason;
never an exception, whatever a record holds (`mapping`, of `paths`, `steps`, `evidence`). `presets` are shipped, and
`named` finds one by its dialect.

May never touch: the text of a prompt or a completion, the configuration, and files other than a mapping's.
"""
