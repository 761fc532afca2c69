"""Which logs lie in a bucket, and how is one read? `s3://`, `gs://` and `abfss://`, through Arrow's file systems.

Credentials are those that the provider's own tools find: environment, profile, role of the machine. `AWS_ENDPOINT_URL`
names an S3 that is not Amazon's.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from stream.errors import UsageError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

SCHEMES = ("s3://", "gs://", "abfss://")
_BUFFER = 1 << 20  # of one request
_CONNECT_S, _REQUEST_S = 10, 60
_CREDENTIALS = {
    "s3://": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role",
    "gs://": "GOOGLE_APPLICATION_CREDENTIALS, or a service account of the machine",
    "abfss://": "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or `az login`",
}
_REFUSED = ("ACCESS_DENIED", "FORBIDDEN", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "401", "403")
_NO_CREDENTIALS = ("no credentials", "credential", "Could not create")


def is_in_a_bucket(path: str) -> bool:
    """Whether this names an object or a folder of a bucket.

    >>> is_in_a_bucket("s3://logs/a.ndjson.gz"), is_in_a_bucket("logs/a.ndjson.gz")
    (True, False)
    """
    return path.startswith(SCHEMES)


def open_object(url: str) -> tuple[io.BufferedReader, int]:
    """An object to be read from its front, and its bytes. Raises UsageError: no such bucket, no such key, no access."""
    files, key = _place(url)
    with _told(url):
        file = files.open_input_file(key)
        return io.BufferedReader(cast(io.RawIOBase, file), _BUFFER), file.size()


def found_under(url: str) -> list[str] | None:
    """The objects of a folder and of the folders in it, by name; None where the url is an object itself.

    Raises UsageError where there is neither.
    """
    from pyarrow.fs import FileSelector, FileType

    files, key = _place(url)
    with _told(url):
        info = files.get_file_info(key)
        if info.type is FileType.File:
            return None
        if info.type is FileType.NotFound:
            raise UsageError(f"{url}: {_what_is_missing(files, key)}")
        inside = files.get_file_info(FileSelector(key, recursive=True))
    return sorted(_as_named(one.path, url) for one in inside if one.type is FileType.File)


def _what_is_missing(files: FileSystem, key: str) -> str:
    from pyarrow.fs import FileType

    bucket = key.split("/", 1)[0]
    if files.get_file_info(bucket).type is FileType.NotFound:
        return f"no such bucket as {bucket}"
    return f"no such key in {bucket}, neither an object nor a folder"


def _as_named(path: str, url: str) -> str:
    """Arrow's path as a person would write it beside this url; Azure's has the account behind the container.

    >>> _as_named("logs/a.ndjson", "s3://logs/"), _as_named("c/a", "abfss://c@acc.dfs.core.windows.net/")
    ('s3://logs/a.ndjson', 'abfss://c@acc.dfs.core.windows.net/a')
    """
    scheme, _, rest = url.partition("://")
    account = rest.split("/", 1)[0].partition("@")[2]
    return f"{scheme}://" + (path.replace("/", f"@{account}/", 1) if account else path)


def _place(url: str) -> tuple[FileSystem, str]:
    from pyarrow.fs import FileSystem, GcsFileSystem

    bucket, _, key = url.split("://", 1)[1].partition("/")
    if not bucket:
        raise UsageError(f"{url}: names no bucket; expected one as in s3://bucket/folder/")
    with _told(url):
        if url.startswith("s3://"):
            return _s3(bucket if not _endpoint() else ""), f"{bucket}/{key}".rstrip("/")
        if url.startswith("gs://"):  # without a limit it tries for a quarter of an hour
            return GcsFileSystem(retry_time_limit=timedelta(seconds=_REQUEST_S)), f"{bucket}/{key}".rstrip("/")
        files, path = FileSystem.from_uri(url)
        return files, path.rstrip("/")


def _endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


@lru_cache
def _s3(bucket: str) -> FileSystem:
    """bucket: whose region is asked for, where nothing else says it."""
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem, resolve_s3_region

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None:
        region = resolve_s3_region(bucket) if bucket else "us-east-1"
    return S3FileSystem(
        region=region,
        endpoint_override=_endpoint(),
        connect_timeout=_CONNECT_S,
        request_timeout=_REQUEST_S,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=4),
    )


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What Arrow says, in one line of ours."""
    try:
        yield
    except UsageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a url that Arrow cannot take apart
        raise UsageError(f"{url}: {why(error, url)}") from None


def why(error: Exception, url: str) -> str:
    """What is wrong, in words; Arrow tells it by an error of AWS inside of a sentence.

    >>> why(OSError("AWS Error NO_SUCH_BUCKET during ListObjectsV2"), "s3://logs/a")
    'no such bucket as logs'
    """
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    bucket = url.split("://", 1)[1].partition("/")[0]
    if "NO_SUCH_BUCKET" in said or f"Bucket '{bucket}' not found" in said:
        return f"no such bucket as {bucket}"
    if isinstance(error, FileNotFoundError):
        return f"no such key in {bucket}"
    if any(word in said for word in (*_REFUSED, *_NO_CREDENTIALS)):
        scheme = next(scheme for scheme in SCHEMES if url.startswith(scheme))
        return f"no access to {bucket}; are there credentials, and may they read it? Expected {_CREDENTIALS[scheme]}"
    if "NETWORK_CONNECTION" in said:
        return f"nobody answers at {_endpoint() or 'the store'}: {said.rpartition('; Details: ')[2]}"
    return f"cannot be read: {said}"
