"""With a privacy key: does nothing behind the reading of a record hold a name of its own, and is all counted alike?"""

from __future__ import annotations

import dataclasses
import io
from collections import Counter

import numpy as np
import pytest

from stream import cli
from stream.configuration.settings import Settings
from stream.contract.expected import Expected, ExpectedSubject
from stream.pipeline.announced import Catalogue
from stream.pipeline.embedded import Embedded
from stream.pipeline.encode import Encoder
from stream.pipeline.envelope import unseal
from stream.pipeline.frames import FRAME_MAGIC, FRAME_VERSION, encode_frame
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines
from tests.detectors.columns import told
from tests.service.comparison import Judgeless

KEY = "of-the-tests-and-of-nothing-else"
PLAIN, HIDDEN = Settings(), Settings.model_validate({"privacy": {"key": KEY}})
OTHER = Settings.model_validate({"privacy": {"key": KEY + "!"}})


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    story = tell("quiet", 3, accounts=120, days=2.0)
    made = Lines(story.fleet, story.course, 3)
    return [line.rstrip(b"\n") for batch in story.traffic().hours() for line in made.of(batch)]


def frame_of(settings: Settings, lines: list[bytes]):
    encoder = Encoder("log", dialect=settings.reader())
    encoder.read(lines, range(len(lines)))
    return encoder.flush(ended=True)


def summaries_of(settings: Settings, lines: list[bytes]):
    found = []
    embedded = Embedded(settings.parameters, ["log"], Judgeless(), on_summary=[found.append], dialect=settings.reader())
    embedded.read("log", lines, range(len(lines)))
    embedded.advance("log", ended=True)
    return found


def test_no_frame_holds_an_account_or_a_value_as_it_came(lines):
    plain, hidden = frame_of(PLAIN, lines[:3_000]), frame_of(HIDDEN, lines[:3_000])
    names = [*plain.rows.accounts, *(value for _, value in plain.rows.values if len(value) > 5)]
    assert len(names) > 150

    _, payload = unseal(encode_frame(hidden), FRAME_MAGIC, (FRAME_VERSION,), "a frame")
    _, open_ = unseal(encode_frame(plain), FRAME_MAGIC, (FRAME_VERSION,), "a frame")

    assert all(name.encode() in open_ for name in names)
    assert [name for name in names if name.encode() in payload] == []
    assert [dimension for dimension, _ in hidden.rows.values] == [dimension for dimension, _ in plain.rows.values]
    assert hidden.rows.targets == plain.rows.targets


def test_every_count_is_the_same_but_for_the_names(lines):
    """Of each account in each hour, and of each cohort in each tick."""
    theirs, ours = summaries_of(PLAIN, lines), summaries_of(HIDDEN, lines)
    assert len(theirs) == len(ours) > 300
    hours = 0
    for plain, hidden in zip(theirs, ours, strict=True):
        assert cohorts(hidden) == Counter({renamed(key): count for key, count in cohorts(plain).items()})
        if plain.accounts is not None and hidden.accounts is not None:
            hours += 1
            expected = {HIDDEN.said_account(name): of for name, of in told(plain.accounts).items()}
            assert told(hidden.accounts) == {name: hidden_names(of) for name, of in expected.items()}
    assert hours > 20


def cohorts(summary) -> Counter:
    c = summary.cohorts
    return Counter({(c.cohorts[at], c.targets[target]): int(count)
                    for at, target, count in zip(c.at, c.target, c.count, strict=True)})  # fmt: skip


def renamed(key):
    (dimension, value), target = key
    return ((dimension, HIDDEN.said_value(dimension, value) if dimension else value), target)


def hidden_names(of: dict) -> dict:
    values = {(one[0], HIDDEN.said_value(*one)): count for one, count in of["values"].items()}
    org, country = (None if of[one] is None else HIDDEN.said_value(one, of[one]) for one in ("org", "country"))
    return of | {"values": values, "org": org, "country": country}


def test_what_is_shared_stays_shared_and_another_key_gives_other_names(lines):
    plain, hidden, other = (frame_of(one, lines[:2_000]) for one in (PLAIN, HIDDEN, OTHER))
    for name in ("account", "value_set", "model", "at_ms", "offset"):
        assert np.array_equal(getattr(plain.rows, name), getattr(hidden.rows, name)), name
    assert len(set(hidden.rows.accounts) | set(other.rows.accounts)) == 2 * len(plain.rows.accounts)


def test_what_comes_in_a_record_is_renamed_though_it_looks_like_a_name_of_ours():
    """Else a client could take the name of another account."""
    name = HIDDEN.said_account("acct_1")
    raw = b'{"event_id":"e","timestamp":1772362800000,"account_id":"%s","model":"m"}' % name.encode()
    (request,) = HIDDEN.reader()(raw)
    assert request.account_id not in (name, "acct_1")
    assert HIDDEN.said_account(name) == name, "but a person may type it"


def test_what_people_say_is_said_of_the_same_subjects():
    shifts = [
        Expected("a", ExpectedSubject("account", "acct_1"), None, 0, 9),
        Expected("o", ExpectedSubject("cohort", "org_7", "org"), None, 0, 9),
        Expected("i", ExpectedSubject("cohort", "5bb776c099635d03", "alert"), None, 0, 9),
        Expected("f", ExpectedSubject("fleet"), None, 0, 9),
    ]
    settings = Settings.model_validate(
        {"privacy": {"key": KEY}, "allow": {"orgs": ["org_8"], "values": ["asn=64500"]},
         "drift": [{"dimension": "org", "value": "org_9", "target": "model:m"}]}
    )  # fmt: skip
    announced = Catalogue(expected=shifts).announced(settings)
    assert [one.subject.id for one in announced] == [
        HIDDEN.said_account("acct_1"), HIDDEN.said_value("org", "org_7"), "5bb776c099635d03", "",
        HIDDEN.said_value("org", "org_8"), HIDDEN.said_value("asn", "64500"),
    ]  # fmt: skip
    assert [one.value for one in settings.parameters.drift] == [HIDDEN.said_value("org", "org_9")]
    again = [dataclasses.asdict(one) if dataclasses.is_dataclass(one) else one for one in announced[:2]]
    assert [one.known_by(settings) for one in announced[:2]] == again


def test_whoever_has_the_key_finds_who_is_behind_a_name(monkeypatch, capsys):
    monkeypatch.setenv("SWERVE_PRIVACY__KEY", KEY)
    assert cli.run(["pseudonyms", "acct_1", "org=org_7"]) == 0
    assert capsys.readouterr().out == (
        f"{HIDDEN.said_account('acct_1')}\tacct_1\n{HIDDEN.said_value('org', 'org_7')}\torg=org_7\n"
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("acct_1\nacct_2\n"))
    assert cli.run(["pseudonyms", "-"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_key_is_a_secret_long_enough_and_its_absence_is_told(monkeypatch, capsys):
    assert cli.run(["pseudonyms", "acct_1"]) == 2
    assert "[privacy] key is not set" in capsys.readouterr().err
    monkeypatch.setenv("SWERVE_PRIVACY__KEY", "short")
    assert cli.run(["config", "check"]) == 2
    said = capsys.readouterr().err
    assert "[privacy] key = '********'" in said
    assert "short" not in said
    monkeypatch.setenv("SWERVE_PRIVACY__KEY", KEY)
    assert cli.run(["config", "show"]) == 0
    assert KEY not in capsys.readouterr().out
