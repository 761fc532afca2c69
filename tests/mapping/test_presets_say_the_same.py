"""The same traffic, in a gateway's form and in ours, is the same requests, as far as it goes."""

from __future__ import annotations

import msgspec
import orjson
import pytest

from stream.contract.request import Request, decode
from stream.mapping.named import read_by
from stream.mapping.presets import NAMES
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines
from tests.mapping.written_in import FORMS, TAGS, Form

WITHOUT_TOKENS = ("azure_openai",)


SMALL = {"accounts": 150, "days": 4.6}  # a fleet in which a model is released, and some turn to it together


def told() -> list[Request]:
    """The requests of a small fleet."""
    story = tell("pivot", 1, **SMALL)
    lines = Lines(story.fleet, story.course, 1)
    return [with_an_address(decode(line)) for batch in story.traffic().hours() for line in lines.of(batch)]


@pytest.fixture(scope="module")
def traffic() -> list[Request]:
    return told()


def with_an_address(one: Request) -> Request:
    """The simulated networks are hashes already: each becomes one of IPv4, as a gateway sees it."""
    known = dict(one.attributes)
    if "ip_prefix" in known:
        first, second, third = bytes.fromhex(known["ip_prefix"])[:3]
        known["ip_prefix"] = f"{first}.{second}.{third}.0/24"
    return msgspec.structs.replace(one, attributes=known)


def narrowed(one: Request, form: Form) -> Request:
    """What of a request a form holds. A request with tools that run code offers tools."""
    known = set(one.capabilities) & TAGS
    known |= {"tool_use"} if "coding" in known else set()
    return msgspec.structs.replace(
        one,
        capabilities=tuple(sorted(known & form.tags)),
        attributes={name: value for name, value in one.attributes.items() if name in form.attributes},
    )


def as_read(name: str, one: Request) -> Request:
    """What the preset makes of the request, written in its form."""
    form = FORMS[name]
    (read,) = read_by(name)(orjson.dumps(form.write(one)))
    assert isinstance(read, Request), read
    read = narrowed(read, form)
    return read if form.same_id else msgspec.structs.replace(read, event_id=one.event_id)


def test_every_preset_has_its_form_here():
    assert set(FORMS) == set(NAMES)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_record_of_each_preset_is_the_request_that_it_was_written_from(name, traffic):
    for one in traffic[:: len(traffic) // 300]:
        held = narrowed(one, FORMS["otlp"])
        expected = narrowed(held, FORMS[name])
        if name in WITHOUT_TOKENS:
            expected = msgspec.structs.replace(expected, input_tokens=0, output_tokens=0)
        assert as_read(name, held) == expected
