"""`swerve map check` and `swerve map suggest`: what a person is told of a sample."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from stream import cli
from stream.mapping import presets

OURS = [
    {
        "req": {"id": f"r{number}", "ts": "2026-03-01 12:00:00.25"},
        "customer": {"id": 40 + number % 4, "org_name": f"org_{number % 3}", "card": "4111"},
        "model_name": "atlas-4",
        "usage": {"prompt_tokens": "812", "completion_tokens": 97},
        "remote_ip": "198.51.100.7",
        "status": 200,
        "prompt": "TEXT OF A PROMPT",
    }
    for number in range(12)
]


@pytest.fixture
def typed(capfd: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> tuple[int, str, str]:
        code = cli.run([str(word) for word in words])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in OURS))
    return path


def test_a_proposal_is_a_mapping_that_reads_the_sample(typed, log, tmp_path, monkeypatch):
    code, toml, _ = typed("map", "suggest", log)
    assert code == 0
    (tmp_path / "ours.toml").write_text(toml)
    monkeypatch.setenv("SWERVE_MAP_KEY", "0123456789abcdef")
    code, told, err = typed("map", "check", log, "--map", tmp_path / "ours.toml")

    assert (code, err) == (0, "")
    assert told.startswith("12 records: 12 requests, 0 no requests, 0 refused")
    rows = {line.split()[0]: line.split()[1:] for line in told.splitlines() if line.startswith(" ")}
    assert rows["account_id"][:3] == ["customer.id", "12", "0"]
    assert rows["timestamp"][0] == "req.ts"
    assert rows["attributes.ip_prefix"][-1] == "198.51.100.0/24"


def test_a_proposal_marks_what_a_person_must_decide_and_takes_no_text_of_a_prompt(typed, log):
    toml = typed("map", "suggest", log)[1]

    (account,) = (line for line in toml.splitlines() if line.startswith("account_id"))
    assert "DECIDE: who is billed?" in account
    assert 'payment = { from = "customer.card", hash = "SWERVE_MAP_KEY" }' in toml
    assert "# template = ...  # DECIDE: nothing is named like it" in toml
    assert "TEXT OF A PROMPT" not in toml
    assert '"prompt"' not in toml


def test_a_sample_of_a_known_platform_is_recognised(typed):
    assert "looks like kong: --dialect kong" in typed("map", "suggest", presets.FOLDER / "kong.ndjson")[2]


def test_check_says_what_is_hard_to_find_with_litellms_log_alone(typed, tmp_path):
    """The pivot of many accounts in its real payload: only addresses tie."""
    payload = json.loads(presets.sample_of("litellm")[0])
    payload["metadata"]["user_api_key_auth_metadata"] = None
    calls = []
    for number in range(20):
        payload |= {"litellm_call_id": f"c{number}"}
        payload["metadata"] |= {"user_api_key_user_id": f"acct_{number}", "user_api_key_org_id": f"org_{number}"}
        calls.append(json.dumps(payload))
    (tmp_path / "log").write_text("\n".join(calls))
    code, said, _ = typed("map", "check", tmp_path / "log", "--dialect", "litellm")

    told = " ".join(said.split())
    assert code == 0
    assert "0% of the requests carry template: most networks are not found, since a prompt-side hash ties best" in told
    assert "campaigns over many accounts are found by ip_prefix alone, and can page: on less evidence than" in told


@pytest.mark.parametrize(
    ("carried", "said"),
    [
        ("org payment template", "are found by payment, template, and can page"),
        ("org payment", "are found by payment alone, and can page: on less evidence than two kinds of ties give"),
        ("payment", "are found by payment, and page where they pay in many ways: org is not known"),
        ("template", "are found by template, but do NOT page: org is not known, so each is a warning at most"),
        ("org", "are NOT found: nothing ties accounts together"),
    ],
)
def test_check_says_by_which_ties_a_campaign_is_found_and_whether_it_pages(typed, tmp_path, carried, said):
    record = {"id": "e", "at": "2026-03-01T12:00:00Z", "who": "a", "what": "m", **dict.fromkeys(carried.split(), "v")}
    named = "\n".join(f'{name} = "{name}"' for name in ("org", "payment", "template"))
    (tmp_path / "map").write_text(
        f'[map]\nevent_id = "id"\ntimestamp = "at"\naccount_id = "who"\nmodel = "what"\n[map.attributes]\n{named}\n'
    )
    (tmp_path / "log").write_text(json.dumps(record))
    told = typed("map", "check", tmp_path / "log", "--map", tmp_path / "map")[1]

    assert f"campaigns over many accounts {said}" in " ".join(told.split())


def test_check_warns_of_an_account_that_a_tenth_of_the_requests_carry(typed, tmp_path):
    payload = json.loads(presets.sample_of("litellm")[0])
    calls = []
    for number in range(20):
        user = "everybody" if number < 5 else f"acct_{number}"
        payload |= {"litellm_call_id": f"c{number}"}
        payload["metadata"] |= {"user_api_key_user_id": user}
        calls.append(json.dumps(payload))
    (tmp_path / "log").write_text("[" + ",".join(calls) + "]")
    told = typed("map", "check", tmp_path / "log", "--dialect", "litellm")[1]

    assert "account everybody is a 25% part of all requests: is it who is billed?" in told


def test_check_tells_what_is_no_request_by_which_condition_and_what_was_refused_where(typed, tmp_path):
    entry = json.loads(presets.sample_of("envoy")[0])
    (tmp_path / "log").write_bytes(
        b"\n".join([*presets.sample_of("envoy"), json.dumps(entry | {"user.id": "-"}).encode()])
    )
    told = typed("map", "check", tmp_path / "log", "--dialect", "envoy")[1]

    assert told.startswith("7 records: 2 requests, 4 no requests, 1 refused")
    assert "  no request by for_a_model: 3" in told
    assert "  no request by completed: 1" in told
    assert "  record 7: $.account_id: expected a string, got nothing" in told


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"b": 1_772_366_400}, 'map timestamp from `b`: write its unit, `epoch = "s"`, "ms", "us" or "ns"'),
        ({"b": "1772366400"}, 'map timestamp from `b`: write its unit, `epoch = "s"`, "ms", "us" or "ns"'),
        ({"b": "2026-03-01 12:00:00"}, 'map timestamp from `b`: write its time zone, `zone = "UTC"`'),
        ({"b": "noon"}, "map timestamp from `b`: `epoch` reads a number, `zone` a text without a time zone"),
        ({"b": None}, "map timestamp: nothing at `a`, `b`"),
        ({"what": [1]}, "map model from `what`"),
        ({"in": -1}, "map input_tokens from `in`"),
    ],
)
def test_check_says_of_what_is_refused_which_key_of_the_mapping_gave_it_from_where(typed, tmp_path, record, told):
    """The contract's own word is of the request, `$.timestamp`: whoever wrote the mapping has to look for its key."""
    fine = {"id": "e", "b": "2026-03-01T12:00:00Z", "who": "a", "what": "m", "in": 7}
    (tmp_path / "map").write_text(
        '[map]\nevent_id = "id"\ntimestamp = ["a", "b"]\naccount_id = "who"\nmodel = "what"\ninput_tokens = "in"\n'
    )
    (tmp_path / "log").write_text(f"{json.dumps(fine)}\n{json.dumps(fine | record)}\n")
    code, out, _ = typed("map", "check", tmp_path / "log", "--map", tmp_path / "map")

    assert (code, out.splitlines()[0]) == (0, "2 records: 1 requests, 0 no requests, 1 refused")
    assert told in " ".join(out.split())


