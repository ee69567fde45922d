-- What runs have consumed, added up: for each hour and each day, in UTC, by what people ask for. A sum is `whole` and `part`, which is in
-- 10^-12. Written with the entries that it is of, and kept when their jobs are forgotten.
create table relet.spend (
    step_us bigint not null, at bigint not null,
    queue text collate "C" not null, task text collate "C" not null, model text collate "C" not null, tenant text collate "C" not null,
    kind text collate "C" not null, unit text collate "C" not null,
    whole bigint not null, part bigint not null check (part between 0 and 999999999999),
    primary key (step_us, at, queue, task, model, tenant, kind, unit)
) with (fillfactor = 70);
alter table relet.spend set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0);

create view relet.v_costs as
    select (to_timestamp(s.at / 1000000.0) at time zone 'UTC')::date as day, s.queue, s.task, s.model, s.tenant, s.kind, s.unit,
           s.whole + s.part / 1000000000000.0 as amount
    from relet.spend s where s.step_us = 86400000000;

-- Budgets: what may be spent in a window, by code or by a person. `rule` is JSON (see job/budget.py).
create table relet.budget (
    name text collate "C" not null primary key,
    rule text not null check (jsonb_typeof(rule::jsonb) = 'object'),
    origin text not null, changed_by text not null, changed_at bigint not null
);

-- What is used of each, for each key, in the window that was spent in last. `untold`: 1 when somebody is to be warned, 2 when it is used up.
create table relet.budget_use (
    budget text collate "C" not null, key text collate "C" not null,
    began_at bigint not null, until_at bigint not null,
    whole bigint not null, part bigint not null,
    warned_at bigint, exceeded_at bigint, lifted_at bigint,
    untold bigint,
    primary key (budget, key)
) with (fillfactor = 50);
create index budget_untold on relet.budget_use (budget, key) where untold is not null;
create index budget_until on relet.budget_use (until_at);

-- When a queue that refuses new jobs takes them again by itself; null: when somebody opens it.
alter table relet.queue add column reopen_at bigint;
