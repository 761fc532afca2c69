"""Which extra brings a library that is not installed? As `[project.optional-dependencies]` says; a test compares."""

from __future__ import annotations

from collections.abc import Mapping

# By what is imported, which is not always what is installed: faust is faust-streaming.
LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "kafka": ("aiokafka", "cramjam", "faust"),
    "judge": ("river", "scipy"),
    "files": ("pyarrow",),
}


def remedy(module: str | None) -> str | None:
    """What to type where this module could not be imported; None where no extra brings it.

    >>> remedy("scipy.sparse")
    "needs scipy, which is not installed: pip install 'swerve[judge]'"
    >>> remedy("stream.commands.nothing") is None
    True
    """
    library = (module or "").partition(".")[0]
    for extra, libraries in LIBRARIES.items():
        if library in libraries:
            return f"needs {library}, which is not installed: pip install 'swerve[{extra}]'"
    return None
