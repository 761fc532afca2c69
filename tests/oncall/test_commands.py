"""What a person types on call, and what then reaches Swerve."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from stream.alerts.explain import explain
from stream.cli import run
from stream.contract.alert import AlertSubject, AlertTarget, encode
from stream.contract.expected import expected_in
from stream.contract.release import releases_in
from stream.errors import UsageError
from stream.oncall.expected import record_of
from stream.oncall.moment import moment_ms
from stream.sinks.webhook import EXAMPLE


class Swerve(ThreadingHTTPServer):
    """A running Swerve's API, as far as a test needs it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls, self.status, self.answer = [], 200, b"{}"
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.calls.append((self.command, self.path, json.loads(body or b"null"), dict(self.headers)))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    do_GET = do_POST  # noqa: N815 - the name is the library's

    def log_message(self, *args):
        pass


@pytest.fixture
def swerve():
    server = Swerve()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def call(capsys, *arguments):
    code = run(list(arguments))
    told = capsys.readouterr()
    return code, told.out, told.err


def test_an_announcement_reaches_a_running_swerve(capsys, swerve):
    swerve.answer = b'{"said": "None of the last 30 days\' 2 alerts would have been covered.", "confirm": null}'
    arguments = ("--to", "atlas-4", "--reason", "migration", "--by", "kim", "--url", swerve.url)
    code, out, err = call(capsys, "expect", "org=org_7", *arguments)
    asked, (method, path, body, _) = swerve.calls
    assert (code, out) == (0, "announced: expect org=org_7 to atlas-4\n")
    assert err == "None of the last 30 days' 2 alerts would have been covered.\n"
    assert (asked[1], asked[2]) == ("/api/v1/expected/preview", {"expected": [body]})
    assert (method, path, body["reason"]) == ("POST", "/api/v1/expected", "migration, says kim")
    assert body["subject"] == {"kind": "cohort", "dimension": "org", "id": "org_7"}
    assert body["target"] == {"kind": "model", "id": "atlas-4"}
    assert body["until"] - body["from"] == 86_400_000


def test_an_alert_is_announced_toward_its_own_targets_from_its_own_begin(capsys, swerve):
    targets = [{"kind": "model", "id": "atlas-4"}, {"kind": "capability", "id": "coding"}]
    told = {"alert": {"started_at": 5, "targets": targets}, "said": "2 of 3.", "confirm": "silence 1 page"}
    swerve.answer = json.dumps(told).encode()
    arguments = ("expect", "alert=a1", "--reason", "an agency", "--by", "kim", "--url", swerve.url)
    code, _, err = call(capsys, *arguments)
    assert (code, err) == (2, '2 of 3.\nswerve: not confirmed: add --confirm "silence 1 page"\n')
    assert [one[1] for one in swerve.calls] == ["/api/v1/alerts/a1", "/api/v1/expected/preview"]
    code, out, _ = call(capsys, *arguments, "--confirm", "Silence 1 page")
    assert out == "announced: expect alert=a1 to model:atlas-4\nannounced: expect alert=a1 to capability:coding\n"
    assert [one[2]["from"] for one in swerve.calls[-2:]] == [5, 5]
    assert swerve.calls[-1][2]["subject"] == {"kind": "cohort", "dimension": "alert", "id": "a1"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["expect", "org=org_7", "--to", "*", "--url", "http://127.0.0.1:1"], "--reason: expected why"),
        (["expect", "org=org_7", "--to", "*", "--kafka", "--reason", "?"], "--reason: expected why"),
        (["snooze", "a1", "--url", "http://127.0.0.1:1"], "--reason: expected why"),
        (["verdict", "a1", "harmless", "--url", "http://127.0.0.1:1"], "--note: expected why"),
        (
            ["expect", "fleet", "--to", "*", "--kafka", "--reason", "launch"],
            'not confirmed: add --confirm "silence the fleet"',
        ),
        (
            ["expect", "fleet", "--to", "*", "--kafka", "--reason", "launch", "--confirm", "yes"],
            "nothing is silent: expected",
        ),
    ],
)
def test_nothing_is_silent_without_a_reason_and_nothing_wide_without_its_words(capsys, monkeypatch, arguments, told):
    monkeypatch.setattr("stream.commands.on_call.reach.records", lambda *_: [])
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert told in err


