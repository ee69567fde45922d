-- Circuit breakers, shared by all workers.

-- A breaker is open from `opened_at` on, and half-open from `probe_at` on; without the first it is closed. `rule` is JSON.
-- `failures` are those in a row; `buckets`, JSON [[step, passed, failed, streak]], what was counted lately (see job/breaker.py).
-- `proved`: probes that have succeeded since it opened. `revision` rises with each change.
create table relet.breaker (
    name text not null primary key,
    rule text not null check (json_type(rule) = 'object'),
    failures integer not null, buckets text not null check (json_type(buckets) = 'array'),
    opened_at integer, probe_at integer, proved integer not null, trips integer not null,
    because text not null, error text not null,
    changed_by text not null, changed_at integer not null, revision integer not null
) without rowid, strict;
create index relet.breaker_open on relet.breaker (name) where opened_at is not null;

-- What tries whether things work again. That of a job is out while its claim stands; that of a call, which has no session,
-- until it is told of, or until its time is over.
create table relet.probe (
    breaker text not null, token blob not null,
    session_id blob, epoch integer not null, until_at integer,
    primary key (breaker, token)
) without rowid, strict;

-- The breaker around a call that has put the job off; null: something else has.
alter table relet.scheduled add column breaker text;
create index relet.scheduled_put_off on relet.scheduled (breaker, run_at) where breaker is not null;

create view relet.v_breakers as
    select b.name as breaker_name, b.rule,
           case when b.opened_at is null then 'closed'
                when b.probe_at <= cast(strftime('%s', 'now') as integer) * 1000000 then 'half-open' else 'open' end as state,
           b.failures, b.trips, datetime(b.opened_at / 1000000, 'unixepoch') as opened_at,
           datetime(b.probe_at / 1000000, 'unixepoch') as probe_at, b.because, b.error, b.changed_by,
           datetime(b.changed_at / 1000000, 'unixepoch') as changed_at
    from relet.breaker b;
