-- Gates: limits that many jobs share by a name and a key, whatever their queue.

-- One for each key that jobs have stood before. `next_at` is when its line is to be looked at, if nobody leaves before.
create table relet.gate (
    limit_name text not null, key text not null,
    paused_until integer, next_at integer,
    primary key (limit_name, key)
) without rowid, strict;
create index relet.gate_due on relet.gate (next_at) where next_at is not null;

-- A job that is ready or runs, and has passed this gate. `epoch` is that of the pointer when it passed; -1 - epoch: it has left,
-- and the next tie frees the slot.
create table relet.slot (
    limit_name text not null, key text not null,
    job_id blob not null,
    units integer not null, epoch integer not null,
    primary key (limit_name, key, job_id)
) without rowid, strict;
create index relet.slot_job on relet.slot (job_id);
create index relet.slot_marked on relet.slot (job_id) where epoch < 0;

-- A job stands in line at one gate at a time, by its age, of which priority is a part. The index has those in line, and no others.
alter table relet.waiting add column limit_name text;
alter table relet.waiting add column limit_key text;
alter table relet.waiting add column line_place integer;
create index relet.waiting_line on relet.waiting (limit_name, limit_key, line_place, job_id) where limit_name is not null;

alter table relet.limit_rule add column paused_until integer;

drop view relet.v_limits;
create view relet.v_limits as
    select l.name as limit_name, l.concurrency, l.per_worker, l.rates, l.origin, l.changed_by,
           datetime(l.changed_at / 1000000, 'unixepoch') as changed_at,
           case when l.name between 'queue:' and 'queue;'
                then (select count(*) from relet.running r where r.queue = substr(l.name, 7))
                else (select count(*) from relet.slot s where s.limit_name = l.name) end as active
    from relet.limit_rule l where l.active = 1;
