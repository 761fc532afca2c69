"""Is the broker of this test run there already? Processes that run tests side by side share one."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path


@contextlib.contextmanager
def shared(folder: Path, starting: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """What `starting` gives to the first process that asks, to all that share the folder.

    Who started it ends it, once nobody else uses it: to its end it waits for the others. The system takes the lock of a
    process that died, so none is waited for in vain.
    """
    told = folder / "broker"
    with (folder / "broker.users").open("w") as users, contextlib.ExitStack() as stack:
        with (folder / "broker.door").open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            if not told.exists():
                servers = stack.enter_context(starting())
                told.write_text(servers)
                stack.callback(_wait_for_others, folder, users.fileno())
        yield told.read_text()


def _wait_for_others(folder: Path, users: int) -> None:
    fcntl.flock(users, fcntl.LOCK_EX)
    (folder / "broker").unlink()
