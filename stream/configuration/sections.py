"""What can be configured? One frozen section a topic of the file; a key that is not here is refused."""

from __future__ import annotations

import dataclasses
import json
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    create_model,
    model_validator,
)
from pydantic_settings import NoDecode

from detectors.parameters import FAST_WINDOW_MAX_H, Parameters, Series
from stream.mapping.named import NAMES as DIALECTS
from stream.mapping.named import OWN

DAY_MS = 86_400_000
TOKEN_MIN = 16  # characters: what is shorter can be guessed
LOOPBACK = ("127.0.0.1", "::1", "localhost")
DEFAULTS = Parameters()


def _as_names(given: object) -> object:
    """A list from one text: JSON when it begins with a bracket, else separated by commas.

    >>> _as_names("payment, ip_prefix"), _as_names('["payment"]'), _as_names("")
    (['payment', 'ip_prefix'], ['payment'], [])
    """
    if not isinstance(given, str):
        return given
    if given.lstrip().startswith("["):
        return json.loads(given)
    return [part.strip() for part in given.split(",") if part.strip()]


Name = Annotated[str, Field(min_length=1, max_length=256)]
Names = Annotated[tuple[Name, ...], NoDecode, BeforeValidator(_as_names)]
Topic = Annotated[str, Field(min_length=1, max_length=249, pattern=r"^[A-Za-z0-9._-]+$")]
Port = Annotated[int, Field(ge=0, le=65_535)]
Url = Annotated[str, Field(pattern=r"^https?://\S+$")]
Severity = Literal["info", "warning", "critical"]


class Section(BaseModel):
    """Frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _brokers(servers: str) -> str:
    if "@" in servers or "/" in servers:
        raise ValueError(
            "expected host:port, separated by commas; who we are to them is sasl_username and sasl_password, and how "
            "they are spoken to is security_protocol"
        )
    return servers


class Topics(Section):
    """Names of the Kafka topics."""

    requests: Topic = "swerve.requests"
    releases: Topic = "swerve.releases"
    expected: Topic = "swerve.expected"
    verdicts: Topic = "swerve.verdicts"
    attention: Topic = "swerve.attention"
    frames: Topic = "swerve.frames"
    summaries: Topic = "swerve.summaries"
    alerts: Topic = "swerve.alerts"
    dlq: Topic = "swerve.requests.dlq"

    @model_validator(mode="after")
    def _all_different(self) -> Topics:
        names = list(self.model_dump().values())
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each topic needs a name of its own; {twice[0]} is given twice")
        return self


class Groups(Section):
    """Consumer groups of the stages."""

    ingest: Topic = "swerve-ingest"
    detect: Topic = "swerve-detect"
    correlate: Topic = "swerve-correlate"


class Kafka(Section):
    """The connection, and what the stages need of it. `partitions`: of the frames topic; `swerve reshard` changes it.

    instance_id: name of this worker that outlives its restarts (static membership): one that is back within
    `session_timeout_ms` causes no rebalance. Of two under one name the second stands by. snapshot_ms: how often detect
    and correlate store their state.
    stop_ms: a process that is to end leaves after so long, stored or not.
    """

    bootstrap_servers: Annotated[str, Field(min_length=1), AfterValidator(_brokers)] = "localhost:9092"
    client_id: Name = "swerve"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    partitions: Annotated[int, Field(ge=1, le=256)] = 8
    replication_factor: PositiveInt = 1
    session_timeout_ms: Annotated[int, Field(ge=1_000)] = 45_000
    correlate_session_timeout_ms: Annotated[int, Field(ge=1_000)] = 10_000
    request_timeout_ms: Annotated[int, Field(ge=1_000)] = 40_000
    flush_ms: PositiveInt = 1_000
    snapshot_ms: PositiveInt = 60_000
    stop_ms: Annotated[int, Field(ge=1_000)] = 30_000
    instance_id: Name | None = None
    topics: Topics = Topics()
    groups: Groups = Groups()

    @model_validator(mode="after")
    def _password_where_one_is_asked(self) -> Kafka:
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and self.sasl_password):
            raise ValueError(f"security_protocol {self.security_protocol} needs sasl_username and sasl_password")
        return self


def _a_token(given: SecretStr) -> SecretStr:
    token = given.get_secret_value()
    if len(token) < TOKEN_MIN or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError(f"expected at least {TOKEN_MIN} printable characters without spaces: `openssl rand -hex 32`")
    return given


def _a_header(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
        raise ValueError("expected the name of a header, such as X-Forwarded-User")
    return name


class Http(Section):
    """Where metrics, health and console are served. Bound elsewhere than on loopback it needs a token or a proxy."""

    host: Name = "127.0.0.1"
    port: Port = 8321
    token: Annotated[SecretStr, AfterValidator(_a_token)] | None = None
    trusted_proxy_header: Annotated[str, AfterValidator(_a_header)] | None = None
    public_url: Url | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether nobody outside of this machine can connect."""
        return self.host in LOOPBACK


