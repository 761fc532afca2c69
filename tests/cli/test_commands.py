"""What a person sees who types a command: help, one line for a mistake, and the right exit code."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from stream import cli

FORBIDDEN_AT_HELP = ("numpy", "aiokafka", "faust", "pyarrow", "aiohttp", "river", "scipy", "jinja2", "pydantic")


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]):
    """Types a command line; gives exit code, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.run(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_help_lists_every_command_that_exists(typed):
    code, out, _ = typed("--help")
    assert code == 0
    for name, command in cli.COMMANDS.items():
        assert (f"│ {name} " in out) == cli._exists(command), name


def test_help_imports_no_heavy_library_and_little_at_all():
    """What it imports is nearly all of the time that it takes."""
    code = (
        "import sys; from stream import cli; cli.run(['--help']); "
        f"print(len(sys.modules), [m for m in {FORBIDDEN_AT_HELP!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, heavy = done.stdout.splitlines()[-1].split(maxsplit=1)
    assert heavy == "[]"
    assert int(modules) < 500


def test_a_command_that_cannot_be_imported_leaves_the_others_alone(typed, monkeypatch):
    broken = cli.Command("stream.commands.set_up.config", "nothing_of_this_name", "x", "x")
    monkeypatch.setitem(cli.COMMANDS, "config", broken)
    assert typed("--version")[0] == 0
    with pytest.raises(AttributeError):
        typed("config")


def test_every_command_that_exists_explains_itself(typed):
    for name, command in cli.COMMANDS.items():
        if cli._exists(command):
            code, out, err = typed(name, "--help")
            assert (code, err) == (0, ""), name
            assert "Usage: swerve" in out


def test_the_version_is_that_of_the_distribution(typed):
    code, out, _ = typed("--version")
    assert (code, out.split()[0]) == (0, "swerve")


def test_no_arguments_print_the_help_and_cannot_be_used(typed):
    code, out, err = typed()
    assert (code, err) == (2, "")
    assert "Usage: swerve" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["cofnig"], "swerve: No such command 'cofnig'. Did you mean 'config'?; see swerve --help"),
        (["--loud"], "swerve: No such option: --loud; see swerve --help"),
        (["config", "check", "--config"], "swerve: Option '--config' requires an argument"),
        (["config", "check", "--config", "/none.toml"], "swerve: configuration /none.toml: No such file or directory"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(typed, words, told):
    code, out, err = typed(*words)
    assert (code, out) == (2, "")
    assert err.startswith(told)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "swerve: stopped\n"),
        (OSError(28, "No space left on device", "/out/alerts"), 1, "swerve: /out/alerts: No space left on device\n"),
        (OSError(28, "No space left on device"), 1, "swerve: No space left on device\n"),
    ],
)
def test_what_stops_a_command_is_told_in_one_line(typed, monkeypatch, raised, code, told):
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr("stream.configuration.settings.load", fail)
    got, _, err = typed("config", "check")
    assert (got, err) == (code, told)


def test_config_check_accepts_the_defaults_and_show_prints_toml_that_is_accepted(typed, tmp_path):
    import tomllib

    code, out, _ = typed("config", "show")
    assert code == 0
    written = tmp_path / "swerve.toml"
    written.write_text(out)
    assert tomllib.loads(out)["http"]["port"] == 8321
    assert typed("config", "check", "--config", str(written))[0] == 0


def test_every_example_uses_options_that_the_command_has(typed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    for name, example in cli.EXAMPLES.items():
        if cli._exists(cli.COMMANDS[name]):
            _, out, _ = typed(name, "--help")
            assert example in " ".join(out.split()), name
            flags = [word for word in example.partition(f"swerve {name}")[2].split() if word.startswith("--")]
            assert [flag for flag in flags if not re.search(rf"│[ *]+{flag} ", out)] == [], name


def test_sections_of_the_configuration_are_named_in_help(typed):
    """A bracket in a help text is not eaten as markup."""
    assert "[sources] dialect" in " ".join(typed("backtest", "--help")[1].replace("│", " ").split())


@pytest.mark.parametrize("words", [["config", "check"], ["correlate"], ["run"]])
def test_a_sink_that_could_not_be_made_is_refused_before_any_broker_is_asked(words, tmp_path, typed):
    template = tmp_path / "page.json"
    template.write_text("{{ alert.no_such_field }}")
    config = tmp_path / "swerve.toml"
    config.write_text(
        '[kafka]\nbootstrap_servers = "127.0.0.1:1"\n'
        f'[[sinks]]\nkind = "webhook"\nname = "pager"\nurl = "http://127.0.0.1:2/"\ntemplate = "{template}"\n'
    )

    code, _, err = typed(*words, "--config", str(config))

    assert code == 2
    assert "sink pager: template" in err
