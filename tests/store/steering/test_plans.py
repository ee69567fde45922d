"""No statement of steering or reading walks a table that grows, but for a capped count. On SQLite, which plans the same way
whatever the tables hold."""

import re
from importlib.resources import files

import pytest

from relet.store.sqlite.store import SqliteStore
from relet.store.statements import for_sqlite, parameters, parse
from tests.store.beds import memory_bed

SQL = files("relet.store").joinpath("sql")
STATEMENTS = {
    name: text
    for file in ("steer.sql", "dead.sql", "insights.sql", "figures.sql", "breakers.sql", "costs.sql", "budgets.sql")
    for name, text in parse(SQL.joinpath(file).read_text()).items()
}

WALKED = {
    # Sessions, queue settings, requests, and what is running: few rows.
    "insight_jobs": {"w"},
    "insight_sessions": {"s"},
    "insight_leases": {"u"},
    "queue_settings": {"q"},
    "queue_running": {"relet_running"},
    "cancel_overdue": {"c"},
    "workers_live": {"s"},
    "health_all": {"h"},
    "event_counts": {"c"},
    "health_schema": {"relet_schema_version"},
    "breaker_all": {"b"},
    "breaker_tripped": {"b"},
    "breaker_wake": {"b"},
    "budget_rules": {"b"},
    "budget_hold": {"b"},
    "budget_all": {"b"},
    "budget_of_limit": {"b"},
    # By an index that has few rows.
    "budget_untold": {"relet_budget_use"},
    # Up to a cap.
    "count_pointers": {"relet_waiting", "relet_scheduled", "relet_ready", "relet_running", "relet_dead"},
    "count_finished": {"relet_finished"},
    "queue_scheduled": {"relet_scheduled"},
    "queue_waiting": {"relet_waiting"},
    "queue_dead": {"relet_dead"},
    "dead_count": {"d"},
    "dead_stats": {"relet_dead"},
    "dead_failures": {"relet_dead"},
    "health_facts": {"relet_dead", "w", "u", "q"},
    # In the order in which they are due, until enough of the queue are found.
    "purge_lock_scheduled": {"s"},
    "purge_lock_waiting": {"w"},
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_only_what_is_short_or_capped_is_walked(name: str) -> None:
    bed = memory_bed()
    store = bed.open()
    assert isinstance(store, SqliteStore)
    sql = for_sqlite(STATEMENTS[name])
    plan = store._link.driver.execute(
        "explain query plan " + re.sub(r":(?=[a-z])", "$", sql), [None] * len(parameters(sql))
    )
    walked = {found[1] for *_, step in plan if (found := re.match(r"SCAN (\w+)", step))}
    bed.close()
    tables = walked - _made_inside(sql)
    assert tables == WALKED.get(name, set())
    assert not [step for *_, step in plan if "AUTOMATIC" in step], "an index made for this one statement"


def _made_inside(sql: str) -> set[str]:
    """Names of rows that the statement itself makes: of `with` parts and of subqueries in `from`."""
    parts = set(re.findall(r"(\w+)\(\w+(?:, \w+)*\) as ", sql))
    aliases = {alias for part in parts for alias in re.findall(rf"from {part} (\w+)", sql)}
    subqueries = set(re.findall(r"\) ([a-z]\w*)(?=[\s,)]|$)", sql)) - {
        "and",
        "or",
        "from",
        "then",
        "in",
        "as",
        "on",
        "order",
    }
    return parts | aliases | subqueries | {"CONSTANT"}
