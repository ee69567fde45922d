"""Named SQL: each statement stands once in a `.sql` file, under its name, with a sentence.

A file is a list of blocks:

    -- name: settle_finish
    -- The end of a claim: its row in `finished`, written only while the claim stands.
    insert into relet.finished ...

Portable files stand in `sql/`; an engine's own files, in its folder beside them, replace statements of the same name.
Tables are written `relet.job`: a schema on PostgreSQL, a prefix (`relet_job`) on SQLite.
Parameters are written `:name`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
_PARAM = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_COMMENT = re.compile(r"--[^\n]*")
_LOCK = re.compile(
    r"\bfor (?:no key update|update|key share|share)(?: of \w+)?(?: skip locked| nowait)?", re.IGNORECASE
)

_FREE_PLACE = """(with recursive free(n) as (
    select :seq union all
    select n + 1 from free
    where exists (select 1 from relet.ready t where t.queue = :queue and t.rank = :rank and t.seq = n))
select max(n) from free)"""
"""A place in a lane, or the first one behind it that is not taken."""


def load(engine: str) -> dict[str, str]:
    """All statements for an engine ("sqlite" or "postgres"), by name, as written."""
    root = files("relet.store").joinpath("sql")
    texts = [f.read_text() for f in sorted(root.iterdir(), key=lambda f: f.name) if f.name.endswith(".sql")]
    own = root.joinpath(engine)
    texts += [f.read_text() for f in sorted(own.iterdir(), key=lambda f: f.name) if f.name.endswith(".sql")]
    found: dict[str, str] = {}
    for text in texts:
        found.update(parse(text))
    return found


def parse(text: str) -> dict[str, str]:
    """The blocks of one file, by name, without comments."""
    parts = _NAME.split(text)[1:]
    return {
        name: _COMMENT.sub("", body).strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


def parameters(sql: str) -> list[str]:
    """The names of its parameters, each once, in order of appearance."""
    return list(dict.fromkeys(_PARAM.findall(sql)))


def rename(sql: str, mark: Callable[[str], str]) -> str:
    """The statement with each `:name` written as `mark(name)`."""
    return _PARAM.sub(lambda found: mark(found.group(1)), sql)


def for_sqlite(sql: str) -> str:
    """SQLite's form: the clocks are bound by the caller, the one writer needs no row locks, tables carry a prefix."""
    sql = sql.replace("relet.now_us()", ":now_us").replace("relet.lease_clock()", ":steady_us")
    sql = sql.replace("relet.boot()", ":boot")
    sql = sql.replace("relet.next_seq()", "((select n from relet.counter where name = 'ready') + row_number() over ())")
    sql = sql.replace("relet.free_place()", _FREE_PLACE)
    return _LOCK.sub("", sql).replace("relet.", "relet_")


def for_postgres(sql: str, schema: str) -> str:
    """PostgreSQL's form: everything lives in one schema, named in every statement, so that a pooler needs no state."""
    return sql if schema == "relet" else re.sub(r"\brelet\.", f'"{schema}".', sql)
