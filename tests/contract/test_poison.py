"""Is every sort of poison that tests through Kafka put into their logs really refused, and are there fifty?"""

from __future__ import annotations

import pytest

from stream.contract.reading.refusal import Refusal
from stream.contract.request import decode
from tests.service.poison import SORTS


def test_there_are_fifty_sorts_each_of_its_own():
    assert len(SORTS) >= 50
    assert len(set(SORTS.values())) == len(SORTS)
    assert not any(b"\n" in record for record in SORTS.values())


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_of_poison_is_refused(sort):
    with pytest.raises(Refusal):
        decode(SORTS[sort])
