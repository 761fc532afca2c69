"""`swerve expect`: announce a shift, so that it pages nobody."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import orjson
import typer

from stream.commands.arguments import Config
from stream.commands.on_call import quiet, reach
from stream.configuration.settings import Settings, load
from stream.contract.alert import AlertTarget
from stream.contract.expected import REASON_MAX, decode_expected
from stream.errors import UsageError
from stream.oncall.expected import record_of
from stream.oncall.moment import moment_ms
from stream.oncall.silence import typed
from stream.oncall.silence.preview import with_name

WHATEVER = "*"  # as the console's form has it


def command(
    subject: Annotated[
        str, typer.Argument(help="Who will shift: alert=ID, org=org_7, asn=64500, account=acct_1, or fleet.")
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="TARGET", help="atlas-4, capability:coding, or '*' for whatever it is. Else an alert's own."
        ),
    ] = None,
    begins: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="+2h, or RFC 3339. Else an alert's begin, or now.")
    ] = None,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="The end of the silence.")] = "+24h",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="For those who read it later.")] = "",
    by: reach.By = None,
    confirm: reach.Confirm = None,
    id: Annotated[str | None, typer.Option("--id", help="The same id again replaces it. Else made up.")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="It is not expected any more.")] = False,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Into this JSON array instead.")] = None,
    kafka: reach.Kafka = False,
    url: reach.Url = None,
    config: Config = None,
) -> None:
    """Announce a shift: while it lasts it pages nobody, and an alert that is firing about it resolves.

    Says what it would have covered; what covers the fleet or an open page must be typed to confirm.
    """
    settings = load(config)
    is_running = file is None and not kafka
    alert = None if file is not None else _alert(settings, url, kafka, subject)
    now_ms = int(1000 * time.time())
    first_ms = moment_ms(begins, now_ms, "--from") if begins else alert.started_at if alert else now_ms
    until_ms = moment_ms(until, now_ms, "--until")
    targets = _targets(to, alert, withdraw)
    records = [record_of(settings.said_subject(subject), one, first_ms, until_ms, reason, id) for one in targets]
    if not withdraw:
        if until_ms <= first_ms:
            raise UsageError(f"--until: expected a time after --from, got {until}; --withdraw takes it back")
        if file is None:
            _ask(settings, url, records, by, confirm, is_running, now_ms)
    for record in records:
        if withdraw:
            record["until"] = record["from"] = 0
        if file is not None:
            reach.put_in_file(file, "id", record)
        elif kafka:
            reach.publish(settings, settings.kafka.topics.expected, record["id"], None if withdraw else record)
        else:
            reach.ask(settings, url, "POST", "/api/v1/expected", record)
        typer.echo(f"{'withdrawn' if withdraw else 'announced'}: {record['id']}")


def _targets(to: str | None, alert: _Known | None, withdraw: bool) -> list[str | None]:
    """Toward what, None for whatever it is: that is typed, since it hides what nobody announced."""
    if to is not None:
        return [None if to == WHATEVER else to]
    if alert is not None:
        return [f"{one.kind}:{one.id}" for one in alert.targets]
    if withdraw:
        return [None]
    raise UsageError("--to: expected toward what, such as --to atlas-4, or --to '*' for whatever it is")


class _Known(msgspec.Struct):
    """What is taken from an alert: its begin, and what it is toward."""

    started_at: int
    targets: tuple[AlertTarget, ...]


def _alert(settings: Settings, url: str | None, kafka: bool, subject: str) -> _Known | None:
    alert_id = typed.alert_of(subject)
    if alert_id is None:
        return None
    if kafka:
        last = quiet.recorded(settings, alert_id)
        return _Known(last.started_at, last.targets)
    told = reach.ask(settings, url, "GET", f"/api/v1/alerts/{quote(alert_id, safe='')}")["alert"]
    return msgspec.convert(told, _Known)


def _ask(
    settings: Settings, url: str | None, records: list[dict[str, Any]], by: str | None, confirm: str | None,
    is_running: bool, now_ms: int,
) -> None:  # fmt: skip
    """Why, what it covers, and whether it is meant; the reason is put into the records."""
    reason = with_name(typed.reason_or_ask(records[0]["reason"]), reach.who(by))
    for record in records:
        record["reason"] = reason[:REASON_MAX]
    if is_running:
        told = reach.ask(settings, url, "POST", "/api/v1/expected/preview", {"expected": records})
    else:
        told = quiet.by_the_topic(settings, [decode_expected(orjson.dumps(one)) for one in records], now_ms).record()
    typer.echo(told["said"], err=True)
    typed.confirmed(told["confirm"], confirm)
