"""Everything that waits, fails, or reads the world: Kafka, files, HTTP, alerts on their way out.

The way of a record: `sources` (bytes to requests) -> `pipeline` (frames, counts, judgement) -> `alerts` (their life)
-> `sinks` (to people). Without Kafka it runs in one process; with Kafka `ingest`, `detect` and `correlate` run it, on
what all `stages` have in common. `contract` is what crosses Swerve's borders; `commands` is what a person types.

Who may import whom is one table: tests/house/test_imports.py, drawn in docs/architecture.md.
"""
