-- Limits: what a queue is held to (its rule is named `queue:NAME`), and what its rates have let start.

-- `rates` is JSON, [[units, window_us]]. A rule that limits nothing stays when a person said so: code must not undo that.
create table relet.limit_rule (
    name text collate "C" not null primary key,
    concurrency bigint, per_worker bigint,
    rates text not null check (jsonb_typeof(rates::jsonb) = 'array'),
    active integer not null,
    origin text not null, changed_by text not null, changed_at bigint not null
) with (fillfactor = 50);

-- Units that started in one step, a sixtieth of the window. `key` is empty for what has no keys.
create table relet.tally (
    limit_name text collate "C" not null, key text collate "C" not null,
    window_us bigint not null, step bigint not null, units bigint not null,
    primary key (limit_name, key, window_us, step)
) with (fillfactor = 50);
alter table relet.tally set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0);

-- A slot of a limited queue is a claim that is marked. The index has those and no others: without limits it costs nothing.
alter table relet.running add column counted integer;
create index running_counted on relet.running (queue, session_id) where counted is not null;

-- Waits for the transactions that claim, settle or hold claims just now, and holds up others until the commit.
create function relet.freeze_claims() returns void language plpgsql as $$
begin
    lock table relet.running in exclusive mode;
end $$;

-- Wakes workers that serve this queue and sleep.
create function relet.ring_queue(served text) returns void language plpgsql as $$
declare
    woken text;
begin
    select string_agg(replace(s.id::text, '-', ''), ' ') into woken from (
        select s.id from relet.session s
        where s.asleep = 1 and s.ended_at is null and s.lease_until > relet.lease_clock()
          and (s.queues = '[]' or s.queues::jsonb ?| array[served, '*'])
        order by s.id limit 64) s;
    if woken is not null then
        perform pg_notify('relet_' || (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
                                       where c.oid = 'relet.session'::regclass), woken);
    end if;
end $$;

-- Slots of these queues are free. Returns how many workers' queues were rung for; when nobody sleeps, none.
create function relet.ring_freed(freed text[]) returns integer language plpgsql as $$
declare
    one text;
    rung integer := 0;
begin
    if not exists (select 1 from relet.session s where s.asleep = 1 and s.ended_at is null) then
        return 0;
    end if;
    for one in select distinct f from unnest(freed) f loop
        if exists (select 1 from relet.ready r where r.queue = one) then
            perform relet.ring_queue(one);
            rung := rung + 1;
        end if;
    end loop;
    return rung;
end $$;

create function relet.limit_changed() returns trigger language plpgsql as $$
begin
    perform relet.ring_queue(substr(coalesce(new.name, old.name), 7));
    return null;
end $$;
create trigger limit_changed after insert or update or delete on relet.limit_rule
    for each row execute function relet.limit_changed();

create view relet.v_limits as
    select l.name as limit_name, l.concurrency, l.per_worker, l.rates, l.origin, l.changed_by,
           to_timestamp(l.changed_at / 1000000.0) as changed_at,
           (select count(*) from relet.running r where 'queue:' || r.queue = l.name) as active
    from relet.limit_rule l where l.active = 1;
