-- Limits: what a queue is held to (its rule is named `queue:NAME`), and what its rates have let start.

-- `rates` is JSON, [[units, window_us]]. A rule that limits nothing stays when a person said so: code must not undo that.
create table relet.limit_rule (
    name text not null primary key,
    concurrency integer, per_worker integer,
    rates text not null check (json_type(rates) = 'array'),
    active integer not null,
    origin text not null, changed_by text not null, changed_at integer not null
) without rowid, strict;

-- Units that started in one step, a sixtieth of the window. `key` is empty for what has no keys.
create table relet.tally (
    limit_name text not null, key text not null,
    window_us integer not null, step integer not null, units integer not null,
    primary key (limit_name, key, window_us, step)
) without rowid, strict;

-- A slot of a limited queue is a claim that is marked. The index has those and no others: without limits it costs nothing.
alter table relet.running add column counted integer;
create index relet.running_counted on relet.running (queue, session_id) where counted is not null;

create view relet.v_limits as
    select l.name as limit_name, l.concurrency, l.per_worker, l.rates, l.origin, l.changed_by,
           datetime(l.changed_at / 1000000, 'unixepoch') as changed_at,
           (select count(*) from relet.running r where 'queue:' || r.queue = l.name) as active
    from relet.limit_rule l where l.active = 1;
