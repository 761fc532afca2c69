"""The path of a record without Kafka: bytes to frames, frames to counts, counts to alerts. Every mode calls it.

In: raw records of a source with their offsets; or frames and summaries, where Kafka stands between the parts. Out:
frames (`encode`, `frames`, sealed by `envelope`), summaries, alert records (`composition`); `embedded` joins all three
in one process.

Time is in the records: the same records give the same alerts, at any speed, in any mode. The bytes of frames and
envelopes are a contract with our own older versions; golden files hold them.

May never touch: a clock, a socket, a client of Kafka, a log line, and those who run it.
"""
