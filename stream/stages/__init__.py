"""What has every Kafka stage around its own work? Start, stop, readiness, and a state that survives both.

In: an engine (what a stage does with a message), the configuration. Out: a process that is ready or says why not
(`stage`), state continued exactly where it stands (`shell`, `heads`), messages in their order (`drive`).

Faust is known to `faust_log` alone, and each line of it has a test against a real broker. Nothing counts twice and
nothing is lost: docs/exactly-once.md says how, and by which file.

May never touch: what a stage decides. It does not read a frame, a summary or an alert.
"""