class Ticks(Section):
    """Time. `*_ms` are event time; `*_s` are seconds on the wall."""

    tick_ms: PositiveInt = DEFAULTS.tick_ms
    network_tick_ms: PositiveInt = DEFAULTS.network_tick_ms
    lateness_ms: NonNegativeInt = DEFAULTS.lateness_ms
    idle_s: PositiveFloat = 60.0
    missing_shard_s: PositiveFloat = 600.0

    @model_validator(mode="after")
    def _ticks_fit_into_one_another(self) -> Ticks:
        if self.network_tick_ms % self.tick_ms:
            raise ValueError(f"network_tick_ms must be a multiple of tick_ms = {self.tick_ms}")
        if DAY_MS % self.network_tick_ms:
            raise ValueError(f"network_tick_ms must divide a day ({DAY_MS} ms)")
        return self


def _a_dialect(name: str) -> str:
    if name not in DIALECTS:
        raise ValueError(f"expected one of {', '.join(DIALECTS)}")
    return name


class Sources(Section):
    """How records are written. dialect: ours is "swerve"; the others are formats of other platforms."""

    dialect: Annotated[str, AfterValidator(_a_dialect)] = OWN


class Privacy(Section):
    """What may be held behind ingest. key: of the hash by which accounts and values are known there."""

    key: Annotated[SecretStr, AfterValidator(_a_token)] | None = None


class Dimensions(Section):
    """What the attributes of a request mean. link: rare values that accounts share; cohort: groups judged as such.

    payment, exit, prompt: what these of the link dimensions are called.
    """

    link: Names = DEFAULTS.link_dimensions
    cohort: Names = DEFAULTS.cohort_dimensions
    org: Name = DEFAULTS.org_dimension
    country: Name = DEFAULTS.country_dimension
    signup: Name = DEFAULTS.signup_dimension
    payment: Name = DEFAULTS.payment_dimension
    exit: Name = DEFAULTS.exit_dimension
    prompt: Name = DEFAULTS.prompt_dimension


class Limits(Section):
    """Bounds of what is kept. Reaching one is counted. memory_mb: of a process; 0 is what it is given."""

    memory_mb: NonNegativeInt = 0
    accounts_max: PositiveInt = DEFAULTS.accounts_max
    targets_max: Annotated[int, Field(ge=16, le=1 << 20)] = DEFAULTS.targets_max
    cohorts_max: Annotated[int, Field(ge=16, le=1 << 24)] = DEFAULTS.cohorts_max
    dlq_per_s: PositiveFloat = 100.0


class Allow(Section):
    """Subjects that never page: organisations by name, and values as "dimension=value"."""

    orgs: Names = ()
    values: Names = ()


class Drift(Section):
    """A series to be told about: a cohort's hourly share of a target, and a detector of river on it.

    settings: of the detector, by the names that river gives them.
    """

    dimension: Name
    value: Name
    target: Annotated[str, Field(pattern=r"^(model|capability):.+$", max_length=300)]
    detector: Name = "ADWIN"
    settings: dict[str, float | int | str] = {}

    @property
    def series(self) -> Series:
        """As the detectors have it."""
        told = tuple(sorted(self.settings.items()))
        return Series(self.dimension, self.value, self.target, self.detector, told)

    @model_validator(mode="after")
    def _the_detector_can_be_built(self) -> Drift:
        from detectors.comparison.series import detector_of  # river is heavy, and most have no such series

        detector_of(self.series)
        return self


class StdoutSink(Section):
    """One JSON line an alert record on standard output."""

    kind: Literal["stdout"]
    name: Name = "stdout"
    severity_min: Severity = "info"


