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