def test_an_announcement_taken_back_is_over_before_it_began(capsys, swerve):
    code, out, _ = call(capsys, "expect", "fleet", "--withdraw", "--url", swerve.url)
    assert (code, out) == (0, "withdrawn: expect fleet\n")
    assert (swerve.calls[0][2]["from"], swerve.calls[0][2]["until"]) == (0, 0)


def test_an_announcement_in_a_file_is_what_backtest_reads_and_the_same_again_replaces_it(capsys, tmp_path):
    path = tmp_path / "expected.json"
    for until in ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"):
        code, _, err = call(
            capsys, "expect", "org=org_7", "--to", "*", "--from", "2026-02-01T00:00:00Z", "--until", until,
            "--file", str(path),
        )  # fmt: skip
        assert (code, err) == (0, "")
    (shift,) = expected_in(path)
    assert (shift.until_ms, shift.target) == (1_775_001_600_000, None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["expect", "org=org_7"], "--to: expected toward what, such as --to atlas-4, or --to '*'"),
        (["expect", "alert=a1", "--file", "x"], "--to: expected toward what"),
        (["expect", "org_7", "--to", "*"], "expected DIMENSION=VALUE, account=ID or fleet, got 'org_7'"),
        (["expect", "fleet", "--until", "tomorrow"], "--until: expected RFC 3339"),
        (["expect", "fleet", "--to", "*", "--until", "-1h"], "--until: expected a time after --from"),
        (["verdict", "a1", "maybe"], "maybe"),
        (["snooze", "a1", "--until", "-1h"], "--until: expected a time to come"),
        (["release", "m" * 300, "--file", "x"], "swerve release: $.model"),
        (["sinks", "test"], "no sink is configured"),
        (["explain", "a1", "--alerts", "/nowhere"], "/nowhere: No such file"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_2(capsys, arguments, told):
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_no_swerve_there_is_one_line_and_exit_1(capsys, swerve):
    url = swerve.url
    swerve.shutdown()
    swerve.server_close()
    code, _, err = call(capsys, "ack", "a1", "--url", url)
    assert (code, err) == (1, f"swerve: no Swerve answers at {url}; start it, or say where it is with --url\n")


def test_a_closed_door_says_which_key_opens_it(capsys, swerve):
    swerve.status = 401
    code, _, err = call(capsys, "verdict", "a1", "campaign", "--url", swerve.url)
    assert code == 1
    assert "SWERVE_HTTP__TOKEN" in err


def test_the_token_goes_with_the_call(capsys, swerve, monkeypatch):
    monkeypatch.setenv("SWERVE_HTTP__TOKEN", "s3cret-of-the-console")
    call(capsys, "verdict", "a1", "campaign", "--url", swerve.url)
    assert swerve.calls[0][3]["Authorization"] == "Bearer s3cret-of-the-console"


def test_what_the_other_side_said_is_passed_on(capsys, swerve):
    swerve.status, swerve.answer = 404, b'{"error": "no alert a1"}'
    code, _, err = call(capsys, "ack", "a1", "--url", swerve.url)
    assert (code, err) == (1, f"swerve: {swerve.url}: answered 404: no alert a1\n")


def test_a_verdict_says_what_who_and_when(capsys, swerve):
    code, _, _ = call(capsys, "verdict", "a1", "campaign", "--by", "kim", "--note", "banned", "--url", swerve.url)
    body = swerve.calls[0][2]
    assert (code, swerve.calls[0][1]) == (0, "/api/v1/verdicts")
    assert (body["alert_id"], body["verdict"], body["by"], body["note"]) == ("a1", "campaign", "kim", "banned")
    assert body["at"] > 1_700_000_000_000


def test_acknowledge_names_the_alert_in_the_path(capsys, swerve):
    call(capsys, "ack", "a/1", "--by", "kim", "--url", swerve.url)
    assert [one[1] for one in swerve.calls] == ["/api/v1/alerts/a%2F1/ack"]


@pytest.mark.parametrize(
    ("words", "kind", "path"),
    [
        (("snooze", "a/1", "--reason", "ticket 4711"), "snooze", "/api/v1/alerts/a%2F1/snooze"),
        (("verdict", "a/1", "harmless", "--note", "ticket 4711"), "harmless", "/api/v1/verdicts"),
    ],
)
def test_what_silences_one_alert_says_what_it_covers_and_an_open_page_is_typed(capsys, swerve, words, kind, path):
    swerve.answer = b'{"said": "1 of 3, this page among them.", "confirm": "silence 1 page"}'
    arguments = (*words, "--by", "kim", "--url", swerve.url)
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err == '1 of 3, this page among them.\nswerve: not confirmed: add --confirm "silence 1 page"\n'
    assert [one[:2] for one in swerve.calls] == [("GET", f"/api/v1/alerts/a%2F1/preview?kind={kind}")]
    code, _, _ = call(capsys, *arguments, "--confirm", "silence 1 page")
    method, where, body, _ = swerve.calls[-1]
    assert (code, method, where, body["by"], body["note"]) == (0, "POST", path, "kim", "ticket 4711")


def test_what_silences_an_alert_in_the_topic_is_typed_where_its_record_is_an_open_page(capsys, monkeypatch):
    """The topic is a list here; `tests/service/test_oncall_from_topics.py` has the commands at a real one."""
    page = msgspec.structs.replace(EXAMPLE, alert_id="a1", severity="critical", status="firing")
    ticket = msgspec.structs.replace(page, alert_id="a2", severity="warning")
    written = []
    monkeypatch.setattr("stream.commands.on_call.reach.records", lambda *_: [encode(page), encode(ticket)])
    monkeypatch.setattr("stream.commands.on_call.reach.publish", lambda *one: written.append(one[1:3]))
    asked = ("--kafka", "--reason", "ticket 4711")
    assert call(capsys, "snooze", "a1", *asked)[::2] == (2, 'swerve: not confirmed: add --confirm "silence 1 page"\n')
    assert call(capsys, "snooze", "a9", *asked)[2] == "swerve: swerve.alerts: no alert a9, so nothing is silent\n"
    assert written == []
    assert call(capsys, "snooze", "a2", *asked)[0] == 0
    assert call(capsys, "snooze", "a1", *asked, "--confirm", "silence 1 page")[0] == 0
    assert written == [("swerve.attention", "snooze/a2"), ("swerve.attention", "snooze/a1")]


TO_BOTH = (AlertTarget("model", "atlas-4"), AlertTarget("capability", "coding"))
PAGE = msgspec.structs.replace(EXAMPLE, alert_id="a1", severity="critical", status="firing", targets=TO_BOTH)
SHIFTED = msgspec.structs.replace(
    PAGE, alert_id="a2", severity="warning", subject=AlertSubject("cohort", "org_7", "org"), accounts=()
)


@pytest.fixture
def topic(monkeypatch):
    """What was written to topics; that of alerts holds a page and a ticket about org_7."""
    written = []
    monkeypatch.setattr("stream.commands.on_call.reach.records", lambda *_: [encode(PAGE), encode(SHIFTED)])
    monkeypatch.setattr("stream.commands.on_call.reach.publish", lambda _, where, *one: written.append((where, *one)))
    return written


def test_an_alert_in_the_topic_is_announced_toward_its_own_targets_and_typed_where_it_is_an_open_page(capsys, topic):
    asked = ("expect", "alert=a1", "--kafka", "--reason", "ticket 4711", "--by", "kim")
    code, out, err = call(capsys, *asked)
    assert (code, out, topic) == (2, "", [])
    assert err == (
        "1 of the last 30 days' 2 alerts would have been covered.\n"
        'swerve: not confirmed: add --confirm "silence 1 page"\n'
    )
    code, out, _ = call(capsys, *asked, "--confirm", "silence 1 page")
    assert (code, out) == (
        0, "announced: expect alert=a1 to model:atlas-4\nannounced: expect alert=a1 to capability:coding\n"
    )  # fmt: skip
    assert [(where, key) for where, key, _ in topic] == [
        ("swerve.expected", "expect alert=a1 to model:atlas-4"),
        ("swerve.expected", "expect alert=a1 to capability:coding"),
    ]
    first, second = (record for *_, record in topic)
    assert (first["target"], second["target"]) == (
        {"kind": "model", "id": "atlas-4"}, {"kind": "capability", "id": "coding"},
    )  # fmt: skip
    assert (first["from"], first["reason"]) == (PAGE.started_at, "ticket 4711, says kim")
    call(capsys, "expect", "alert=a1", "--kafka", "--withdraw")
    assert topic[2:] == [(where, key, None) for where, key, _ in topic[:2]]


def test_an_alert_that_the_topic_does_not_have_is_not_announced(capsys, topic):
    code, out, err = call(capsys, "expect", "alert=a9", "--kafka", "--reason", "ticket 4711")
    assert (code, out, topic) == (2, "", [])
    assert err == "swerve: swerve.alerts: no alert a9, so nothing is silent\n"


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        ("org=org_7", None),  # its alert is a ticket
        ("account=acct_1", None),  # an alert of its own it does not have
        ("fleet", 'not confirmed: add --confirm "silence the fleet and 1 page"'),
    ],
)
def test_what_else_is_announced_into_the_topic_is_held_against_the_alerts_there(capsys, topic, subject, told):
    asked = ("expect", subject, "--to", "*", "--kafka", "--reason", "ticket 4711")
    code, _, err = call(capsys, *asked)
    assert "of the last 30 days' 2 alerts would have been covered." in err
    assert (code, len(topic)) == ((2, 0) if told else (0, 1))
    assert told is None or told in err


