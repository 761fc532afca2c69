"""What can go wrong that a person can act on? Each error is one line; its type says whose turn it is."""

from __future__ import annotations


class SwerveError(Exception):
    """Something failed: the text says where, what was expected, what came and what to do. Exit code 1."""

    exit_code = 1


class UsageError(SwerveError):
    """The arguments or the configuration cannot be used. Exit code 2."""

    exit_code = 2
