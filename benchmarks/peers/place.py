"""Where is a peer's job, and when did its work begin? What every peer is given, and says; no import but Python's."""

from __future__ import annotations

import os
import time

BOOTSTRAP = os.environ.get("PEER_BOOTSTRAP", "")
REQUESTS = os.environ.get("PEER_REQUESTS", "")  # topics
ALERTS = os.environ.get("PEER_ALERTS", "")
NAME = os.environ.get("PEER_NAME", "")  # of its group, and of topics of its own
RECORDS = int(os.environ.get("PEER_RECORDS", "0"))
BEGUN = (
    "begun "  # stands before the CPU seconds of this process until now: loading is not counted, as it is not of Swerve
)
SEEN_ALL = "seen all"


def begin() -> None:
    """Say that everything is loaded, and the work begins."""
    print(f"{BEGUN}{time.process_time()}", flush=True)


def seen_all() -> None:
    """Say that the last record was seen: what is left is to store it."""
    print(SEEN_ALL, flush=True)
