"""Which configuration is in force, and where does each value come from? The one reader of TOML and environment.

The environment overrides the file, the file the defaults: `[kafka] bootstrap_servers` is
`SWERVE_KAFKA__BOOTSTRAP_SERVERS`. The file is `--config`, else `SWERVE_CONFIG`, else there is none.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, PrivateAttr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from detectors.parameters import Parameters
from stream.configuration.sections import (
    ELSEWHERE,
    KINDS_OF_SINKS,
    NAMES_OF_SINKS,
    Allow,
    Detection,
    Dimensions,
    Drift,
    Http,
    Kafka,
    Limits,
    Privacy,
    Sink,
    Sources,
    Ticks,
)
from stream.errors import UsageError
from stream.mapping.named import OWN, Read, dialect_of, read_by
from stream.mapping.pseudonyms import Pseudonyms, is_pseudonym, pseudonyms_of
from stream.mapping.written import read_map

SERIES_MAX = 200  # 6 kB each, and a detector
CONFIG_VARIABLE = "SWERVE_CONFIG"
PREFIX = "SWERVE_"
NESTED = "__"
_USER = re.compile(r"[^\s,/@]+@")  # of an address without a scheme
_ADDRESS = re.compile(r"(\w[\w+.-]*://)([^/?#\s]*@)?([^/?#\s]*)(\S*)")
SECRETS = ("password", "secret", "token", "routing_key")


class Settings(BaseSettings):
    """Everything that can be configured, frozen. Build it with `load`, which says clearly what is wrong.

    >>> Settings().http.port
    8321
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED,
        hide_input_in_errors=True,
    )

    kafka: Kafka = Kafka()
    http: Http = Http()
    sources: Sources = Sources()
    privacy: Privacy = Privacy()
    map: dict[str, Any] = {}
    detection: Detection = Field(default_factory=Detection)
    dimensions: Dimensions = Dimensions()
    ticks: Ticks = Ticks()
    limits: Limits = Limits()
    allow: Allow = Allow()
    drift: Annotated[tuple[Drift, ...], Field(max_length=SERIES_MAX)] = ()
    sinks: tuple[Sink, ...] = ()
    _map_of: str = PrivateAttr("configuration")  # names, in a mistake of [map], the file that says it

    @model_validator(mode="after")
    def _series_are_of_cohorts_and_told_once(self) -> Settings:
        for one in self.drift:
            if one.dimension not in self.dimensions.cohort:
                known = ", ".join(self.dimensions.cohort)
                raise ValueError(f"[[drift]] dimension = {one.dimension!r}: expected a [dimensions] cohort: {known}")
        told = [(one.dimension, one.value, one.target, one.detector) for one in self.drift]
        twice = [" ".join(one) for one in told if told.count(one) > 1]
        if twice:
            raise ValueError(f"[[drift]] {twice[0]} is asked for twice")
        return self

    @model_validator(mode="after")
    def _sinks_have_names_of_their_own(self) -> Settings:
        names = [sink.name for sink in self.sinks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sinks are named {twice[0]}: give each its own `name`")
        return self

    @property
    def parameters(self) -> Parameters:
        """What the detectors read: [detection], and what [ticks], [dimensions] and [limits] say of detection."""
        values = self.detection.model_dump()
        for name, (section, key) in ELSEWHERE.items():
            values[name] = getattr(getattr(self, section), key)
        series = [one.series for one in self.drift]
        return Parameters(
            **values, drift=tuple(replace(one, value=self.said_value(one.dimension, one.value)) for one in series)
        )

    def speaking(self, dialect: str | None, mapping: Path | None = None) -> Settings:
        """The same, for records of another dialect, or by the mapping in a file; None changes nothing.

        Raises UsageError where records cannot be read so.
        """
        spoken = self
        if dialect is not None:
            spoken = self.model_copy(update={"sources": self.sources.model_copy(update={"dialect": dialect})})
        if mapping is not None:
            spoken = spoken.model_copy(update={"map": read_map(mapping)})
            spoken._map_of = f"mapping {mapping}"
        spoken.reader()
        return spoken

    def reader(self) -> Read | None:
        """How the records of the input are read; None is our own form. Raises UsageError that names the mapping's file.

        With [privacy] key they come under their pseudonyms: nobody who reads by this sees others.
        """
        read = dialect_of(self.sources.dialect, self.map, self._map_of)
        return read if self._names is None else self._names.reading(read or read_by(OWN))

    @property
    def _names(self) -> Pseudonyms | None:
        return None if self.privacy.key is None else pseudonyms_of(self.privacy.key.get_secret_value())

    def said_account(self, account_id: str) -> str:
        """How the account is known here that a person names by its own name, or by the one that it has here."""
        names = self._names
        return account_id if names is None or is_pseudonym(account_id) else names.account(account_id)

    def said_value(self, dimension: str, value: str) -> str:
        """The same for a value of an attribute: an organisation, a payment."""
        names = self._names
        return value if names is None or is_pseudonym(value) else names.value(dimension, value)

    def said_subject(self, subject: str) -> str:
        """The same for what a person types: acct_7, account=acct_7, org=org_7; a model, an alert and the fleet stay.

        >>> Settings().said_subject("org=org_7")
        'org=org_7'
        """
        dimension, equals, value = subject.partition("=")
        if dimension == "account" and equals:
            return f"account={self.said_account(value)}"
        if equals:
            return subject if dimension == "alert" else f"{dimension}={self.said_value(dimension, value)}"
        return subject if subject == "fleet" or ":" in subject else self.said_account(subject)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over the file (which `load` passes on); no .env, no folder of secrets."""
        return env_settings, init_settings


def file_of(config: Path | None) -> Path | None:
    """The configuration file in force: the one given, else the one that SWERVE_CONFIG names, else none."""
    if config is not None:
        return config
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else None


def load(config: Path | None = None) -> Settings:
    """The configuration in force. Raises UsageError that names key, value and what was expected."""
    path = file_of(config)
    return _of(_read(path), path)


def _of(given: dict[str, Any], path: Path | None) -> Settings:
    """The configuration of what a file says, which is read once: it may be a pipe."""
    _refuse_unknown_variables()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise UsageError(_told(error, path, given)) from None
    except SettingsError as error:
        raise UsageError(f"environment: {error}") from None
    if path is not None and "map" in given:
        settings._map_of = f"configuration {path}"
    return settings


def _read(path: Path | None) -> dict[str, Any]:
    """The file as nested dictionaries; {} where there is none."""
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise UsageError(f"configuration {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"configuration {path} is not TOML: {error}") from None


def _refuse_unknown_variables() -> None:
    """SWERVE_KAFAK__PARTITIONS would be ignored by the library: a section that does not exist is a mistake."""
    sections = list(Settings.model_fields)
    for variable in sorted(os.environ):
        head, found, _ = variable.removeprefix(PREFIX).partition(NESTED)
        if variable.startswith(PREFIX) and found and head.lower() not in sections:
            raise UsageError(f"environment {variable}: no section {head.lower()}{_nearest(head.lower(), sections)}")


def _nearest(name: str, known: list[str]) -> str:
    """What was probably meant, as the end of a sentence."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"


def _told(error: ValidationError, path: Path | None, given: Mapping[str, Any]) -> str:
    """All breaches, one line: key, value, what was expected."""
    return "; ".join(_breach(one, path, given) for one in error.errors(include_url=False))


def _breach(one: Any, path: Path | None, given: Mapping[str, Any]) -> str:
    """One breach: where it came from, its key, its value unless secret, and what was expected."""
    keys = [str(part) for part in one["loc"] if part not in NAMES_OF_SINKS]  # the library puts these into the path
    variable = PREFIX + NESTED.join(keys).upper()
    value = os.environ.get(variable, _value_at(given, keys))
    where = f"environment {variable}" if variable in os.environ else f"configuration {path or ''}".rstrip()
    name = _dotted(keys)
    if one["type"] == "extra_forbidden":
        return f"{where}: no key {name}{_nearest(keys[-1], _known_beside(keys))}"
    shown = "" if value is None or isinstance(value, dict | list) else f" = {_masked(keys[-1], value)!r}"
    said = one["msg"].partition(", unable to")[0].removeprefix("Value error, ").removeprefix("Input should be ")
    if one["type"] == "model_type":
        said = "a table"
    expected = f"expected {said}" if one["msg"].startswith("Input should be ") else said[:1].lower() + said[1:]
    return f"{where}: {name}{shown}: {expected}" if name else f"{where}: {expected}"


def _dotted(keys: list[str]) -> str:
    """`[kafka.topics] requests`, `[sinks] 2 url` as a person finds it in the file."""
    return f"[{'.'.join(keys[:-1])}] {keys[-1]}" if len(keys) > 1 else "".join(f"[{key}]" for key in keys)


def _value_at(given: Mapping[str, Any], keys: list[str]) -> Any:
    """The value in the file under this path; None where there is none."""
    at: Any = given
    for key in keys:
        if isinstance(at, Mapping):
            at = at.get(key)
        elif isinstance(at, list) and key.isdigit() and int(key) < len(at):
            at = at[int(key)]
        else:
            return None
    return at


def _known_beside(keys: list[str]) -> list[str]:
    """The keys that would be known where `keys` leads."""
    model: Any = Settings
    for key in keys[:-1]:
        field = model.model_fields.get(key)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return []
        model = field.annotation
    return list(model.model_fields)


def _masked(key: str, value: Any) -> Any:
    """The value, or asterisks for what nobody should read over a shoulder; of an address what opens nothing.

    >>> _masked("url", "https://kim:pw@x.example/T0/B0?token=x"), _masked("token", "x"), _masked("port", 80)
    ('https://********@x.example/********', '********', 80)
    >>> _masked("bootstrap_servers", "kim:pw@broker:9092,b:9092")
    '********@broker:9092,b:9092'
    """
    if key == "key" or (any(part in key for part in SECRETS) and not key.endswith("_tokens")):
        return "********"
    if isinstance(value, Mapping):
        return {name: _masked(str(name), one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(key, one) for one in value]
    if key == "bootstrap_servers" and isinstance(value, str) and "://" not in value:
        return _USER.sub("********@", value)
    return _ADDRESS.sub(_without_secrets, value) if isinstance(value, str) else value


def _without_secrets(address: re.Match[str]) -> str:
    """Scheme and host; who comes, the path and the question may each be a secret."""
    scheme, user, host, rest = address.groups()
    return f"{scheme}{'********@' if user else ''}{host}{'/********' if rest.strip('/') else rest}"


def sources(config: Path | None = None) -> Iterator[tuple[str, str, Any, str]]:
    """Every value in force as (section, key, value with secrets masked, where it comes from), in order of the sections.

    Nested sections are dotted ("kafka.topics"); a list of sinks gives one section "sinks" each.
    Raises UsageError like `load`.
    """
    path = file_of(config)
    given = _read(path)
    settings = _of(given, path)
    for name, field in settings.model_dump(mode="json").items():
        if isinstance(field, dict):
            yield from _rows([name], field, given, path)
        else:
            for sink in field:
                for key, value in sink.items():
                    yield f"[{name}]", key, _hidden(key, value), _where([name], given, path)


def _rows(at: list[str], values: Mapping[str, Any], given: Mapping[str, Any], path: Path | None) -> Iterator[Any]:
    nested = {key: value for key, value in values.items() if isinstance(value, dict)}
    for key, value in values.items():
        if key not in nested:
            yield ".".join(at), key, _hidden(key, value), _where([*at, key], given, path)
    for key, value in nested.items():
        yield from _rows([*at, key], value, given, path)


def _hidden(key: str, value: Any) -> Any:
    return _masked(key, value) if value is not None else None


def _where(keys: list[str], given: Mapping[str, Any], path: Path | None) -> str:
    variable = PREFIX + NESTED.join(keys).upper()
    if variable in os.environ:
        return variable
    return str(path) if _value_at(given, keys) is not None else "default"


def known() -> Iterator[tuple[str, str, Any]]:
    """Every key there is, as (section, key, default), in order. A default that differs by kind of sink is None."""
    for name, field in Settings.model_fields.items():
        if name == "map":  # has a page of its own
            continue
        if name == "drift":
            for key, of_series in Drift.model_fields.items():
                yield "drift", key, None if of_series.is_required() else of_series.default
        elif name != "sinks":
            yield from _known_of(name, field.annotation)
    defaults: dict[str, list[Any]] = {}
    for kind in KINDS_OF_SINKS:
        for key, field in kind.model_fields.items():
            defaults.setdefault(key, []).append(None if field.is_required() else field.default)
    for key, given in defaults.items():
        yield "sinks", key, given[0] if all(one == given[0] for one in given) else None


def _known_of(section: str, model: Any) -> Iterator[tuple[str, str, Any]]:
    nested = []
    for key, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            nested.append((f"{section}.{key}", type(field.default)))
        else:
            yield section, key, field.default
    for name, inner in nested:
        yield from _known_of(name, inner)
