"""Why was a record refused? The closed set of reasons, and the exception that carries one."""

from __future__ import annotations

import enum


class Reject(enum.StrEnum):
    """The reasons of the contract: metric label, column of the rejects file and test expectation in one word."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_PROTOBUF = "not_protobuf"  # of dialects that are read in protobuf as well
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"  # over 1 MiB
    TOO_DEEP = "too_deep"  # more than 64 levels of arrays and objects
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"  # length, sign, number of entries
    BAD_TIMESTAMP = "bad_timestamp"  # a string that is not RFC 3339
    IMPOSSIBLE_TIME = "impossible_time"  # before 2015, after 9999, or far ahead of its neighbours
    DUPLICATE_EVENT = "duplicate_event"  # counted, no breach: the same request delivered twice
    LATE_EVENT = "late_event"  # counted, no breach: older than the lateness allows
    READER_FAILED = "reader_failed"  # no breach that we know of: the reader of the dialect has a fault


class Refusal(Exception):  # noqa: N818 - a verdict on a record, not a failure of ours
    """A record breaks the contract. `detail` says where, what was expected and what came.

    >>> str(Refusal(Reject.MISSING_FIELD, "$.model: expected a string, got nothing"))
    'missing_field: $.model: expected a string, got nothing'
    """

    def __init__(self, reason: Reject, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def refusal_of(error: Exception) -> Refusal:
    """What refuses a record whose reader raised this: a Refusal as it is, anything else as a fault of the reader.

    One record that a reader stumbles over must not stop all that come after it.

    >>> str(refusal_of(ValueError("invalid literal")))
    'reader_failed: $: a fault of the reader, to be reported with this record: ValueError: invalid literal'
    """
    if isinstance(error, Refusal):
        return error
    told = f"a fault of the reader, to be reported with this record: {type(error).__name__}: {str(error)[:200]}"
    return Refusal(Reject.READER_FAILED, f"$: {told}")
