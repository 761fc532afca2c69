"""What stops an attack is a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`(tests/[\w/.]+)::(\w+)`", (ROOT / "docs" / "threat-model.md").read_text("utf-8"))


def test_every_test_that_the_threat_model_names_is_there():
    missing = [
        f"{path}::{name}"
        for path, name in NAMED
        if not re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)
    ]

    assert len(NAMED) > 20
    assert missing == []