def test_check_of_a_sample_that_is_none_fails_with_a_guess(typed):
    code, _, err = typed("map", "check", presets.FOLDER / "litellm.ndjson", "--dialect", "envoy")

    assert code == 1
    assert err.splitlines()[-1].endswith("looks like litellm: --dialect litellm")


def test_check_without_a_mapping_reads_our_own_form_as_a_callback_writes_it(typed, tmp_path):
    ours = {
        "event_id": "e",
        "timestamp": 1_772_366_400_000,
        "account_id": "a",
        "model": "m",
        "capabilities": ["coding"],
    }
    told = [ours | {"attributes": {"payment": "p", "org": "o"}}, ours | {"attributes": {"org": "o"}}, {"model": "m"}]
    (tmp_path / "log").write_text("\n".join(map(json.dumps, told)))
    code, out, _ = typed("map", "check", tmp_path / "log")

    assert code == 0
    assert out.startswith("3 records: 2 requests, 0 no requests, 1 refused")
    assert "record 3: $.event_id: expected a string, got nothing" in out
    assert re.search(r"attributes.payment +attributes.payment 1 +1 +p ", out)
    assert "0% of the requests carry template" in out
    assert "campaigns over many accounts are found by payment alone, and can page" in out


def test_check_without_a_mapping_of_another_platforms_records_says_which_dialect_they_are_in(typed, log):
    code, out, err = typed("map", "check", presets.FOLDER / "kong.ndjson")

    assert (code, "looks like kong: --dialect kong" in err) == (1, True)
    assert "nowhere" not in out, "of nothing there is no table"
    assert typed("map", "check", log)[2].endswith("swerve map suggest FILE proposes a mapping for it\n")


