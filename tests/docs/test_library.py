"""Does docs/library.md do what it shows, and is what it documents there without what it does not need?"""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
OFFERED = ("detectors", "stream.pipeline")


def test_every_example_of_the_page_gives_what_it_shows():
    examples = "\n".join(re.findall(r"^```pycon\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE))
    told: list[str] = []
    runner = doctest.DocTestRunner()
    outcome = runner.run(doctest.DocTestParser().get_doctest(examples, {}, PAGE.name, str(PAGE), 0), out=told.append)

    assert outcome.failed == 0, "".join(told)
    assert outcome.attempted >= 30


@pytest.mark.parametrize("package", OFFERED)
def test_what_is_offered_is_there_and_explains_itself(package):
    module = importlib.import_module(package)
    assert [name for name in module.__all__ if not getattr(module, name).__doc__] == []
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        module.Nothing  # noqa: B018


@pytest.mark.parametrize("package", OFFERED)
def test_the_page_names_all_that_is_offered(package):
    page = PAGE.read_text("utf-8")
    beside = {"Release", "Rise", "Phase", "Level", "Population", "Shift", "AccountColumns"}  # what the others give
    offered = set(importlib.import_module(package).__all__) - beside
    assert [name for name in sorted(offered) if f"`{name}" not in page] == []


def test_to_import_the_packages_loads_no_library_of_the_models():
    """So an ingest worker, which has neither scipy nor river, can."""
    code = f"import sys, {', '.join(OFFERED)}; print(sorted({{'numpy', 'scipy', 'river'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
