"""Which programs do the tests and the stack take from the machine, and what brings them?"""

from __future__ import annotations

import shutil

PACKAGES = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}  # Debian's; else of the same name


class NoProgramError(Exception):
    """It is not on this machine; the text is the line to type."""


def program(*names: str, of: str) -> str:
    """The path of the first of these names that is there. of: the service that it belongs to.

    Raises NoProgramError. `tools/install/monitors.sh`, which `make` runs before the tests, installs what it may.
    """
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise NoProgramError(f"no {names[0]} here; apt-get update && apt-get install -y {PACKAGES.get(of, of)}")
