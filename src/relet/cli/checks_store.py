"""What `doctor` looks at in the store: schema, clock, durability, and for PostgreSQL privileges, wake-ups and poolers."""

from __future__ import annotations

from relet.cli.findings import Findings, Patient, bad, note, ok, warning
from relet.clock import SECOND
from relet.job.duration import format_us

SKEW_US = SECOND
FEW_CONNECTIONS = 0.1


def check_clock(patient: Patient) -> Findings:
    """Leases are the store's own business; due times are read by people on hosts whose clocks should agree."""
    skew = abs(patient.skew_us)
    direction = "ahead of" if patient.skew_us > 0 else "behind"
    if skew <= SKEW_US + patient.slack_us:
        yield ok("clock", f"store and host agree to {format_us(max(skew, patient.slack_us))}")
    else:
        found = f"the store's clock is {format_us(skew)} {direction} this host's"
        yield warning("clock", found, "leases are safe; run a time service on both hosts for due times")


def check_engine(patient: Patient) -> Findings:
    """What the engine says of itself, where it says so."""
    health = patient.health
    if "engine" in health:
        yield ok("engine", f"{health['engine']} {health.get('version', '')}".strip())
    if health.get("read_only"):
        yield bad("engine", "it is read-only, or a standby", "connect to the primary, or wait for the failover to end")
    yield from _check_durability(patient)


def _check_durability(patient: Patient) -> Findings:
    durable, how = patient.health.get("durable"), patient.health.get("durability", "")
    if durable is False:
        yield warning(
            "durability", f"{how}: a power loss may forget the last jobs that were acknowledged", "set it to full"
        )
    elif durable:
        yield ok("durability", str(how) or "a commit survives a power loss")


def check_postgres(patient: Patient) -> Findings:
    """Privileges, LISTEN, poolers, connections: facts that only PostgreSQL has."""
    health = patient.health
    for what in health.get("missing_privileges", ()):
        yield bad("privileges", f"missing: {what}", "grant it to the user of the URL")
    if health.get("pooled"):
        yield note(
            "pooler",
            "a transaction-mode pooler stands between: no wake-ups by LISTEN",
            "works, by polling; for quick starts connect workers directly",
        )
    elif "listen" in health:
        yield (
            ok("wake-ups", "LISTEN works")
            if health["listen"]
            else warning("wake-ups", "LISTEN does not reach this connection", "idle workers find jobs by polling only")
        )
    used, most = health.get("connections"), health.get("max_connections")
    if used and most:
        found = f"{used} of {most} connections in use"
        few = most - used < most * FEW_CONNECTIONS
        yield (
            warning("connections", found, "raise max_connections, or put a pooler between")
            if few
            else ok("connections", found)
        )
    yield from _check_old_snapshot(patient)


def _check_old_snapshot(patient: Patient) -> Findings:
    oldest = patient.health.get("oldest_transaction_us")
    if oldest and oldest > 3600 * SECOND:
        found = f"a transaction has been open for {format_us(oldest)}: dead rows pile up behind it"
        yield warning("transactions", found, "find it in pg_stat_activity and end it")