def test_a_page_about_an_organisation_is_typed_for_an_announcement_into_the_topic(capsys, topic, monkeypatch):
    page = msgspec.structs.replace(SHIFTED, severity="critical", targets=TO_BOTH[:1])
    monkeypatch.setattr("stream.commands.on_call.reach.records", lambda *_: [encode(page)])
    asked = ("expect", "org=org_7", "--to", "atlas-4", "--kafka", "--reason", "ticket 4711")
    code, _, err = call(capsys, *asked)
    assert (code, topic) == (2, [])
    assert err.endswith('swerve: not confirmed: add --confirm "silence 1 page"\n')


def test_a_release_in_a_file_is_what_backtest_reads(capsys, tmp_path):
    path = tmp_path / "releases.json"
    code, _, _ = call(
        capsys, "release", "atlas-4", "--at", "2026-02-05T00:00:00Z", "--supersedes", "atlas-3", "--file", str(path)
    )
    (release,) = releases_in(path)
    assert (code, release.model, release.supersedes) == (0, "atlas-4", "atlas-3")


RICH = msgspec.structs.replace(
    EXAMPLE,
    alert_id="abc123",
    evidence={
        "change": "opened",
        "why": "one_operator",
        "requests": 1489,
        "share_before": 0.004,
        "share_after": 0.483,
        "share_expected": 0.11,
        "statistic": 9.1,
        "threshold": 4.0,
        "named": {
            "until_ms": 1_770_260_400_000,
            "target": {"kind": "model", "id": "atlas-4"},
            "accounts": 71,
            "active": 70,
            "requests": 1402,
            "target_requests": 677,
            "share_after": 0.482882,
            "baseline": 9455.45,
        },
        "votes": [
            {"trait": "synchrony", "value": 1.4, "nats": 2.1, "one_hand": True},
            {"trait": "prefix_dominance", "value": 0.41, "nats": -0.62, "one_hand": False},
        ],
        "votes_for": 1,
        "log_odds": 1.9,
        "log_odds_now": 1.23,
        "log_odds_page": 1.5,
        "log_odds_ticket": -0.5,
        "shared_values": [
            {"dimension": "template", "value": "9f3c\x1b[31m", "accounts": 64, "organisations": 40, "elsewhere": 0}
        ],
        "per_target": [
            {"target": {"kind": "model", "id": "atlas-4"}, "share_before": 0.0, "share_after": 0.48, "statistic": 9.1}
        ],
    },
)


