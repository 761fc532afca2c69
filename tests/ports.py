"""Which port may a process listen on that is started in a moment, or comes back after it was killed?

One that the system gave out is free for a moment only: the next connection of anybody may leave from it, and a server
that is started on it, or started again, finds it taken.
"""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

GIVEN_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST = 20_000


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that the system gives to no connection.

    >>> free_port() < given_out_from()
    True
    """
    while True:
        port = random.SystemRandom().randrange(FIRST, given_out_from())
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


def given_out_from() -> int:
    """The first port that the system gives out by itself."""
    try:
        return max(int(GIVEN_OUT.read_text().split()[0]), FIRST + 1_000)
    except OSError:  # not Linux: by the registry of ports
        return 49_152
