"""`swerve expect`: announce a shift, so that it pages nobody."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer

from stream.arguments import Config
from stream.contract.expected import ID_MAX, REASON_MAX, decode_expected
from stream.contract.refusal import Refusal
from stream.errors import UsageError
from stream.oncall import reach
from stream.oncall.moment import moment_ms
from stream.oncall.silence import typed
from stream.oncall.silence.preview import with_name
from stream.settings import Settings, load


def command(
    subject: Annotated[
        str, typer.Argument(help="Who will shift: alert=ID, org=org_7, asn=64500, account=acct_1, or fleet.")
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="TARGET", help="atlas-4, or capability:coding. Else an alert's own, or whatever it is."
        ),
    ] = None,
    begins: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="+2h, or RFC 3339. Else an alert's begin, or now.")
    ] = None,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="The end of the silence.")] = "+24h",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="For those who read it later.")] = "",
    by: reach.By = None,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="TEXT", help="What must be typed for a wide one, typed here.")
    ] = None,
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
    alert = _alert(settings, url, subject) if is_running else None
    now_ms = int(1000 * time.time())
    first_ms = moment_ms(begins, now_ms, "--from") if begins else alert["started_at"] if alert else now_ms
    until_ms = moment_ms(until, now_ms, "--until")
    targets = [to] if to is not None or alert is None else [f"{one['kind']}:{one['id']}" for one in alert["targets"]]
    records = [record_of(subject, one, first_ms, until_ms, reason, id) for one in targets]
    if not withdraw:
        if until_ms <= first_ms:
            raise UsageError(f"--until: expected a time after --from, got {until}; --withdraw takes it back")
        if file is None:
            _ask(settings, url if is_running else None, records, by, confirm, is_running)
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


def _alert(settings: Settings, url: str | None, subject: str) -> dict[str, Any] | None:
    alert_id = typed.alert_of(subject)
    if alert_id is None:
        return None
    told: dict[str, Any] = reach.ask(settings, url, "GET", f"/api/v1/alerts/{quote(alert_id, safe='')}")["alert"]
    return told


def _ask(
    settings: Settings, url: str | None, records: list[dict[str, Any]], by: str | None, confirm: str | None,
    is_running: bool,
) -> None:  # fmt: skip
    """Why, what it covers, and whether it is meant; the reason is put into the records."""
    reason = with_name(typed.reason_or_ask(records[0]["reason"]), reach.who(by))
    for record in records:
        record["reason"] = reason[:REASON_MAX]
    if not is_running:
        typed.confirmed(typed.wide(records), confirm)
        return
    told = reach.ask(settings, url, "POST", "/api/v1/expected/preview", {"expected": records})
    typer.echo(told["said"], err=True)
    typed.confirmed(told["confirm"], confirm)


def record_of(
    subject: str, to: str | None, from_ms: int, until_ms: int, reason: str = "", id: str | None = None
) -> dict[str, Any]:
    """The expected-shift record of the contract. Raises UsageError.

    >>> record_of("org=org_7", "atlas-4", 0, 9)["target"]
    {'kind': 'model', 'id': 'atlas-4'}
    >>> record_of("fleet", "capability:coding", 0, 9)["id"]
    'expect fleet to capability:coding'
    """
    record = {
        "id": id or _id_of(f"expect {subject}" + (f" to {to}" if to else "")),
        "subject": _subject(subject),
        "target": _target(to),
        "from": from_ms,
        "until": until_ms,
        "reason": reason,
    }
    try:
        decode_expected(orjson.dumps(record))
    except Refusal as refusal:
        raise UsageError(f"swerve expect: {refusal.detail}") from None
    return record


def _id_of(text: str) -> str:
    """The text itself where it is short enough: whoever reads the list sees what it is about."""
    if len(text) <= ID_MAX:
        return text
    return text[: ID_MAX - 17] + " " + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _subject(text: str) -> dict[str, str]:
    if text == "fleet":
        return {"kind": "fleet"}
    dimension, found, value = text.partition("=")
    if not found or not dimension or not value:
        raise UsageError(f"expected DIMENSION=VALUE, account=ID or fleet, got {text!r}: such as org=org_7")
    if dimension == "account":
        return {"kind": "account", "id": value}
    return {"kind": "cohort", "dimension": dimension, "id": value}


def _target(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    kind, found, value = text.partition(":")
    return (
        {"kind": kind, "id": value}
        if found and kind in ("model", "capability", "mix")
        else {"kind": "model", "id": text}
    )
