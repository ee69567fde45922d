-- What runs have consumed, added up: for each hour and each day, in UTC, by what people ask for. A sum is `whole` and `part`, which is in
-- 10^-12. Written with the entries that it is of, and kept when their jobs are forgotten.
create table relet.spend (
    step_us integer not null, at integer not null,
    queue text not null, task text not null, model text not null, tenant text not null, kind text not null, unit text not null,
    whole integer not null, part integer not null check (part between 0 and 999999999999),
    primary key (step_us, at, queue, task, model, tenant, kind, unit)
) without rowid, strict;

create view relet.v_costs as
    select date(s.at / 1000000, 'unixepoch') as day, s.queue, s.task, s.model, s.tenant, s.kind, s.unit,
           s.whole + s.part / 1000000000000.0 as amount
    from relet.spend s where s.step_us = 86400000000;

-- Budgets: what may be spent in a window, by code or by a person. `rule` is JSON (see job/budget.py).
create table relet.budget (
    name text not null primary key,
    rule text not null check (json_type(rule) = 'object'),
    origin text not null, changed_by text not null, changed_at integer not null
) without rowid, strict;

-- What is used of each, for each key, in the window that was spent in last. `untold`: 1 when somebody is to be warned, 2 when it is used up.
create table relet.budget_use (
    budget text not null, key text not null,
    began_at integer not null, until_at integer not null,
    whole integer not null, part integer not null,
    warned_at integer, exceeded_at integer, lifted_at integer,
    untold integer,
    primary key (budget, key)
) without rowid, strict;
create index relet.budget_untold on relet.budget_use (budget, key) where untold is not null;
create index relet.budget_until on relet.budget_use (until_at);

-- When a queue that refuses new jobs takes them again by itself; null: when somebody opens it.
alter table relet.queue add column reopen_at integer;
