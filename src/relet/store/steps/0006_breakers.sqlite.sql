-- Circuit breakers, shared by all workers.

create table relet.breaker (
    name text not null primary key,
    rule text not null check (json_type(rule) = 'object'),
    state text not null, forced integer not null,
    failures integer not null, opened_at integer, probe_at integer, trips integer not null,
    error text, changed_by text not null, changed_at integer not null
) without rowid, strict;

-- A call that tries, while the breaker is half open, whether things work again; until when it counts as out.
create table relet.probe (
    breaker text not null, token blob not null, until integer not null,
    primary key (breaker, token)
) without rowid, strict;