def test_explain_prints_every_number_with_its_formula(capsys, tmp_path):
    path = tmp_path / "alerts.ndjson"
    path.write_bytes(encode(EXAMPLE) + b"\n" + encode(RICH) + b"\n")
    code, out, _ = call(capsys, "explain", "abc", "--alerts", str(path))
    assert code == 0
    for part in (
        "share expected",
        "11%",
        "test statistic z",
        "9.1",
        "pauses and waves",
        "+2.10 nats, for",
        "-0.62 nats, against",
        "a page needs +1.50 nats",
        "64 accounts of 40",
        "Harmless",
        "1,402",
        "48.2882 %",
        "9,455.45",
        "2026-02-05 03:00",
    ):
        assert part in out
    assert "\x1b" not in out


def test_explain_says_why_a_crowd_needs_more_than_others(capsys, tmp_path):
    path = tmp_path / "alerts.ndjson"
    crowd = msgspec.structs.replace(RICH, severity="info", evidence={**RICH.evidence, "looks_like": "one_place"})
    path.write_bytes(encode(crowd) + b"\n")
    code, out, _ = call(capsys, "explain", RICH.alert_id, "--alerts", str(path))
    assert (code, "both higher" in out) == (0, True)


def test_explain_says_what_those_did_whom_nobody_chose(capsys, tmp_path):
    path = tmp_path / "alerts.ndjson"
    swing = {"unchosen_statistic": 1.3, "unchosen_threshold": 2.5}
    path.write_bytes(encode(msgspec.structs.replace(RICH, severity="info", evidence=RICH.evidence | swing)) + b"\n")
    code, out, _ = call(capsys, "explain", RICH.alert_id, "--alerts", str(path))
    said = " ".join(out.split())
    assert code == 0
    assert "those whom nobody chose z 1.3" in said
    assert "needed: 2.5, or half a day for a ticket; else it is a swing" in said


