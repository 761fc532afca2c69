"""What is not seen where the traffic lacks an attribute? For the log, the console, and whoever looks at a sample.

It needs no statistics, so that a sample is looked at where only the ground is installed.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.parameters import Parameters

LARGE_SHARE = 0.1  # of all requests: who has more is a customer like none, or a name that many are billed under


def costs_of(name: str, parameters: Parameters) -> Iterator[str]:
    """What cannot be seen without a dimension, in words.

    >>> list(costs_of("asn", Parameters()))
    ['no cohorts by asn']
    """
    if name == parameters.org_dimension:
        yield (
            "each account counts as an organisation, and one customer looks like many; a network that pays in few "
            "ways is a warning at most, never a page"
        )
    if name == parameters.prompt_dimension:
        yield "most networks are not found, since a prompt-side hash ties best"
    elif name in parameters.link_dimensions:
        yield f"no network is found by {name}, and those that are later"
    if name == parameters.country_dimension:
        yield "nights are taken as everybody's, so work round the clock says little"
    if name == parameters.signup_dimension:
        yield "whether an account is young is known by its first request alone"
    if name in parameters.cohort_dimensions:
        yield f"no cohorts by {name}"
