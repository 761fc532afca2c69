"""Is the loop that moves nodes between parts compiled here? Where it is not, the same is done in Python.

`hatch_build.py` compiles moves.c as this project is installed, where there is a C compiler.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
from numpy.ctypeslib import ndpointer
from numpy.typing import NDArray
from scipy.sparse import csr_array

Moves = Callable[[csr_array, NDArray[np.float64], float, int], NDArray[np.int64]]
_INTS = ndpointer(np.int64, flags="C_CONTIGUOUS")
_MARKS = ndpointer(np.uint8, flags="C_CONTIGUOUS")
_FLOATS = ndpointer(np.float64, flags="C_CONTIGUOUS")


def compiled() -> Moves | None:
    """The loop, compiled; None where it was not built.

    It takes a graph, the sum of each node's weights, the resolution over the sum of all, and the most sweeps; it gives
    the part of each node, numbered by one of its nodes. No other thread waits for it.
    """
    try:
        library = ctypes.CDLL(__file__.rpartition("kernel.py")[0] + "_moves.so")
    except OSError:
        return None
    loop = library.swerve_moves
    loop.restype = None
    loop.argtypes = [ctypes.c_int64, _INTS, _INTS, _FLOATS, _FLOATS, ctypes.c_double, ctypes.c_int64,
                     _INTS, _FLOATS, _FLOATS, _INTS, _MARKS]  # fmt: skip

    def moves(graph: csr_array, degree: NDArray[np.float64], resolution: float, sweeps_max: int) -> NDArray[np.int64]:
        size = graph.shape[0]
        label = np.arange(size, dtype=np.int64)
        room = np.zeros(size), np.zeros(size, np.int64), np.zeros(size, np.uint8)
        near, start = graph.indices.astype(np.int64), graph.indptr.astype(np.int64)
        weight = graph.data.astype(np.float64)
        loop(size, start, near, weight, degree, resolution, sweeps_max, label, degree.copy(), *room)
        return label

    return moves
