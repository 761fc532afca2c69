"""The examples in the simulator's docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import stream.simulate

MODULES = [module.name for module in pkgutil.walk_packages(stream.simulate.__path__, "stream.simulate.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))

    assert failed == 0


def test_there_are_examples():
    modules = [importlib.import_module(name) for name in MODULES]

    assert sum(len(doctest.DocTestFinder(exclude_empty=True).find(module)) for module in modules) > 20
    assert sum(bool(test.examples) for module in modules for test in doctest.DocTestFinder().find(module)) >= 6
