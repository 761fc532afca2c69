"""Numbers in place of those that are learnt, for tests of everything but these numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from detectors.judgement import hand
from tests.detectors.week import HAND, LINES


@pytest.fixture(scope="module")
def made_up_hand() -> Iterator[None]:
    """A hand that is told by three traits, on lines that the tests know."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hand, "BASE", 0.0)
        patch.setattr(hand, "TRAITS", HAND)
        patch.setattr(hand, "LINES", LINES)
        yield
