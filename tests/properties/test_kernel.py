"""The compiled loop moves nodes as the one in Python does, to the bit; and it is compiled wherever it can be."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from detectors.ties import kernel, networks

needs_kernel = pytest.mark.skipif(kernel.compiled() is None, reason="moves.c is not compiled here: no C compiler")


@st.composite
def graphs(draw) -> csr_array:
    """Symmetric, with loops as merged parts have them, ties that are equal, and weights of every size."""
    size = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = draw(st.sampled_from([(1.0,), (1.0, 2.0), (0.1, 0.7, 5.0, 1e-9), (1e6, 1.0 / 3.0)]))
    half = rng.choice(weights, (size, size)) * (rng.random((size, size)) < draw(st.floats(0.0, 0.6)))
    graph = np.triu(half, 0 if draw(st.booleans()) else 1)
    return csr_array(graph + np.triu(graph, 1).T)


@needs_kernel
@settings(max_examples=200, deadline=None)
@given(graphs(), st.sampled_from([0.0, 0.3, 1.0, 7.5]))
def test_the_compiled_loop_finds_the_same_parts(graph, resolution):
    degree = np.asarray(graph.sum(axis=1)).ravel()
    given_ = (graph, degree, resolution / max(degree.sum(), 1e-12), networks.SWEEPS_MAX)
    assert kernel.compiled()(*given_).tolist() == networks._moves_plainly(*given_).tolist()


@needs_kernel
@settings(max_examples=50, deadline=None)
@given(graphs())
def test_communities_are_the_same_with_and_without_it(graph):
    with pytest.MonkeyPatch.context() as patched:
        with_it = networks.communities(graph, 0.5).tolist()
        patched.setattr(networks, "_compiled", None)
        assert networks.communities(graph, 0.5).tolist() == with_it


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_where_a_compiler_is_the_loop_is_compiled():
    assert kernel.compiled() is not None, "make setup compiles it; hatch_build.py says how"
