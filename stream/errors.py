"""What goes wrong for a person, in one line each, and the exit code that it ends a command with."""

from __future__ import annotations


class SwerveError(Exception):
    """Something failed while a command ran. The message says where, what was expected, what came, what to do.

    >>> SwerveError("disk full").exit_code
    1
    """

    exit_code = 1


class UsageError(SwerveError):
    """The command was asked for what cannot be: an argument, a file or a setting that is unusable.

    >>> UsageError("no such file").exit_code
    2
    """

    exit_code = 2
