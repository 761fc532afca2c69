"""What is left when a run has ended? One self-contained HTML page, rows of JSON, and truth held against alerts.

In: what a run saw (`history`), its alerts. Out: a page without anything from another host (`page`, `charts`), numbers
in words (`spoken`), NDJSON (`ndjson`), and what of a simulation's truth was found (`planted`).

The console and the terminal draw from `history`, `charts` and `spoken` too, so that all say the same.

May never touch: a running stage, Kafka, the network.
"""
