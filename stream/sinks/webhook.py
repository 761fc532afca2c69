"""One POST per alert record: the record itself, or what a template makes of it. Slack and PagerDuty are templates.

A receiver checks `X-Swerve-Signature: sha256=<hex>`: the HMAC-SHA256, under the shared secret, of the text of
`X-Swerve-Timestamp`, a full stop, and the body. `Idempotency-Key` is the same whenever one record is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import jinja2.sandbox
import msgspec
import orjson

from stream.contract.alert import Alert, AlertSubject, AlertTarget, encode
from stream.errors import UsageError
from stream.sinks.posting import Poster
from stream.sinks.sink import Links
from stream.spoken import harmless

SIGNATURE_AGE_S_MAX = 300


class Webhook:
    """template: source of a jinja2 template that gives JSON, or None for the record as it stands.

    It sees `alert` (the record), `page`, `runbook` and `extra`; text goes through the filter `tojson`. extra: values
    of a preset, such as PagerDuty's routing key. bearer: token for the header Authorization.
    Raises UsageError where the template gives no JSON.
    """

    def __init__(
        self,
        name: str,
        url: str,
        links: Links,
        secret: str | None = None,
        template: str | None = None,
        extra: Mapping[str, str] | None = None,
        bearer: str | None = None,
        timeout_s: float = 10.0,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._url = url
        self._links = links
        self._bearer = bearer
        self._secret = None if secret is None else secret.encode()
        self._extra = dict(extra or {})
        self._now_s = now_s
        self._poster = Poster(timeout_s)
        self._template = None if template is None else _compiled(name, template)
        if self._template is not None:
            self._try_out()

    async def send(self, alerts: Sequence[Alert]) -> None:
        """One POST each, in order."""
        for alert in alerts:
            body = self.body(alert)
            await self._poster.post(self._url, body, self._headers(alert, body))

    def body(self, alert: Alert) -> bytes:
        """What is posted: JSON without needless space."""
        if self._template is None:
            return encode(alert)
        text = self._template.render(
            alert=msgspec.to_builtins(alert),
            page=self._links.page(alert),
            runbook=self._links.runbook(alert),
            extra=self._extra,
        )
        return orjson.dumps(orjson.loads(text))

    def _headers(self, alert: Alert, body: bytes) -> dict[str, str]:
        headers = {"Idempotency-Key": idempotency_key(alert)}
        if self._bearer is not None:
            headers["Authorization"] = f"Bearer {self._bearer}"
        if self._secret is not None:
            stamp = str(int(self._now_s()))
            headers["X-Swerve-Timestamp"] = stamp
            headers["X-Swerve-Signature"] = signature(self._secret, stamp, body)
        return headers

    def _try_out(self) -> None:
        """A template that fails should fail when Swerve starts, not when somebody must be woken."""
        for alert in (EXAMPLE, ended(EXAMPLE)):
            try:
                self.body(alert)
            except jinja2.TemplateError as error:
                raise UsageError(f"sink {self.name}: template: {error}") from None
            except orjson.JSONDecodeError as error:
                raise UsageError(f"sink {self.name}: expected JSON from the template, got: {error}") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


def _compiled(name: str, source: str) -> jinja2.Template:
    environment = jinja2.sandbox.SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
    # Jinja's own `tojson` writes for HTML; here the receiver reads JSON.
    environment.filters["tojson"] = lambda value: orjson.dumps(value).decode()
    environment.filters["slack"] = _slack_text
    environment.filters["utc"] = _utc
    environment.filters["seen"] = harmless
    try:
        return environment.from_string(source)
    except jinja2.TemplateError as error:
        raise UsageError(f"sink {name}: template: {error}") from None


def _slack_text(text: str) -> str:
    """Slack's three special characters; otherwise an id such as <!channel> would call everybody.

    >>> _slack_text("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _utc(at_ms: int) -> str:
    """RFC 3339 to the second.

    >>> _utc(1_770_260_400_500)
    '2026-02-05T03:00:00Z'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms / 1000))


def idempotency_key(alert: Alert) -> str:
    """Names one record: the same in every attempt, on every replica, in every replay."""
    return f"{alert.alert_id}-{alert.updated_at}-{alert.status}"


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """The value of X-Swerve-Signature."""
    return "sha256=" + hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def is_genuine(secret: bytes, stamp: str, body: bytes, signed: str, now_s: float) -> bool:
    """What a receiver should check: signed with our secret, not altered, and not older than five minutes.

    >>> signed = signature(b"s3cret", "1770260400", b"{}")
    >>> is_genuine(b"s3cret", "1770260400", b"{}", signed, 1770260410.0)
    True
    >>> is_genuine(b"s3cret", "1770260400", b"{}", signed, 1770269999.0)
    False
    """
    if not (stamp.isascii() and stamp.isdigit()) or abs(now_s - int(stamp)) > SIGNATURE_AGE_S_MAX:
        return False
    return hmac.compare_digest(signature(secret, stamp, body).encode(), signed.encode())


def preset(name: str) -> str:
    """The source of a template that is shipped: "slack", "pagerduty" or "grafana"."""
    return (Path(__file__).parent / f"{name}.json.jinja").read_text()


EXAMPLE = Alert(
    alert_id="0000000000000000",
    status="firing",
    severity="critical",
    kind="coordinated_shift",
    subject=AlertSubject("cluster", "test"),
    target=AlertTarget("model", "atlas-4"),
    targets=(AlertTarget("model", "atlas-4"),),
    started_at=1_770_228_000_000,
    detected_at=1_770_260_400_000,
    updated_at=1_770_260_400_000,
    accounts=("account-1", 'quotes " and <script>'),
    accounts_total=2,
    evidence={"requests": 1489},
    summary='A test from Swerve: "nothing" moved.',
)


def ended(alert: Alert) -> Alert:
    """The end of an example."""
    at_ms = alert.updated_at + 1
    return msgspec.structs.replace(
        alert, status="resolved", updated_at=at_ms, resolved_at=at_ms, resolved_reason="ended"
    )


def example_of(now_ms: int) -> Alert:
    """The marked test alert, as of now."""
    marked: dict[str, Any] = {"is_test": True, "requests": 0}
    return msgspec.structs.replace(
        EXAMPLE,
        alert_id=f"test{now_ms:012x}"[:16],
        started_at=now_ms,
        detected_at=now_ms,
        updated_at=now_ms,
        accounts=(),
        accounts_total=0,
        evidence=marked,
        summary="TEST from swerve sinks test: the way to you works; nothing happened and nothing is to be done.",
    )
