"""What can be typed? The table of commands, each imported when it is called, and the one place that ends the process.

Exit codes: 0 it ran to the end, 1 a failure, 2 arguments or configuration that cannot be used, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stream.errors import SwerveError, UsageError
from stream.extras import remedy
from stream.spoken import harmless

STOPPED = 130
FIRST = "Begin here"
KAFKA = "Through Kafka"
ON_CALL = "On call"
SET_UP = "Set up"


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives, and its line in the list. `attribute`: a function, or a typer.Typer of subcommands."""

    module: str
    attribute: str
    panel: str
    line: str


COMMANDS: dict[str, Command] = {
    "demo": Command(
        "stream.commands.begin.demo", "command", FIRST, "Watch Swerve find planted campaigns; needs no broker."
    ),
    "backtest": Command(
        "stream.commands.begin.backtest", "command", FIRST, "Replay logs through the detectors, in event time."
    ),
    "backfill": Command(
        "stream.commands.begin.backfill", "command", FIRST, "Read weeks of logs, tell nobody; swerve watch goes on."
    ),
    "simulate": Command(
        "stream.commands.begin.simulate", "simulate", FIRST, "Write labelled traffic to a file or to Kafka."
    ),
    "watch": Command(
        "stream.commands.begin.watch", "command", FIRST, "Follow a growing log or standard input, live, without Kafka."
    ),
    "topics": Command("stream.commands.through_kafka.topics", "command", KAFKA, "Create the topics, or check them."),
    "ingest": Command(
        "stream.commands.through_kafka.ingest", "command", KAFKA, "Requests -> frames; any number of workers."
    ),
    "detect": Command(
        "stream.commands.through_kafka.detect", "command", KAFKA, "Frames -> summaries; any number of workers."
    ),
    "correlate": Command(
        "stream.commands.through_kafka.correlate", "command", KAFKA, "Summaries -> alerts; one active, one standby."
    ),
    "run": Command(
        "stream.commands.through_kafka.run", "command", KAFKA, "All three stages in one process, for a small fleet."
    ),
    "reshard": Command(
        "stream.commands.through_kafka.reshard",
        "command",
        KAFKA,
        "Move detect's state to another number of partitions.",
    ),
    "forget": Command(
        "stream.commands.through_kafka.forget", "command", KAFKA, "Remove an account from state and alerts."
    ),
    "pseudonyms": Command(
        "stream.commands.set_up.pseudonyms",
        "command",
        SET_UP,
        "Under which names accounts are known with a privacy key.",
    ),
    "dlq": Command("stream.commands.through_kafka.dlq", "app", KAFKA, "Show refused records, or replay them."),
    "explain": Command(
        "stream.commands.on_call.explain", "command", ON_CALL, "Everything that is known about one alert."
    ),
    "why": Command(
        "stream.commands.on_call.why", "command", ON_CALL, "Why an account, a cohort or a target did not fire."
    ),
    "expect": Command(
        "stream.commands.on_call.expect", "command", ON_CALL, "Announce a shift, so that it pages nobody."
    ),
    "release": Command("stream.commands.on_call.release", "command", ON_CALL, "Announce a model release."),
    "verdict": Command("stream.commands.on_call.verdict", "command", ON_CALL, "Say what an alert turned out to be."),
    "verdicts": Command(
        "stream.commands.on_call.verdict", "app", ON_CALL, "How often alerts were right, by kind and month."
    ),
    "ack": Command("stream.commands.on_call.ack", "command", ON_CALL, "Acknowledge an alert."),
    "snooze": Command("stream.commands.on_call.snooze", "command", ON_CALL, "Silence an alert until a time."),
    "shadow": Command(
        "stream.commands.set_up.shadow", "command", SET_UP, "Judge a log with two configurations; what would differ?"
    ),
    "canary": Command(
        "stream.commands.set_up.canary", "command", SET_UP, "Plant a campaign beside the traffic; is it found?"
    ),
    "map": Command(
        "stream.commands.set_up.map", "app", SET_UP, "Read another platform's records: check or propose a mapping."
    ),
    "sinks": Command("stream.commands.set_up.sinks", "app", SET_UP, "Send a test alert through every configured sink."),
    "config": Command("stream.commands.set_up.config", "app", SET_UP, "Show and check the configuration."),
}

