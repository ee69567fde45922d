"""One setting: how it is read, checked and refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from relet.errors import SettingsError, UsageError
from relet.settings.kinds import Kind


class Given(NamedTuple):
    """A value as somebody wrote it, and where: "flag --lease", "RELET_LEASE", "/srv/relet.toml"."""

    value: object
    source: str


def _anything(_value: Any) -> str | None:
    return None


@dataclass(frozen=True)
class Setting:
    """One setting. `check` says why a value must not be used ("is …"), `instead` is what its refusal proposes."""

    name: str
    kind: Kind
    default: Any
    """A value, or a function of the values of the settings above it."""
    sentence: str
    instead: Any
    check: Callable[[Any], str | None] = _anything
    also_env: tuple[str, ...] = ()
    default_words: str = ""

    @property
    def field(self) -> str:
        """Its field in `Settings`: durations and sizes carry their unit in the name."""
        return self.name + self.kind.suffix

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def env(self) -> tuple[str, ...]:
        """Its environment variables, the strongest first."""
        return (f"RELET_{self.name.upper()}", *self.also_env)

    @property
    def default_text(self) -> str:
        return self.default_words or self.kind.show(self.default)

    def default_of(self, values: Mapping[str, Any]) -> Any:
        return self.default(values) if callable(self.default) else self.default

    def read(self, given: Given) -> Any:
        """The value that was written there. Raises SettingsError."""
        try:
            value = self.kind.read(given.value, self.name)
        except UsageError as error:
            raise SettingsError(
                f"{error}\nIt was set by {given.source}.\n{self._advice(given, self.instead)}"
            ) from None
        if why := self.check(value):
            raise self.refusal(given, value, why, self.instead)
        return value

    def refusal(self, given: Given | None, value: Any, why: str, instead: Any) -> SettingsError:
        """The error for a value that must not be used: what it is and whose, why not, and what to write."""
        source = f"set by {given.source}" if given else "the default"
        return SettingsError(
            f"{self.name}: {self.kind.show(value)} ({source}) is refused.\nIt {why}.\n{self._advice(given, instead)}"
        )

    def _advice(self, given: Given | None, instead: Any) -> str:
        leave_out = f", or leave it out for the default ({self.default_text})" if given else ""
        return f"Write {self._written(given, self.kind.show(instead))}{leave_out}."

    def _written(self, given: Given | None, text: str) -> str:
        """The setting as one writes it at the place where it was given."""
        source = given.source if given else ""
        if source.startswith("flag"):
            return f"{self.flag} {text}"
        if source.endswith(".toml"):
            return f"{self.name} = {self.kind.toml(text)}"
        return f"{source if source in self.env else self.env[0]}={text}"


# ── checks: why a value must not be used ──────────────────────────────────────────────────────────────────────────────
def at_least(least: int, why: str) -> Callable[[int], str | None]:
    """Not less."""
    return lambda value: why if value < least else None


def none_or_at_least(least: int, why: str) -> Callable[[int], str | None]:
    """Nothing, or not less."""
    return lambda value: why if 0 < value < least or value < 0 else None


def between(least: int, most: int, why: str) -> Callable[[int], str | None]:
    """Neither less nor more."""
    return lambda value: None if least <= value <= most else why


def engine_known(url: str) -> str | None:
    """Of an engine that there is."""
    scheme, found, _ = url.partition("://")
    if found and scheme in ("sqlite", "sqlite+stdlib", "postgresql", "postgres", "rqlite"):
        return None
    return "is not the URL of a store that Relet knows (sqlite, sqlite+stdlib or postgresql)"
