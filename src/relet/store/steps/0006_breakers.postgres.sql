-- Circuit breakers, shared by all workers.

create table relet.breaker (
    name text collate "C" not null primary key,
    rule text not null check (jsonb_typeof(rule::jsonb) = 'object'),
    state text not null, forced integer not null,
    failures integer not null, opened_at bigint, probe_at bigint, trips integer not null,
    error text, changed_by text not null, changed_at bigint not null
) with (fillfactor = 50);

-- A call that tries, while the breaker is half open, whether things work again; until when it counts as out.
create table relet.probe (
    breaker text collate "C" not null, token uuid not null, until bigint not null,
    primary key (breaker, token)
);