# One line that a newcomer can type, shown below the help of a command.
EXAMPLES: dict[str, str] = {
    "demo": "swerve demo --seed 2",
    "backtest": "swerve backtest requests.ndjson.zst --releases releases.json --report report.html",
    "backfill": "swerve backfill logs/ --state swerve-state --releases releases.json",
    "simulate": "swerve simulate --scenario pivot --output fleet.ndjson.zst --truth truth.json",
    "watch": "tail -F requests.ndjson | swerve watch - --releases releases.json",
    "ingest": "SWERVE_KAFKA__BOOTSTRAP_SERVERS=broker:9092 swerve ingest",
    "detect": "swerve detect --config swerve.toml",
    "correlate": "swerve correlate --config swerve.toml",
    "run": "swerve run --config swerve.toml",
    "reshard": "swerve reshard 16 --config swerve.toml",
    "forget": "swerve forget acct_71 --config swerve.toml",
    "pseudonyms": "swerve pseudonyms acct_71 org=org_7",
    "explain": "swerve explain a1b2c3d4e5f60718",
    "expect": "swerve expect org=org_7 --to atlas-4 --until +7d --reason 'announced migration'",
    "release": "swerve release atlas-4 --supersedes atlas-3",
    "verdict": "swerve verdict a1b2c3d4e5f60718 harmless --note 'agency moved its clients'",
    "ack": "swerve ack a1b2c3d4e5f60718",
    "snooze": "swerve snooze a1b2c3d4e5f60718 --until +4h --reason 'deploy, ticket 4711'",
}


def _exists(command: Command) -> bool:
    """Whether the module is there; nothing of it is imported."""
    try:
        return importlib.util.find_spec(command.module) is not None
    except ModuleNotFoundError:
        return False


def _line_only(line: str) -> Callable[[], None]:
    def stand_in() -> None:
        raise AssertionError("a command is loaded before it is called")

    stand_in.__doc__ = line
    return stand_in


class Lazy(TyperGroup):
    """Lists the commands by their lines, and imports only the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real command in place of its line."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found if name is None else self._loaded(name), rest

    @staticmethod
    def _loaded(name: str) -> Any:
        command = COMMANDS[name]
        part = getattr(importlib.import_module(command.module), command.attribute)
        if isinstance(part, typer.Typer):
            return typer.main.get_command(part)
        one = typer.Typer(add_completion=False, rich_markup_mode="rich")
        example = EXAMPLES.get(name)
        one.command(name, epilog=f"Example: [bold]{example}[/bold]" if example else None)(part)
        return typer.main.get_command(one)


app = typer.Typer(
    name="swerve",
    cls=Lazy,
    rich_markup_mode="rich",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"swerve {importlib.metadata.version('swerve')}")
        raise typer.Exit


@app.callback(epilog="New here? [bold]swerve demo[/bold] shows everything in two minutes.")
def swerve(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Says when traffic moves together: toward a new model release, or toward a capability."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(UsageError.exit_code)


for _name, _command in COMMANDS.items():
    if _exists(_command):
        app.command(_name, rich_help_panel=_command.panel)(_line_only(_command.line))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; every expected failure becomes one line on standard error."""
    try:
        code = typer.main.get_command(app)(args=arguments, prog_name="swerve", standalone_mode=False)
        sys.stdout.flush()
    except SwerveError as error:
        return _ended(str(error), error.exit_code)
    except typer.TyperException as error:
        # Without arguments a group prints its help and raises an error that says nothing more.
        return _ended(_with_help(error), UsageError.exit_code) if error.format_message() else UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except ModuleNotFoundError as error:
        missing = remedy(error.name)
        if missing is None:
            raise
        typed = (word for word in (sys.argv[1:] if arguments is None else arguments) if word in COMMANDS)
        return _ended(f"{next(typed, 'this command')} {missing}", UsageError.exit_code)
    except BrokenPipeError:
        # Whoever read our output has left (`swerve ... | head`): nothing to say, and nothing to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _ended(f"{where}{error.strerror or error}", 1)
    # The library turns Ctrl-C into this code.
    return _ended("stopped", STOPPED) if code == STOPPED else code if isinstance(code, int) else 0


def _with_help(error: typer.TyperException) -> str:
    """What the parser says, on one line, and where to read on."""
    said = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{said}; see {context.command_path} --help" if context is not None else said


def _ended(told: str, code: int) -> int:
    print(f"swerve: {harmless(told)}", file=sys.stderr)
    return code