def test_what_check_says_fits_a_pipe_and_leaves_no_path_out(typed, tmp_path):
    (tmp_path / "log").write_text(f"[{','.join(one.decode() for one in presets.sample_of('litellm'))}]")
    _, out, _ = typed("map", "check", tmp_path / "log", "--dialect", "litellm")

    assert max(map(len, out.splitlines())) <= 100
    assert "metadata.user_api_key_auth_metadata.payment" in out


@pytest.mark.parametrize("name", presets.NAMES)
def test_a_shipped_mapping_can_be_printed_and_reads_its_sample(typed, name, tmp_path):
    code, toml, _ = typed("map", "show", name)
    (tmp_path / "ours.toml").write_text(toml)
    sampled, records, _ = typed("map", "show", name, "--sample")
    (tmp_path / "calls.ndjson").write_text(records)

    assert (code, sampled, tomllib.loads(toml)["map"]) == (0, 0, presets.preset(name))
    checked, told, err = typed("map", "check", tmp_path / "calls.ndjson", "--map", tmp_path / "ours.toml")
    assert (checked, err) == (0, "")
    assert told == typed("map", "check", presets.FOLDER / f"{name}.ndjson", "--dialect", name)[1]


def test_a_mapping_that_is_not_shipped_is_told_with_those_that_are(typed):
    assert typed("map", "show", "apache") == (
        2, "", f"swerve: no mapping 'apache'; expected one of {', '.join(presets.NAMES)}\n"
    )  # fmt: skip


def test_a_mapping_in_the_configuration_is_in_force_for_every_command(typed, log, tmp_path):
    config = tmp_path / "swerve.toml"
    config.write_text(
        '[map]\nevent_id = "req.id"\ntimestamp = { from = "req.ts", zone = "UTC" }\naccount_id = "customer.id"\n'
        'model = ["model_name", { from = "model", lower = true }]\ninput_tokens = "usage.tokens"\n'
        '\n[map.attributes]\norg = "customer.org_name"\n'
    )

    assert typed("backtest", log, "--config", config)[1].startswith("12 records read, 0 not counted")
    assert typed("config", "check", "--config", config)[0] == 0
    shown = tomllib.loads(typed("config", "show", "--config", config)[1])
    assert shown["map"] == tomllib.loads(config.read_text())["map"]


def test_a_mistake_in_the_configurations_mapping_is_found_by_config_check(typed, tmp_path):
    config = tmp_path / "swerve.toml"
    config.write_text('[map]\nmodle = "x"\n')
    code, _, err = typed("config", "check", "--config", config)

    assert (code, err) == (2, f"swerve: configuration {config}: [map] no key modle; did you mean model?\n")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('modle = "x"', "[map] no key modle; did you mean model?"),
        ('attributes = "x"', "[map] attributes: expected a table [map.attributes], got 'x'"),
        ("", "[map] event_id: expected the path of it in a record, got nothing"),
    ],
)
def test_a_mistake_in_a_mapping_names_the_file_that_it_stands_in(typed, log, tmp_path, written, told):
    """Where the configuration has a mapping and the command line another, it is in that one."""
    config, ours = tmp_path / "swerve.toml", tmp_path / "ours.toml"
    config.write_text(f"[map]\nname = 'x'\n{written}\n")
    ours.write_text(config.read_text())

    assert typed("map", "check", log, "--config", config)[2] == f"swerve: configuration {config}: {told}\n"
    by_map = typed("map", "check", log, "--config", config, "--map", ours)[2]
    assert by_map == f"swerve: mapping {ours}: {told}\n"
