"""Does anything grow, or fall behind, under steady traffic? The short form of `make soak`."""

from __future__ import annotations

import pytest

from tests.service.faults.soak import soak, table

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow]
SECONDS, PACE = 40.0, 2_000.0  # twenty hours and more of the fleet
LEAK_MB = 40.0  # a part of it in the second half of such a run would be gigabytes in a day


def test_no_descriptor_and_no_task_is_left_over_and_nothing_falls_behind(bootstrap, unique, tmp_path):
    courses = soak(bootstrap, unique, tmp_path, SECONDS, PACE, print)

    print(table(courses))
    for stage, course in courses.items():
        for name, spare in (("descriptors", 4), ("tasks", 8)):
            figures = course.warm(name)
            assert figures[-1] <= figures[0] + spare, (stage, name, figures)
        memory = course.warm("memory, MB") - course.warm("held, MB")
        assert memory[-1] - memory[0] < LEAK_MB, (stage, memory)
