"""What are the records of a Parquet file? Each row as the JSON that it would be in a log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from stream.contract.request import Request

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PARQUET_MAGIC = b"PAR1"
_ROWS = 4096  # at a time
_BYTES = 32 << 20  # of records at a time: text that many rows share takes the file next to nothing
_PIECE = 64  # rows made into records before their bytes are looked at
_CHUNK_BYTES_MAX = 1 << 30  # of one column in a row group, unpacked; writers make 1 MB to some hundred
COLUMNS = ("timestamp", *(name for name in Request.__struct_fields__ if name != "at_ms"))


class NotParquetError(Exception):
    """The bytes are no Parquet file, or a damaged one."""


def rows(file: BinaryIO) -> Iterator[tuple[list[bytes], float]]:
    """Rows as JSON, some thousand at a time, and the share of the file that they complete. Some 15 us a row.

    A null is a field, or an attribute, that is not there. A timestamp column without a zone is taken as UTC. What JSON
    cannot say, or nobody can read (text that is no UTF-8, a time beyond Python's), becomes an object, which no field of
    a record takes. Text that many rows share is held once, and records are given by their bytes, so that a file that
    grows a thousand times takes no more memory than any other. Raises NotParquetError, and nothing else.
    """
    import pyarrow.parquet as pq

    try:
        metadata = pq.ParquetFile(file).metadata
        _refuse_what_grows(metadata)
        table = pq.ParquetFile(file, read_dictionary=_texts(metadata))
        columns = [name for name in table.schema_arrow.names if name in COLUMNS]
        done, total = 0, max(table.metadata.num_rows, 1)
        for batch in table.iter_batches(batch_size=_ROWS, columns=columns):
            done += batch.num_rows
            for records in _by_bytes(_in_ms(batch)):
                yield records, done / total
    except Exception as error:  # Arrow raises what Python's own types do, by what is in the file
        raise NotParquetError((str(error) or type(error).__name__).splitlines()[0]) from None


def _refuse_what_grows(metadata: pq.FileMetaData) -> None:
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for at in range(row_group.num_columns):
            size = row_group.column(at).total_uncompressed_size
            if size > _CHUNK_BYTES_MAX:
                path = row_group.column(at).path_in_schema
                raise NotParquetError(
                    f"{path} has {size:,} bytes in row group {group}, expected at most {_CHUNK_BYTES_MAX:,}: write it "
                    "with smaller row groups"
                )


def _texts(metadata: pq.FileMetaData) -> list[str]:
    """The columns of text that no list or map holds: of the others Arrow cannot keep what is shared apart."""
    columns = [metadata.schema.column(at) for at in range(metadata.num_columns)]
    return [one.path for one in columns if one.physical_type == "BYTE_ARRAY" and one.path in COLUMNS]


def _by_bytes(batch: pa.RecordBatch) -> Iterator[list[bytes]]:
    """The rows of a batch as records, so many at a time as their bytes allow."""
    records, size = list[bytes](), 0
    for first in range(0, batch.num_rows, _PIECE):
        for row in _rows_of(batch.slice(first, _PIECE)):
            records.append(_json(row))
            size += len(records[-1])
            if size >= _BYTES:
                yield records
                records, size = [], 0
    if records:
        yield records


def _rows_of(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    try:
        whole: list[dict[str, Any]] = batch.to_pylist(maps_as_pydicts="lossy")
    except Exception:  # of one value, whose kind decides what it raises: the others are read one by one
        columns = {name: batch.column(at) for at, name in enumerate(batch.schema.names)}
        return [{name: _cell(column[at]) for name, column in columns.items()} for at in range(batch.num_rows)]
    return whole


def _cell(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py(maps_as_pydicts="lossy")
    except Exception as error:
        return _unsayable(error)


def _in_ms(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with a timestamp column, of whatever unit, as integer epoch milliseconds."""
    import pyarrow as pa

    at = batch.schema.get_field_index("timestamp")
    if at < 0 or not pa.types.is_timestamp(batch.schema.field(at).type):
        return batch
    zone = batch.schema.field(at).type.tz
    at_ms = batch.column(at).cast(pa.timestamp("ms", zone), safe=False).cast(pa.int64())
    return batch.set_column(at, "timestamp", at_ms)


def _json(row: dict[str, Any]) -> bytes:
    present = {name: value for name, value in row.items() if value is not None}
    attributes = present.get("attributes")
    if isinstance(attributes, dict):
        present["attributes"] = {name: value for name, value in attributes.items() if value is not None}
    try:
        return orjson.dumps(present, default=_unsayable, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        sayable = {name: _sayable(value) for name, value in present.items()}
        return orjson.dumps(sayable, default=_unsayable, option=orjson.OPT_NON_STR_KEYS)


def _sayable(value: Any) -> Any:
    """The value, or an object in its place where JSON cannot say it: an integer of over 64 bits, a key of bytes."""
    try:
        orjson.dumps(value, default=_unsayable, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return _unsayable(value)
    return value


def _unsayable(value: object) -> dict[str, list[str]]:
    """An object that holds no text, so that it is no attributes either."""
    return {"not_in_json": [type(value).__name__]}
