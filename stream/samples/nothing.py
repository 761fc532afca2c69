"""Nothing in this log could be counted: why not?"""

from __future__ import annotations

from collections.abc import Sequence

from stream.contract.reading.arrays import records_of
from stream.contract.reading.refusal import Refusal
from stream.errors import SwerveError
from stream.mapping.named import OWN, Read, read_by
from stream.pipeline.embedded import Seen
from stream.samples.guess import looks_like


def refuse_nothing(seen: Seen, read: Read | None) -> None:
    """Raises SwerveError in one line where records came and not one was counted: the commonest reason, and a guess."""
    if not seen.records or seen.accepted or seen.not_counted["late_event"] or seen.not_counted["duplicate_event"]:
        return
    if seen.records > seen.no_requests + seen.not_counted.total():
        return  # some were not judged yet: the time of a record is judged by those that come after it
    first = [one for raw in seen.first for one in (records_of(raw) or [raw])]
    if seen.not_counted:
        reason, count = seen.not_counted.most_common(1)[0]
        why = f"{count:,} {reason}: {detail_of(first, read or read_by(OWN))}"
    else:
        why = "none of them is a completed request in this dialect"
    raise SwerveError(f"{seen.records:,} records read, not one could be counted; {why}; {looks_like(first)}")


def detail_of(raws: Sequence[bytes], read: Read) -> str:
    """What is wrong with the first record that is refused."""
    for raw in raws:
        try:
            parts = read(raw)
        except Refusal as refusal:
            return refusal.detail
        for part in parts:
            if isinstance(part, Refusal):
                return part.detail
    return "further on in it"
