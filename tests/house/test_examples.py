"""Does every example in a docstring run, and say what stands there? Wherever it is: product, measurements, tests."""

from __future__ import annotations

import doctest
import importlib
import re

import pytest

from tests.house.sources import ROOT, tracked

WITH_EXAMPLES = [path for path in tracked("*.py") if re.search(r"^ *>>> ", (ROOT / path).read_text("utf-8"), re.M)]


@pytest.mark.parametrize("path", WITH_EXAMPLES)
def test_the_examples_of_a_file_run_as_they_stand(path: str):
    module = importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))

    failed, tried = doctest.testmod(module)

    assert failed == 0
    assert tried > 0, "an example that nobody can see: it belongs into a docstring"
