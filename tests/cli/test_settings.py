"""Where a setting comes from, and what a person is told when it cannot be."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from detectors.parameters import Parameters
from stream.configuration import settings
from stream.errors import UsageError


@pytest.fixture(autouse=True)
def no_swerve_variables(monkeypatch: pytest.MonkeyPatch):
    """The machine's own SWERVE_ variables must not reach a test."""
    import os

    for name in list(os.environ):
        if name.startswith("SWERVE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "swerve.toml"
        path.write_text(text)
        return path

    return write


def refusal(path: Path | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        settings.load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_give_the_default_parameters():
    assert settings.load().parameters == Parameters()


def test_every_parameter_can_be_set_in_exactly_one_section(written):
    path = written(
        "[ticks]\nlateness_ms = 60000\n[dimensions]\nlink = ['card']\n[limits]\naccounts_max = 5\n"
        "[detection]\npage_z = 6.5\nclock_vote = false\n"
    )
    parameters = settings.load(path).parameters
    assert (parameters.lateness_ms, parameters.link_dimensions, parameters.accounts_max) == (60_000, ("card",), 5)
    assert (parameters.page_z, parameters.clock_vote) == (6.5, False)


def test_the_environment_overrides_the_file(written, monkeypatch):
    path = written("[kafka]\nbootstrap_servers = 'file:1'\nclient_id = 'from-file'\n")
    monkeypatch.setenv("SWERVE_KAFKA__BOOTSTRAP_SERVERS", "env:2")
    monkeypatch.setenv("SWERVE_KAFKA__TOPICS__REQUESTS", "mine")
    kafka = settings.load(path).kafka
    assert (kafka.bootstrap_servers, kafka.client_id, kafka.topics.requests) == ("env:2", "from-file", "mine")


def test_swerve_config_names_the_file_unless_one_is_given(written, monkeypatch, tmp_path):
    monkeypatch.setenv("SWERVE_CONFIG", str(written("[http]\nport = 1\n")))
    other = tmp_path / "other.toml"
    other.write_text("[http]\nport = 2\n")
    assert (settings.load().http.port, settings.load(other).http.port) == (1, 2)


def test_a_list_in_the_environment_is_json_or_separated_by_commas(monkeypatch):
    monkeypatch.setenv("SWERVE_DIMENSIONS__LINK", "card, prefix")
    monkeypatch.setenv("SWERVE_DIMENSIONS__COHORT", '["org"]')
    dimensions = settings.load().dimensions
    assert (dimensions.link, dimensions.cohort) == (("card", "prefix"), ("org",))


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        settings.load().http.port = 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[http]\nprot = 1\n", "no key [http] prot; did you mean port?"),
        ("[htp]\nport = 1\n", "no key [htp]; did you mean http?"),
        ("[http]\nport = 99999\n", "[http] port = 99999: expected less than or equal to 65535"),
        ("[http]\nport = 'x'\n", "[http] port = 'x': expected a valid integer"),
        ("[detection]\npage_z = -1\n", "[detection] page_z = -1: expected greater than 0"),
        ("[detection]\nfast_window_h = 48\n", "[detection] fast_window_h = 48: expected less than or equal to 24"),
        ("[detection]\nfast_window_h = 0\n", "[detection] fast_window_h = 0: expected greater than or equal to 1"),
        ("[detection]\npage_zz = 1\n", "did you mean page_z?"),
        ("[detection]\ntie_excess = 1.5\n", "no key [detection] tie_excess"),
        ("[detection]\ncore_organisations_min = 3\n", "no key [detection] core_organisations_min"),
        ("[ticks]\nnetwork_tick_ms = 7\n", "network_tick_ms must be a multiple of tick_ms = 300000"),
        ("[kafka]\nsecurity_protocol = 'SASL_SSL'\n", "needs sasl_username and sasl_password"),
        ("[kafka.topics]\nrequests = 'swerve.dlq'\nframes = 'swerve.dlq'\n", "swerve.dlq is given twice"),
        ("[[drift]]\ndimension = 'org'\nvalue = 'a'\ntarget = 'atlas-4'\n", "[drift.0] target"),
        ("[[drift]]\ndimension = 'shoe'\nvalue = 'a'\ntarget = 'model:atlas-4'\n", "'shoe'"),
        ("[[drift]]\ndimension = 'org'\nvalue = 'a'\ntarget = 'model:m'\ndetector = 'DDM'\n", "expected one of ADWIN"),
        (
            "[[drift]]\ndimension = 'org'\nvalue = 'a'\ntarget = 'model:m'\nsettings = { x = 1 }\n",
            "ADWIN of river says",
        ),
        ("[[sinks]]\nkind = 'pigeon'\n", "'pigeon'"),
        ("[[sinks]]\nkind = 'file'\n", "[sinks.0] path"),
        ("[[sinks]]\nkind = 'stdout'\n[[sinks]]\nkind = 'stdout'\n", "two sinks are named stdout"),
        ("[http\n", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_told_by_key_value_and_expectation(written, text, told):
    assert told in refusal(written(text))


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SWERVE_HTTP__PORT", "many", "environment SWERVE_HTTP__PORT: [http] port = 'many': expected a valid integer"),
        ("SWERVE_KAFAK__PARTITIONS", "4", "no section kafak; did you mean kafka?"),
        ("SWERVE_KAFKA__PARTITION", "4", "no key [kafka] partition; did you mean partitions?"),
        ("SWERVE_DIMENSIONS__LINK", "[1", "dimensions"),
    ],
)
def test_a_mistake_in_the_environment_is_told_by_variable(monkeypatch, variable, value, told):
    monkeypatch.setenv(variable, value)
    assert told in refusal()


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.toml")
    assert "Is a directory" in refusal(tmp_path)


def test_secrets_are_masked_and_every_value_says_where_it_comes_from(written, monkeypatch):
    path = written("[kafka]\nclient_id = 'me'\nsasl_password = 'hunter2'\n")
    monkeypatch.setenv("SWERVE_HTTP__TOKEN", "letmein-for-a-while")
    rows = {(section, key): (value, where) for section, key, value, where in settings.sources(path)}
    assert rows["kafka", "sasl_password"] == ("********", str(path))
    assert rows["http", "token"] == ("********", "SWERVE_HTTP__TOKEN")
    assert rows["kafka", "client_id"] == ("me", str(path))
    assert rows["kafka.topics", "alerts"] == ("swerve.alerts", "default")


def test_a_secret_that_is_wrong_is_not_repeated_in_the_error(written):
    assert "hunter2" not in refusal(written("[http]\ntoken = ['hunter2']\n"))


def test_a_configuration_that_comes_through_a_pipe_is_read(tmp_path):
    """Read once: the second time there is nothing left."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for ask in (settings.load, lambda path: {key: value for _, key, value, _ in settings.sources(path)}):
        writing = threading.Thread(target=pipe.write_text, args=("[http]\nport = 9321\n",))
        writing.start()
        told = ask(pipe)
        writing.join()

        assert (told["port"] if isinstance(told, dict) else told.http.port) == 9321


def test_every_dialect_can_be_configured(written):
    from stream.mapping.named import NAMES

    for dialect in NAMES:
        assert settings.load(written(f"[sources]\ndialect = '{dialect}'\n")).sources.dialect == dialect
    assert "[sources] dialect = 'latin'" in refusal(written("[sources]\ndialect = 'latin'\n"))


def test_every_kind_of_sink_can_be_configured_and_is_shown_without_its_secrets(written):
    path = written(
        """
        [[sinks]]
        kind = "stdout"
        [[sinks]]
        kind = "alertmanager"
        urls = ["http://a:9093", "http://b:9093"]
        [[sinks]]
        kind = "slack"
        url = "https://hooks.slack.example/T0/SECRET"
        [[sinks]]
        kind = "pagerduty"
        routing_key = "SECRET"
        [[sinks]]
        kind = "webhook"
        url = "https://x.example"
        secret = "SECRET"
        """
    )
    assert settings.load(path).sinks[1].urls == ("http://a:9093", "http://b:9093")
    shown = [(section, key, str(value)) for section, key, value, _ in settings.sources(path) if section == "[sinks]"]
    assert ("[sinks]", "routing_key", "********") in shown
    assert not [value for _, _, value in shown if "SECRET" in value]


@pytest.mark.parametrize("token", ["", " ", "short", "sixteen letters and a space"])
def test_a_token_that_is_empty_or_can_be_guessed_is_refused_without_being_shown(monkeypatch, token):
    monkeypatch.setenv("SWERVE_HTTP__TOKEN", token)

    said = refusal()

    assert "at least 16 printable characters" in said
    assert "[http] token = '********'" in said


def test_a_room_for_targets_that_holds_none_is_refused(monkeypatch):
    monkeypatch.setenv("SWERVE_LIMITS__TARGETS_MAX", "1")

    assert "[limits] targets_max = '1': expected greater than or equal to 16" in refusal()


ADDRESS = "https://user:SECRET@x.example/hook/SECRET?token=SECRET"


def test_addresses_are_shown_without_what_may_open_something(written):
    path = written(
        f"""
        [[sinks]]
        kind = "webhook"
        url = "{ADDRESS}"
        [[sinks]]
        kind = "alertmanager"
        urls = ["{ADDRESS}"]
        """
    )
    shown = "\n".join(str(value) for *_, value, _ in settings.sources(path))

    assert "https://********@x.example/" in shown
    assert "SECRET" not in shown


@pytest.mark.parametrize(
    "text",
    [
        f"[[sinks]]\nkind = 'webhook'\nurl = 'ftp{ADDRESS}'\n",
        f"[[sinks]]\nkind = 'alertmanager'\nurls = ['ftp{ADDRESS}']\n",
        "[[sinks]]\nkind = 'slack'\nurl = 'https://hooks.slack.com/services/SECRET'\nseverity_min = 'SECRET'\nx = 1\n",
        f"[sinks]\nkind = 'slack'\nurl = '{ADDRESS}'\n",
        f"[http]\npublic_url = 'x{ADDRESS}'\n",
        f"[kafka]\nbootstrap_servers = ['{ADDRESS}']\n",
        f"sinks = '{ADDRESS}'\n",
        f"[kafka]\nbootstrap_servers = '{ADDRESS}'\n",
        "[kafka]\nbootstrap_servers = 'broker:9092,kim:SECRET@broker:9092'\n",
    ],
)
def test_a_mistake_beside_a_secret_does_not_tell_the_secret(written, text):
    said = refusal(written(text)).replace("severity_min = 'SECRET'", "")

    assert "SECRET" not in said


def test_a_file_that_is_not_toml_is_told_by_its_place_alone(written):
    assert "SECRET" not in refusal(written("[http]\ntoken = SECRET\n"))
