"""Does the first page for who has Kafka do what it says? Typed as it stands, against a real broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.test_pages_run import BEGIN, holds

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow]


def test_what_the_page_says_to_type_runs_and_answers_as_it_shows(bootstrap: str, tmp_path: Path):
    holds(BEGIN / "kafka.md", tmp_path, bootstrap)
