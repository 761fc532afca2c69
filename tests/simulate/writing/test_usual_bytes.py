"""The named scenarios keep their bytes: figures that were measured on them stay comparable."""

from __future__ import annotations

import hashlib

import orjson
import pytest

from stream.simulate.labelled import blocks, truth_of
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines

# Of the log and of its truth, for seed 7 and 300 honest accounts. A change here changes every measured figure.
DIGESTS = {
    "quiet": ("4049433b9e6ff2dd", "1665ab96b1ecc74d"),
    "honest_networks": ("c9ccff670b93e3a0", "5f263851fddc9306"),
    "pivot": ("6fd89bcda71d743f", "58a637e2c10a1b2e"),
    "few_pools": ("70b151f82adc630d", "7055ff26122f96e5"),
    "surge": ("b2921e1af45b8df9", "f64a6cc987dc4d80"),
    "slow_and_low": ("aebd13af03ef80a2", "c5235a899f4a6c89"),
    "hydra": ("53277d2e7b3b4e8d", "6c4f6631ffb0d3ab"),
    "mixed": ("6ecf0822504d3739", "89bac3d4a1cf4ae8"),
    "low_prevalence": ("2ef247dc2794497e", "baf4134f60d5b01e"),
    "no_templates_pivot": ("88349d0fd4f5d7f7", "02526386688409aa"),
    "no_templates_surge": ("860f4b917e044a4e", "8526f373b0395223"),
    "evasive": ("0b8e3d096c52d285", "7dbef7f1d3711f66"),
}


@pytest.mark.parametrize("scenario", DIGESTS)
def test_a_named_scenario_has_the_bytes_that_it_always_had(scenario):
    story = tell(scenario, 7, accounts=300)
    lines = Lines(story.fleet, story.course, 7)
    log = hashlib.blake2b(digest_size=8)
    for block in blocks(story, lines):
        log.update(b"".join(block.lines))
    truth = hashlib.blake2b(orjson.dumps(truth_of(story, lines)), digest_size=8)

    assert (log.hexdigest(), truth.hexdigest()) == DIGESTS[scenario]
