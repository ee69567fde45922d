"""Limits by name and key: set, declared, forgotten and paused while workers run. Who may pass after that is let in at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from contextlib import suppress

from relet.errors import StoreError, UsageError
from relet.job.gates import FOREVER
from relet.job.limits import Rule, queue_of
from relet.job.textsafe import storable
from relet.store.contention import repeated
from relet.store.drive import drive
from relet.store.gates import hold_gates, pass_gates
from relet.store.limits import Limits, change, forget
from relet.store.records import Mended

LET_IN = 100
"""Gates that a change looks at by itself. The chore looks at the others within a second."""


class GateRules(Limits):
    """The verbs on limits by name and key."""

    def set_limit(self, name: str, rule: Rule, by: str, keep: Collection[str] = ()) -> Rule:
        if queue_of(name) is not None:
            raise UsageError(f"{name!r} names what a queue is held to. Nothing was changed. Use limit_queue.")
        wanted = self._change_limit(name, rule, by, keep)
        self._let_in()
        return wanted

    @repeated
    def _change_limit(self, name: str, rule: Rule, by: str, keep: Collection[str]) -> Rule:
        with self._link.write() as tx:
            return change(tx, name, rule, by, keep)

    def declare_limits(self, rules: Mapping[str, Rule], by: str) -> int:
        changed = sum(self._declare(name, rules[name], by) for name in sorted(rules))
        if changed:
            self._let_in()
        return changed

    def forget_limit(self, name: str, by: str) -> bool:
        was_one = self._forget_limit(name, by)
        self._let_in()
        return was_one

    @repeated
    def _forget_limit(self, name: str, by: str) -> bool:
        with self._link.write() as tx:
            return forget(tx, name, by)

    @repeated
    def pause_limit(self, name: str, key: str | None, until: int | None, by: str) -> bool:
        end = FOREVER if until is None else until
        with self._link.write() as tx:
            if not tx.all("limit_hold", rule=name):
                return False
            if key is None:
                tx.run("gate_pause_all", rule=name, until_at=end, by=storable(by))
                tx.run("gate_wake", rule=name)
            else:
                tx.run("gate_pause", limit_name=name, key=key, until_at=end)
            return True

    def resume_limit(self, name: str, key: str | None, by: str) -> bool:
        was_paused = self._resume_limit(name, key, by)
        self._let_in()
        return was_paused

    @repeated
    def _resume_limit(self, name: str, key: str | None, by: str) -> bool:
        with self._link.write() as tx:
            if not tx.all("limit_hold", rule=name):
                return False
            if key is not None:
                return tx.run("gate_resume", limit_name=name, key=key) > 0
            tx.run("gate_wake", rule=name)
            return tx.run("gate_resume_all", rule=name, by=storable(by)) > 0

    def mend_slots(self, after: bytes, limit: int) -> Mended:
        with self._link.read() as tx:
            page = tx.all("mend_slots_page", past=after, limit=limit)
            if not page:
                return Mended((), None)
            bounds = {"past": after, "least": page[0][0]}
            wrong = tx.all("mend_slots", **bounds)
        lost: list[bytes] = []
        if wrong:
            with self._link.write() as tx:
                drive(tx, hold_gates((name, key) for name, key, _ in wrong))
                lost = sorted({job_id for *_, job_id in tx.all("mend_slots", **bounds)})
                drive(tx, pass_gates((), lost))
        return Mended(tuple(lost), bounds["least"])

    def _let_in(self) -> None:
        with suppress(StoreError):  # what this cannot do now, the chore will
            self.promote(LET_IN)

    @abstractmethod
    def promote(self, limit: int) -> list[tuple[str, int]]:
        """See `relet.store.port.Store`."""
