"""Every key of the configuration is explained, and the page about it is fresh."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from stream.configuration import settings
from stream.configuration.meaning import KEYS, SECTIONS

ROOT = Path(__file__).parents[2]


def test_every_key_and_section_has_its_sentence_and_no_sentence_is_left_over():
    known = list(settings.known())
    assert {f"{section}.{key}" for section, key, _ in known} == set(KEYS)
    assert {section for section, _, _ in known} == set(SECTIONS)


def test_the_page_is_fresh():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "configuration_page.py", "--check"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
