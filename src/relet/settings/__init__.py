"""Settings: one frozen value, read from flags, the environment and files, and checked before anything starts.

Sources, the strongest first: a flag, an argument in code, an environment variable, `[tool.relet]` in pyproject.toml,
relet.toml, the default. Each setting is taken from the strongest source that has it. A value that is wrong or dangerous
is refused with its source, the reason, and what to write instead.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from relet.job.health import Rules
from relet.job.limits import Rule
from relet.job.prices import Price
from relet.job.redact import redact_url
from relet.settings.setting import Given
from relet.settings.sources import from_code, from_environment, from_files, from_flags
from relet.settings.table import TABLE, check_together

__all__ = ["Row", "Settings", "table"]


@dataclass(frozen=True, repr=False)
class Settings:
    """Everything that can be set. `table()` has a sentence for each."""

    url: str
    app: str
    worker: str
    queues: Mapping[str, int]
    """Share by queue; "*" stands for all others. Empty: all queues, evenly."""
    queue_limits: Mapping[str, Rule]
    """What queues are held to, unless a person has said something else."""
    slots: int
    turn_size: int
    lease_us: int
    heartbeat_us: int
    poll_us: int
    grace_us: int
    routine_grace_us: int
    max_concurrent_routines: int
    cancel_grace_us: int
    offers: tuple[str, ...]
    """Sorted `key=value` tokens."""
    tier: int
    tier_wait_us: int
    max_payload_bytes: int
    max_backlog: int
    keep_finished_us: int
    keep_dead_us: int
    keep_audit_us: int
    health_window_us: int
    health_errors: int
    health_recovered_errors: int
    health_failure_percent: int
    prices: Mapping[str, Price]
    """What models cost, unless code says something else."""
    lock_dir: str
    """Empty: the worker chooses one."""
    webhook_slots: int
    webhook_timeout_us: int
    webhook_allow: tuple[str, ...]
    webhook_patience_us: int
    webhook_secret: str = field(repr=False)
    log_format: str
    log_level: str
    given: Mapping[str, Given] = field(default_factory=dict[str, Given], compare=False)
    """What was set and where, by name. What is missing here has its default."""

    @classmethod
    def load(
        cls,
        flags: Mapping[str, object] | None = None,
        *,
        code: Mapping[str, object] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
    ) -> Settings:
        """Read all sources. Raises `SettingsError`.

        `flags` and `code` map names to values as people write them (`{"lease": "90s"}`); None means not given.
        `env` is the environment of the process unless given; files are looked for in `cwd` and above it.
        """
        return cls._of(
            from_files(Path(cwd).absolute() if cwd is not None else Path.cwd())
            | from_environment(os.environ if env is None else env)
            | from_code(code or {})
            | from_flags(flags or {})
        )

    def override(self, flags: Mapping[str, object]) -> Settings:
        """The same with these flags on top. What follows from them, such as the heartbeat, is worked out anew."""
        return self._of({**self.given, **from_flags(flags)})

    @classmethod
    def _of(cls, given: Mapping[str, Given]) -> Settings:
        values: dict[str, Any] = {}
        for setting in TABLE:
            said = given.get(setting.name)
            values[setting.field] = setting.read(said) if said else setting.default_of(values)
        check_together(values, given)
        return cls(**values, given=given)

    def source(self, name: str) -> str:
        """Where a value came from: "flag --lease", "RELET_LEASE", "/srv/app/relet.toml" or "default"."""
        said = self.given.get(name)
        return said.source if said else "default"

    @property
    def health_rules(self) -> Rules:
        """When queues and workers are healthy."""
        return Rules(
            self.health_window_us, self.health_errors, self.health_recovered_errors, self.health_failure_percent
        )

    @property
    def shown_url(self) -> str:
        """The URL without its secrets."""
        return redact_url(self.url)

    def __repr__(self) -> str:
        return f"<Settings {self.shown_url} worker={self.worker!r} slots={self.slots}>"


class Row(NamedTuple):
    """One line of the reference of settings."""

    name: str
    flag: str
    env: tuple[str, ...]
    unit: str
    default: str
    sentence: str


def table() -> list[Row]:
    """The reference of all settings, in reading order."""
    return [Row(s.name, s.flag, s.env, s.kind.unit, s.default_text, s.sentence) for s in TABLE]