def test_explain_asks_a_running_swerve(capsys, swerve):
    swerve.answer = encode(RICH)
    code, out, _ = call(capsys, "explain", "abc123", "--url", swerve.url)
    assert (code, swerve.calls[0][:2]) == (0, ("GET", "/api/v1/alerts/abc123"))
    assert "48%" in out


def test_explain_prints_the_whole_timeline_that_a_running_swerve_knows(capsys, swerve):
    section = {"title": "Timeline (UTC)", "rows": [{"label": "2026-02-05 03:00", "value": "opened", "note": "early"}]}
    swerve.answer = json.dumps({"alert": json.loads(encode(RICH)), "explanation": [section]}).encode()
    code, out, _ = call(capsys, "explain", "abc123", "--url", swerve.url)
    assert code == 0
    assert "2026-02-05 03:00" in out
    assert "early" in out


def test_explain_says_when_what_answers_is_no_swerve(capsys, swerve):
    swerve.answer = b'["hello"]'
    code, _, err = call(capsys, "explain", "abc123", "--url", swerve.url)
    assert code == 1
    assert err.startswith("swerve: expected an alert from Swerve, got something else")


def test_explain_of_an_id_that_is_not_there_says_how_many_are(capsys, tmp_path):
    path = tmp_path / "alerts.ndjson"
    path.write_bytes(encode(RICH))
    assert call(capsys, "explain", "zzz", "--alerts", str(path))[::2] == (
        1,
        f"swerve: {path}: no alert zzz; it has 1 others\n",
    )


def test_explain_copes_with_evidence_that_is_not_there():
    bare = msgspec.structs.replace(EXAMPLE, evidence={"change": "opened"})
    assert [section.title for section in explain([bare])] == ["Alert", "Toward what", "Harmless if", "Timeline (UTC)"]


def test_explain_adds_up_what_is_for_one_operator_and_what_against():
    (section,) = (one for one in explain([RICH]) if one.title == "Is it one operator?")
    known = [row for row in section.rows if row.value != "not known"]
    assert [(row.label, row.value) for row in known] == [
        ("over the last hours", "+1.90 nats"),
        ("pauses and waves in common", "+2.10 nats, for"),
        ("the favourite exit", "-0.62 nats, against"),
        ("before any trait", "-0.25 nats"),
        ("this hour in all", "+1.23 nats"),
    ]
    assert known[0].note == "a page needs +1.50 nats, a ticket -0.50 nats"
    assert known[2].note.startswith("41%: of its requests")
    assert section.rows[: len(known)] == tuple(known), "what is not known stands last"


