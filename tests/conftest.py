"""Which services did the tests need, and which were there? The last line of a run says so.

A test that needs one is marked `@pytest.mark.service("kafka")`; its fixture calls `unavailable` where there is none.
`SWERVE_REQUIRE=kafka,prometheus` turns that skip into a failure.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.programs import NoProgramError
from tests.programs import program as found

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs us in the background has us ignore Ctrl-C, and what tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How fast an example is drawn says how busy the machine is, and nothing of what is tested.
settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")

HERE = Path(__file__).parent
# Files that take long, those with a broker and those without in turn: these work where those wait.
LONG = (
    "service/faults/test_faults.py",
    "simulate/test_difficulty.py",
    "service/records/test_same_as_backtest.py",
    "mapping/test_presets_alert_the_same.py",
    "service/records/test_forget.py",
    "docs/test_pages_run.py",
    "service/faults/test_zombie.py",
    "stories/test_evidence_recomputed.py",
    "service/faults/test_stop_without_broker.py",
    "stories/test_honest_days.py",
    "service/stages/test_correlate.py",
    "oncall/test_canary.py",
    "service/alerts/test_attention.py",
    "service/chromium/test_axe_chromium.py",
    "service/stages/test_faust_log.py",
    "demo/test_demo.py",
    "service/stages/test_graceful.py",
    "properties/test_resharding.py",
    "service/stack/test_stack_smoke.py",
    "simulate/writing/test_simulate_command.py",
    "service/alerts/test_real_alertmanager.py",
    "simulate/test_random_worlds.py",
    "service/stages/test_membership.py",
    "detectors/test_judge.py",
    "service/records/test_backfill.py",
    "detectors/test_missing_attributes.py",
    "service/stages/test_secure.py",
    "simulate/test_campaigns.py",
    "service/stages/test_detect.py",
    "detectors/triage/test_watchlist.py",
    "service/chromium/test_console_chromium.py",
    "watch/test_watch.py",
    "service/stages/test_reshard.py",
    "benchmarks/test_hardness.py",
    "service/records/test_kafka_page.py",
    "backtest/test_what_goes_wrong.py",
    "service/chromium/test_charts_chromium.py",
)
TOLD = 2_000  # characters of why a test failed, told at once: who kills a run that is stuck knows by then
TERMINAL: list[pytest.TerminalReporter] = []
RAN: Counter[str] = Counter()
MISSED: dict[str, str] = {}


def unavailable(service: str, reason: str) -> NoReturn:
    """Skip this test, loudly; fail it where SWERVE_REQUIRE names the service."""
    MISSED[service] = reason
    required = [name.strip() for name in os.environ.get("SWERVE_REQUIRE", "").split(",")]
    if service in required:
        pytest.fail(f"{service} is required by SWERVE_REQUIRE, and not there: {reason}", pytrace=False)
    pytest.skip(f"{service.upper()} IS NOT TESTED: {reason}")


@pytest.fixture(scope="session")
def service_unavailable():
    """The function `unavailable`, for fixtures of every service."""
    return unavailable


@pytest.fixture(scope="session")
def program() -> Callable[..., str]:
    """The path of the first of some names of a program, such as `program("promtool", of="prometheus")`.

    `of` is the service that it belongs to. The test is skipped, loudly, where it is not installed.
    """

    def find(*names: str, of: str) -> str:
        try:
            return found(*names, of=of)
        except NoProgramError as error:
            unavailable(of, str(error))

    return find


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "service(name): needs this service: kafka, prometheus, alertmanager, chromium")


def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        TERMINAL.extend([session.config.pluginmanager.getplugin("terminalreporter")])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that processes side by side end together: `--dist loadfile` deals out files.

    Then whatever else needs a service, and then the many that take no time.
    """
    place = {HERE / name: at for at, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path, len(place) + (HERE / "service" not in item.path.parents)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed and TERMINAL:
        TERMINAL[0].write_line(f"\n{report.nodeid}, {report.when}:\n{report.longreprtext[-TOLD:]}")
    if report.when == "call" and not report.skipped:
        RAN.update(value for key, value in report.user_properties if key == "service")


def pytest_runtest_setup(item: pytest.Item) -> None:
    item.user_properties.extend(("service", mark.args[0]) for mark in item.iter_markers("service"))


def closing_line() -> str:
    """What ran and what was skipped, by service."""
    said = [f"{name} ran {RAN[name]}" for name in sorted(RAN)]
    said += [f"{name} skipped ({MISSED[name]})" for name in sorted(MISSED) if name not in RAN]
    return f"services: {'; '.join(said) if said else 'none needed'}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missed"] = MISSED


@pytest.fixture
def typed(capfd: pytest.CaptureFixture[str]):
    """Types a command line; gives exit code, standard output, standard error."""
    from stream import cli

    def run(*words: object) -> tuple[int, str, str]:
        code = cli.run([str(word) for word in words])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of tests ended; what it skipped is skipped."""
    MISSED.update(getattr(node, "workeroutput", {}).get("missed", {}))


def pytest_unconfigure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput") and not config.option.collectonly:
        terminal.write_line(closing_line())
