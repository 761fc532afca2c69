"""A client's and a server's span of one request count once, whatever messages they come in."""

from __future__ import annotations

import pytest

from stream.contract.reading.refusal import Refusal
from stream.contract.request import Request
from stream.mapping.named import read_by
from stream.sources.dialects.otlp import Unfolded
from stream.sources.dialects.spans import Spans
from tests.receiver.otlp import chat, span, spans

CLIENT, SERVER = 1, 4  # numbers of spans; 2 and 3 lie between them


def ids(*messages: list) -> list[list[str | type]]:
    """What is counted of each message: the last digit of its span, Refusal for one that is refused."""
    read = read_by("otlp")
    return [
        [one.event_id[-1] if isinstance(one, Request) else Refusal for one in read(spans(*each).SerializeToString())]
        for each in messages
    ]


@pytest.mark.parametrize("first", ["client", "server"])
def test_the_first_to_come_counts(first):
    client, server = chat(CLIENT), chat(SERVER, CLIENT)
    messages = [[client], [server]] if first == "client" else [[server], [client]]

    assert ids(*messages) == [["1" if first == "client" else "4"], []]


@pytest.mark.parametrize("order", ["4-3-2-1", "1-2-3-4", "3-2-4-1", "2-4-3-1", "2-3-1-4"])
def test_spans_of_http_may_lie_between_them(order):
    each = {"1": chat(CLIENT), "2": span(2, 1), "3": span(3, 2), "4": chat(SERVER, 3)}
    counted = [one for told in ids(*[[each[number]] for number in order.split("-")]) for one in told]

    assert len(counted) == 1


def test_what_lies_between_must_come_before_the_second_as_the_documents_say():
    assert ids([chat(SERVER, 3)], [chat(CLIENT)], [span(3, 2), span(2, 1)]) == [["4"], ["1"], []]


def test_a_message_that_comes_again_gives_what_it_gave():
    client, server = [chat(CLIENT)], [chat(SERVER, CLIENT)]

    assert ids(server, client, server, client) == [["4"], [], ["4"], []]


def test_two_requests_within_a_span_that_is_none_are_two():
    assert ids([span(9)], [chat(1, 9)], [chat(2, 9)]) == [[], ["1"], ["2"]]


def test_spans_of_other_traces_are_other_requests():
    assert ids([chat(CLIENT)], [chat(SERVER, CLIENT, trace=b"\1" * 16)]) == [["1"], ["4"]]


@pytest.mark.parametrize("together", [True, False])
def test_a_client_that_does_not_say_who_is_billed_hides_no_server_that_does(together):
    client, server = chat(CLIENT, user__id=""), chat(SERVER, CLIENT)

    if together:
        assert ids([client, server]) == [["4"]]
    else:
        assert ids([server], [client]) == [["4"], []]
        assert ids([client], [server]) == [[Refusal], ["4"]]


def test_what_is_remembered_is_bounded():
    spans_seen = Spans(kept=100)
    for number in range(1, 1000):
        one = Unfolded({"parentSpanId": str(number - 1)}, f"$.{number}", ("t", str(number)))
        assert len(spans_seen.once([one], [(one, Request("e", 1, "a", "m"))])) == (number == 1 or number % 65 == 1)
        assert max(len(spans_seen._state), len(spans_seen._around)) <= 100
