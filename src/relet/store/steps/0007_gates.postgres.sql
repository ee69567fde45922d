-- Gates: limits that many jobs share by a name and a key, whatever their queue.

-- One for each key that jobs have stood before. `next_at` is when its line is to be looked at, if nobody leaves before.
create table relet.gate (
    limit_name text collate "C" not null, key text collate "C" not null,
    paused_until bigint, next_at bigint,
    primary key (limit_name, key)
) with (fillfactor = 50);
create index gate_due on relet.gate (next_at) where next_at is not null;
alter table relet.gate set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0);

-- A job that is ready or runs, and has passed this gate. `epoch` is that of the pointer when it passed; -1 - epoch: it has left,
-- and the next tie frees the slot.
create table relet.slot (
    limit_name text collate "C" not null, key text collate "C" not null,
    job_id uuid not null,
    units bigint not null, epoch integer not null,
    primary key (limit_name, key, job_id)
) with (fillfactor = 80);
create index slot_job on relet.slot (job_id);
create index slot_marked on relet.slot (job_id) where epoch < 0;
alter table relet.slot set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0);

-- A job stands in line at one gate at a time, by its age, of which priority is a part. The index has those in line, and no others.
alter table relet.waiting add column limit_name text collate "C", add column limit_key text collate "C", add column line_place bigint;
create index waiting_line on relet.waiting (limit_name, limit_key, line_place, job_id) where limit_name is not null;

alter table relet.limit_rule add column paused_until bigint;

create or replace function relet.limit_changed() returns trigger language plpgsql as $$
declare
    changed text := coalesce(new.name, old.name);
begin
    if changed >= 'queue:' and changed < 'queue;' then
        perform relet.ring_queue(substr(changed, 7));
    end if;
    return null;
end $$;

create or replace view relet.v_limits as
    select l.name as limit_name, l.concurrency, l.per_worker, l.rates, l.origin, l.changed_by,
           to_timestamp(l.changed_at / 1000000.0) as changed_at,
           case when l.name >= 'queue:' and l.name < 'queue;'
                then (select count(*) from relet.running r where r.queue = substr(l.name, 7))
                else (select count(*) from relet.slot s where s.limit_name = l.name) end as active
    from relet.limit_rule l where l.active = 1;