class FileSink(Section):
    """One JSON line an alert record, appended to a file."""

    kind: Literal["file"]
    name: Name = "file"
    severity_min: Severity = "info"
    path: Path


class AlertmanagerSink(Section):
    """Prometheus Alertmanager, API v2; `urls` are all members of its cluster. watchdog: an alert that always fires."""

    kind: Literal["alertmanager"]
    name: Name = "alertmanager"
    severity_min: Severity = "warning"
    urls: Annotated[tuple[Url, ...], Field(min_length=1)]
    resend_s: PositiveFloat = 60.0
    watchdog: bool = False
    timeout_s: PositiveFloat = 10.0


class WebhookSink(Section):
    """A POST an alert record, signed with HMAC-SHA256 where there is a secret."""

    kind: Literal["webhook"]
    name: Name = "webhook"
    severity_min: Severity = "warning"
    url: Url
    secret: SecretStr | None = None
    template: Path | None = None
    timeout_s: PositiveFloat = 10.0


class SlackSink(Section):
    """A Slack channel, by its incoming webhook; the address is a secret."""

    kind: Literal["slack"]
    name: Name = "slack"
    severity_min: Severity = "warning"
    url: SecretStr
    timeout_s: PositiveFloat = 10.0


class PagerDutySink(Section):
    """PagerDuty, Events API v2."""

    kind: Literal["pagerduty"]
    name: Name = "pagerduty"
    severity_min: Severity = "critical"
    routing_key: SecretStr
    url: Url = "https://events.pagerduty.com/v2/enqueue"
    timeout_s: PositiveFloat = 10.0


class GrafanaSink(Section):
    """Annotations on Grafana's dashboards, by its HTTP API; token: of a service account that may write them."""

    kind: Literal["grafana"]
    name: Name = "grafana"
    severity_min: Severity = "warning"
    url: Url
    token: SecretStr
    timeout_s: PositiveFloat = 10.0


Sink = Annotated[
    StdoutSink | FileSink | AlertmanagerSink | WebhookSink | SlackSink | PagerDutySink | GrafanaSink,
    Field(discriminator="kind"),
]
KINDS_OF_SINKS: tuple[type[Section], ...] = get_args(get_args(Sink)[0])
NAMES_OF_SINKS = tuple(str(get_args(kind.model_fields["kind"].annotation)[0]) for kind in KINDS_OF_SINKS)

# Parameters that have a section of their own, by parameter: (section, key). All others are keys of [detection].
ELSEWHERE: Mapping[str, tuple[str, str]] = types.MappingProxyType(
    {
        "tick_ms": ("ticks", "tick_ms"),
        "network_tick_ms": ("ticks", "network_tick_ms"),
        "lateness_ms": ("ticks", "lateness_ms"),
        "link_dimensions": ("dimensions", "link"),
        "cohort_dimensions": ("dimensions", "cohort"),
        "org_dimension": ("dimensions", "org"),
        "country_dimension": ("dimensions", "country"),
        "signup_dimension": ("dimensions", "signup"),
        "payment_dimension": ("dimensions", "payment"),
        "exit_dimension": ("dimensions", "exit"),
        "prompt_dimension": ("dimensions", "prompt"),
        "accounts_max": ("limits", "accounts_max"),
        "targets_max": ("limits", "targets_max"),
        "cohorts_max": ("limits", "cohorts_max"),
    }
)

LISTED = ("drift",)  # parameters that are lists of sections
MOST = {"fast_window_h": FAST_WINDOW_MAX_H}  # numbers of [detection] with a bound above


def _of_detection() -> type[Section]:
    """The [detection] section: every parameter without a section of its own; numbers above zero, some within `MOST`."""
    kinds = get_type_hints(Parameters)
    fields: dict[str, Any] = {}
    for parameter in dataclasses.fields(Parameters):
        if parameter.name in ELSEWHERE or parameter.name in LISTED:
            continue
        kind = kinds[parameter.name]
        if kind in (int, float):
            most = MOST.get(parameter.name)
            kind = Annotated[kind, Field(gt=0) if most is None else Field(ge=1, le=most)]
        fields[parameter.name] = (kind, parameter.default)
    return create_model("Detection", __base__=Section, **fields)


if TYPE_CHECKING:
    Detection = Section
else:
    Detection = _of_detection()
