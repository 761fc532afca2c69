"""Compile moves.c as the project is installed. Where there is no C compiler, or it fails, all is pure Python, slower.

SWERVE_PURE=1 leaves it out: a wheel for every platform. SWERVE_HOME_URL is where the project is at home with whoever
builds it, and goes into the package's metadata; no address is written here that might not be there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

SOURCE, KERNEL = "detectors/ties/moves.c", "detectors/ties/_moves.so"
FLAGS = ("-O2", "-shared", "-fPIC", "-ffp-contract=off")  # the last: the sums are those of Python, to the bit


class Home(MetadataHookInterface):
    """`[project.urls]`, of the address that whoever builds it gives; none without one."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling before it writes the metadata."""
        home = os.environ.get("SWERVE_HOME_URL", "").rstrip("/")
        if home and (not home.startswith(("https://", "http://")) or "@" in home):
            raise ValueError(
                f"SWERVE_HOME_URL: expected https://HOST/PATH without a user, got {home.rpartition('@')[2]}"
            )
        metadata["urls"] = {"Homepage": home, "Source": home} if home else {}


class Kernel(BuildHookInterface):
    """One shared library beside its source, and a wheel that says for which platform it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it gathers the files."""
        root = Path(self.root)
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if compiler is None or os.environ.get("SWERVE_PURE") == "1":
            return  # one that lies there already is left out of the wheel: git ignores it
        done = subprocess.run([compiler, *FLAGS, "-o", str(root / KERNEL), str(root / SOURCE)], capture_output=True)
        if done.returncode:
            (root / KERNEL).unlink(missing_ok=True)  # of another moves.c
            self.app.display_warning(f"moves.c was not compiled: {done.stderr.decode(errors='replace')[-500:]}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        build_data["artifacts"].append(KERNEL)
