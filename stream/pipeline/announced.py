"""What is known before the first record is read? Releases and expected shifts, from files and the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.alerts.expected_shifts import Announced, allow_list
from stream.configuration.settings import Settings
from stream.contract.expected import Expected, expected_in
from stream.contract.release import Release, releases_in


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Releases by time and name, and shifts that were announced."""

    releases: Sequence[Release] = ()
    expected: Sequence[Expected] = ()

    @property
    def released_ms(self) -> Mapping[str, int]:
        """When each announced model came out, by its name."""
        return {release.model: release.released_at_ms for release in self.releases}

    def announced(self, settings: Settings) -> list[Announced]:
        """Everything that must not page: announced shifts, and the configuration's allow-lists."""
        allow, org = settings.allow, settings.dimensions.org
        orgs = [settings.said_value(org, one) for one in allow.orgs]
        pairs = [one.partition("=") for one in allow.values]
        values = [f"{dimension}={settings.said_value(dimension, value)}" for dimension, _, value in pairs]
        return [*(one.known_by(settings) for one in self.expected), *allow_list(orgs, values, org)]


def read_catalogue(releases: Path | None, expected: Path | None) -> Catalogue:
    """Read the files that were named. Raises UsageError with file, entry, and what was expected."""
    return Catalogue(
        releases_in(releases) if releases is not None else (),
        expected_in(expected) if expected is not None else (),
    )
