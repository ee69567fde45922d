-- Circuit breakers, shared by all workers.

-- A breaker is open from `opened_at` on, and half-open from `probe_at` on; without the first it is closed. `rule` is JSON.
-- `failures` are those in a row; `buckets`, JSON [[step, passed, failed, streak]], what was counted lately (see job/breaker.py).
-- `proved`: probes that have succeeded since it opened. `revision` rises with each change.
create table relet.breaker (
    name text collate "C" not null primary key,
    rule text not null check (jsonb_typeof(rule::jsonb) = 'object'),
    failures bigint not null, buckets text not null check (jsonb_typeof(buckets::jsonb) = 'array'),
    opened_at bigint, probe_at bigint, proved bigint not null, trips bigint not null,
    because text not null, error text not null,
    changed_by text not null, changed_at bigint not null, revision bigint not null
) with (fillfactor = 50);
create index breaker_open on relet.breaker (name) where opened_at is not null;

-- What tries whether things work again. That of a job is out while its claim stands; that of a call, which has no session,
-- until it is told of, or until its time is over.
create table relet.probe (
    breaker text collate "C" not null, token uuid not null,
    session_id uuid, epoch bigint not null, until_at bigint,
    primary key (breaker, token)
);

-- The breaker around a call that has put the job off; null: something else has.
alter table relet.scheduled add column breaker text collate "C";
create index scheduled_put_off on relet.scheduled (breaker, run_at) where breaker is not null;

create view relet.v_breakers as
    select b.name as breaker_name, b.rule,
           case when b.opened_at is null then 'closed'
                when b.probe_at <= relet.now_us() then 'half-open' else 'open' end as state,
           b.failures, b.trips, to_timestamp(b.opened_at / 1000000.0) as opened_at,
           to_timestamp(b.probe_at / 1000000.0) as probe_at, b.because, b.error, b.changed_by,
           to_timestamp(b.changed_at / 1000000.0) as changed_at
    from relet.breaker b;
