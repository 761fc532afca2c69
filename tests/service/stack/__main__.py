"""`make stack`: the whole topology for a person, under simulated load, until one Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.pace import PATIENCE_S
from tests.programs import NoProgramError, program
from tests.service.broker import NoBrokerError, a_broker
from tests.service.stack.stack import Load, Stack, a_stack, addresses


def run(load: Load) -> None:
    """Everything up, then what is found, line by line, until SIGINT or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        prometheus = program("prometheus", of="prometheus")
        alertmanager = program("prometheus-alertmanager", "alertmanager", of="alertmanager")
    except NoProgramError as error:
        sys.exit(f"stack: {error}")
    with tempfile.TemporaryDirectory(prefix="swerve-stack-") as folder:
        print("starting Kafka", flush=True)
        try:
            with a_broker() as bootstrap:
                print("starting the stages, Prometheus and Alertmanager", flush=True)
                with a_stack(Path(folder), bootstrap, f"stack{os.getpid()}", prometheus, alertmanager) as stack:
                    watch(stack, load)
        except NoBrokerError as error:
            sys.exit(f"stack: {error}")
        except KeyboardInterrupt:
            print("stopped", flush=True)


def watch(stack: Stack, load: Load) -> None:
    """Say where everything is, begin to send, and tell of every alert that reaches Alertmanager."""
    stack.start_load(load)
    for name, address in addresses(stack):
        print(f"  {name:14}{address}", flush=True)
    print(f"  logs          {stack.folder}\nup; Ctrl-C stops all of it", flush=True)
    seen: set[str] = set()
    try:
        while True:
            for one in stack.found():
                if one["labels"]["alert_id"] not in seen:
                    seen.add(one["labels"]["alert_id"])
                    print(f"  critical      {one['annotations']['summary']}", flush=True)
            time.sleep(1.0)
    except KeyboardInterrupt:
        print("stopping", flush=True)
        raise


def shielded(arguments: list[str]) -> int:
    """Run in a session of its own: a terminal sends Ctrl-C to a whole group, and the broker would go first.

    A second Ctrl-C, or patience that ends, kills all of it.
    """
    inside = subprocess.Popen(
        [sys.executable, "-m", "tests.service.stack", "--inside", *arguments], start_new_session=True
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return inside.wait()
    except KeyboardInterrupt:
        inside.send_signal(signal.SIGINT)
    try:
        return inside.wait(PATIENCE_S)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        os.killpg(inside.pid, signal.SIGKILL)
        return inside.wait()


def main(arguments: list[str]) -> int:
    """Parse, and run shielded."""
    parser = argparse.ArgumentParser(prog="make stack", description=__doc__)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--pace", type=float, default=Load.pace, help="times real time (%(default)s)")
    parser.add_argument("--scenario", default=Load.scenario, help="see `swerve simulate --list` (%(default)s)")
    parser.add_argument("--accounts", type=int, default=Load.accounts, help="honest accounts (%(default)s)")
    given = parser.parse_args(arguments)
    if not given.inside:
        return shielded(arguments)
    run(Load(scenario=given.scenario, accounts=given.accounts, pace=given.pace))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
