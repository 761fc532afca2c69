"""Where does a peer run? In an environment of its own, made once for what its file of versions says."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / ".cache" / "peers"
INSTALL_S = 900.0


class NoPeerError(Exception):
    """Its packages cannot be installed here; the text says what the installer said."""


def python_of(peer: str) -> str:
    """The interpreter of a peer's environment. Raises NoPeerError where its packages cannot be had."""
    versions = HERE / f"{peer}.txt"
    name = (
        f"{peer}-{sys.version_info[0]}.{sys.version_info[1]}-{hashlib.sha256(versions.read_bytes()).hexdigest()[:12]}"
    )
    folder = KEPT / name
    python, done = folder / "bin" / "python", folder / ".installed"
    if not done.exists():
        _run(peer, "venv", "-q", "--clear", "--python", sys.executable, str(folder))
        _run(peer, "pip", "install", "-q", "--no-deps", "--python", str(python), "-r", str(versions))
        done.touch()
    return str(python)


def version_of(peer: str, package: str) -> str:
    """The version of a package that the peer's file pins.

    >>> version_of("quix", "quixstreams").count(".")
    2
    """
    lines = (HERE / f"{peer}.txt").read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))


def _run(peer: str, *arguments: str) -> None:
    uv = Path(sys.executable).parent / "uv"
    done = subprocess.run([str(uv), *arguments], capture_output=True, text=True, timeout=INSTALL_S)
    if done.returncode:
        raise NoPeerError(f"{peer}: {done.stderr.strip()[-500:]}")
