"""The path of a record without Kafka: bytes to frames, frames to counts, counts to alerts. Every mode calls it.

In: raw records of a source with their offsets; or frames and summaries, where Kafka stands between the parts. Out:
frames (`encode`, `frames`, sealed by `envelope`), summaries, alert records (`composition`); `embedded` joins all three
in one process.

Time is in the records: the same records give the same alerts, at any speed, in any mode. The bytes of frames and
envelopes are a contract with our own older versions; golden files hold them.

May never touch: a clock, a socket, a client of Kafka, a log line, and those who run it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.pipeline.composition import Fleet, Shards
    from stream.pipeline.embedded import Embedded

_HOME_OF = {"Embedded": "embedded", "Fleet": "composition", "Shards": "composition"}
__all__ = ["Embedded", "Fleet", "Shards"]  # what docs/library.md documents for other pipelines


def __getattr__(name: str) -> Any:
    """One of these, when it is asked for: an ingest worker needs the frames alone. Raises AttributeError."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'stream.pipeline' has no attribute {name!r}")
    return getattr(import_module(f"stream.pipeline.{_HOME_OF[name]}"), name)
