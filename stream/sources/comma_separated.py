"""Which records are in a file of comma-separated values? Each row as the JSON object that its header makes of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import orjson

_ROWS = 1024  # at a time
csv.field_size_limit(1 << 24)  # a row may hold a whole request; what is over the limit of a record is refused later


class NotCsvError(Exception):
    """The text is not what a reader of comma-separated values understands."""


def objects(lines: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
    """Rows as JSON, some thousand at a time; the first row names the columns. Some 5 us a row.

    Values are texts; an empty one is not there, and what a row has beyond the header is left out. A line feed inside of
    quotes is part of a value. What is no UTF-8 is replaced. Raises NotCsvError.

    >>> list(objects(iter([[b'id,note', b'1,"a, b', b'c"', b'2,']])))
    [[b'{"id":"1","note":"a, b\\\\nc"}', b'{"id":"2"}']]
    """
    gathered: list[bytes] = []
    try:
        for row in csv.DictReader(f"{line.decode(errors='replace')}\n" for batch in lines for line in batch):
            gathered.append(orjson.dumps({key: value for key, value in row.items() if key and value}))
            if len(gathered) >= _ROWS:
                yield gathered
                gathered = []
    except csv.Error as error:
        yield gathered
        raise NotCsvError(str(error)) from None
    yield gathered