def test_the_report_counts_what_was_right(capsys, tmp_path):
    alerts, verdicts = tmp_path / "alerts.ndjson", tmp_path / "verdicts.json"
    ids = ["a1", "a2", "a3", "a4"]
    alerts.write_bytes(b"\n".join(encode(msgspec.structs.replace(EXAMPLE, alert_id=one)) for one in ids))
    said = [("a1", "campaign", 1), ("a2", "harmless", 1), ("a2", "campaign", 2), ("a3", "harmless", 1)]
    verdicts.write_text(
        json.dumps([{"alert_id": a, "verdict": v, "by": "kim", "at": 1_770_300_000_000 + t} for a, v, t in said])
    )
    code, out, _ = call(capsys, "verdicts", "report", "--alerts", str(alerts), "--verdicts", str(verdicts))
    assert code == 0
    row, _, taught = out.splitlines()[-3:]
    assert row.split() == ["coordinated_shift", "2026-02", "4", "3", "2", "1", "67%"]
    assert taught == "No verdict is about a network: what their traits say is as it was learnt."


def test_the_report_says_what_verdicts_taught_of_one_operators_hand(capsys, tmp_path):
    alerts, verdicts = tmp_path / "alerts.ndjson", tmp_path / "verdicts.json"
    ids = [f"a{n}" for n in range(6)]
    alerts.write_bytes(b"\n".join(encode(msgspec.structs.replace(RICH, alert_id=one)) for one in ids))
    said = [{"alert_id": one, "verdict": "harmless", "by": "kim", "at": 1_770_300_000_000} for one in ids]
    verdicts.write_text(json.dumps(said))
    code, out, _ = call(capsys, "verdicts", "report", "--alerts", str(alerts), "--verdicts", str(verdicts))
    assert code == 0
    assert re.search(
        r"^6 verdicts on networks: before its traits are read, each begins 0\.\d\d nats lower\.$", out, re.M
    )
    assert re.search(r"^Counted otherwise: pauses and waves in common 0\.\d\d times\.", out, re.M)


def test_sinks_test_goes_through_every_sink_and_says_which_failed(capsys, swerve, tmp_path, monkeypatch):
    config = tmp_path / "swerve.toml"
    config.write_text(
        f'[[sinks]]\nkind = "webhook"\nurl = "{swerve.url}/hook"\n'
        f'[[sinks]]\nkind = "file"\npath = "{tmp_path}/out.ndjson"\n'
        '[[sinks]]\nkind = "slack"\nurl = "http://127.0.0.1:1/s3cret"\n'
    )
    code, _, err = call(capsys, "sinks", "test", "--config", str(config))
    assert code == 1
    assert [one[2]["status"] for one in swerve.calls] == ["firing", "resolved"]
    assert swerve.calls[0][2]["summary"].startswith("TEST")
    assert "webhook (webhook): taken" in err
    assert "1 of 3 sinks did not take it: slack" in err
    assert "s3cret" not in err
    assert len((tmp_path / "out.ndjson").read_bytes().splitlines()) == 2


@pytest.mark.parametrize(("text", "expected"), [("+1w", 604_800_000), ("-30m", -1_800_000), ("90m", 5_400_000)])
def test_a_distance_is_from_now(text, expected):
    assert moment_ms(text, 0, "--from") == expected


def test_a_subject_that_is_too_long_is_refused_with_its_path():
    with pytest.raises(UsageError, match=r"\$\.subject\.id"):
        record_of("org=" + "x" * 5_000, None, 0, 1)


def test_two_long_subjects_get_two_ids_of_a_legal_length():
    ids = {record_of("org=" + "x" * 250 + end, "atlas-4", 0, 1)["id"] for end in "ab"}
    assert len(ids) == 2
    assert {len(one) for one in ids} == {256}


def test_the_report_says_which_verdict_it_cannot_read(capsys, tmp_path):
    alerts, verdicts = tmp_path / "alerts.ndjson", tmp_path / "verdicts.ndjson"
    alerts.write_bytes(encode(EXAMPLE))
    verdicts.write_text('{"alert_id": "a1", "verdict": "guilty", "by": "kim", "at": 1770300000000}\n')
    code, _, err = call(capsys, "verdicts", "report", "--alerts", str(alerts), "--verdicts", str(verdicts))
    assert code == 2
    assert err.startswith(f"swerve: {verdicts}:1: $.verdict: expected ")


def test_the_report_needs_both_files_or_the_topics(capsys):
    assert call(capsys, "verdicts", "report")[::2] == (
        2,
        "swerve: name --alerts FILE and --verdicts FILE, or --kafka, which reads both from their topics\n",
    )
