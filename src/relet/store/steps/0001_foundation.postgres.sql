-- Jobs under a lease. A job is a fact in `job`; where it stands is one row in exactly one of
-- scheduled, ready, running, dead, finished. Times are microseconds since the epoch (UTC).
-- Names of tasks and queues compare by their bytes (collate "C"), as on every other engine.

-- The clocks: functions, so that a test can put others in their place. Volatile, for else they are not inlined; a
-- condition that an index shall answer says `(select relet.now_us())`.
create function relet.now_us() returns bigint language sql volatile parallel safe
    as $$ select (extract(epoch from clock_timestamp()) * 1000000)::bigint $$;
create function relet.lease_clock() returns bigint language sql volatile parallel safe
    as $$ select (extract(epoch from clock_timestamp()) * 1000000)::bigint $$;
create function relet.boot() returns text language sql immutable parallel safe
    as $$ select ''::text $$;

-- Places in `ready`; a negative place is before all others.
create sequence relet.ready_seq as bigint;
create function relet.next_seq() returns bigint language sql volatile
    as $$ select nextval('relet.ready_seq') $$;

create table relet.job (
    id uuid not null primary key,
    task text collate "C" not null,
    queue text collate "C" not null,
    priority integer not null,
    args text not null,
    options text,
    needs text,
    created_at bigint not null,
    trace text
) partition by range (id);

create table relet.finished (
    job_id uuid not null primary key,
    outcome text not null,
    session_id uuid,
    epoch integer not null,
    attempt integer not null,
    started_at bigint,
    finished_at bigint not null,
    result text,
    error text
) partition by range (job_id);
create index finished_at on relet.finished using brin (finished_at) with (autosummarize = on);

-- Ids of other days than there are partitions for; what lives longer than its day does is moved here.
create table relet.job_other partition of relet.job default;
create table relet.finished_other partition of relet.finished default;

create table relet.scheduled (
    job_id uuid not null primary key,
    run_at bigint not null,
    queue text collate "C" not null, rank integer not null, task text collate "C" not null,
    needs text check (jsonb_typeof(needs::jsonb) = 'array'), flags integer not null,
    epoch integer not null, attempt integer not null, crashes integer not null,
    suspicions integer not null, releases integer not null
);
create index scheduled_due on relet.scheduled (run_at, job_id);

-- The hot table: insert and delete only. A claim walks one (queue, rank) from its head; rank is the negative priority.
create table relet.ready (
    seq bigint not null, job_id uuid not null, ready_at bigint not null,
    rank integer not null, flags integer not null,
    epoch integer not null, attempt integer not null, crashes integer not null,
    suspicions integer not null, releases integer not null,
    queue text collate "C" not null, task text collate "C" not null, needs text check (jsonb_typeof(needs::jsonb) = 'array'),
    primary key (queue, rank, seq)
);
create unique index ready_job on relet.ready (job_id);

create table relet.running (
    job_id uuid not null primary key,
    session_id uuid not null,
    claimed_at bigint not null, percent double precision,
    epoch integer not null, rank integer not null, flags integer not null,
    attempt integer not null, crashes integer not null,
    suspicions integer not null, releases integer not null,
    queue text collate "C" not null, message text
) with (fillfactor = 85);
create index running_session on relet.running (session_id, job_id);

create table relet.dead (
    job_id uuid not null primary key,
    epoch integer not null,
    session_id uuid not null,
    reason text not null,
    error text not null, stack text not null,
    attempt integer not null, crashes integer not null,
    failed_at bigint not null,
    resolved integer not null default 0,
    resolved_at bigint, resolved_by text, notes text
);

-- The history: one row for each accepted end of a claim that is not a success.
create table relet.attempt (
    job_id uuid not null, epoch integer not null,
    session_id uuid not null,
    started_at bigint not null, ended_at bigint not null,
    outcome text not null,
    error text not null, stack text not null,
    primary key (job_id, epoch)
);

create table relet.unique_key (
    scope text collate "C" not null, key text collate "C" not null,
    job_id uuid not null,
    primary key (scope, key)
);
create unique index unique_key_job on relet.unique_key (job_id);

-- What people ask of a job while its pointer moves.
create table relet.control (
    job_id uuid not null primary key,
    verb text not null, reason text not null, by_whom text not null,
    grace_us bigint not null, at bigint not null
);

create table relet.log_line (
    job_id uuid not null, epoch integer not null, n integer not null,
    at bigint not null, level text not null, message text not null, fields text,
    primary key (job_id, epoch, n)
);

create table relet.usage (
    job_id uuid not null, epoch integer not null, n integer not null,
    at bigint not null, kind text not null, amount text not null, unit text not null, details text,
    primary key (job_id, epoch, n)
);

-- One row per worker process: its lease covers every job that it holds. A renewal finds room beside its row.
create table relet.session (
    id uuid not null primary key,
    worker text not null, host text not null, pid integer not null,
    host_boot text not null, lock_place text not null,
    queues text not null, tasks text not null, offers text not null,
    slots integer not null, tier integer not null, version text not null,
    started_at bigint not null, renewed_at bigint not null, lease_us bigint not null,
    boot text not null, lease_until bigint not null,
    ended_at bigint, end_cause text,
    busy integer not null default 0, done bigint not null default 0, failed bigint not null default 0,
    rss_bytes bigint not null default 0, turned_at bigint not null default 0,
    asleep integer not null default 0,
    verb text not null default ''
) with (fillfactor = 50);
create index session_asleep on relet.session (id) where asleep = 1 and ended_at is null;

create table relet.queue (
    name text collate "C" not null primary key,
    paused_at bigint, paused_by text, pause_reason text, resume_at bigint,
    closed_at bigint, closed_by text, close_reason text
);

-- Whatever makes jobs ready wakes workers that sleep, from the transaction's commit on: a few of those that serve the queue
-- and know the task, from a random one on, so that one job does not wake five hundred; all of them for many jobs.
-- The message names sessions, never jobs. When nobody sleeps, nothing is sent.
create function relet.ring() returns trigger language plpgsql as $$
declare
    start uuid;
    kinds integer;
    most bigint;
    woken text;
begin
    if not exists (select 1 from relet.session s where s.asleep = 1 and s.ended_at is null) then
        return null;
    end if;
    start := gen_random_uuid();
    with sleeper as materialized (
        (select s.id, s.queues, s.tasks from relet.session s
         where s.asleep = 1 and s.ended_at is null and s.id >= start and s.lease_until > relet.lease_clock()
         order by s.id limit 64)
        union all
        (select s.id, s.queues, s.tasks from relet.session s
         where s.asleep = 1 and s.ended_at is null and s.id < start and s.lease_until > relet.lease_clock()
         order by s.id limit 64)),
    kind as materialized (
        select f.queue, f.task, count(*) as jobs from (select queue, task from fresh limit 1000) f group by f.queue, f.task)
    select count(distinct (k.queue, k.task)), max(k.jobs), string_agg(distinct replace(s.id::text, '-', ''), ' ')
    into kinds, most, woken
    from kind k cross join lateral (
        select s.id from sleeper s
        where (s.queues = '[]' or s.queues::jsonb ?| array[k.queue, '*']) and s.tasks::jsonb ? k.task
        limit least(k.jobs + 2, 9)) s;
    if woken is not null then
        perform pg_notify('relet_' || tg_table_schema, case when kinds > 8 or most > 6 then '' else woken end);
    end if;
    return null;
end $$;
create trigger ready_ring after insert on relet.ready
    referencing new table as fresh for each statement execute function relet.ring();

-- Rows of these tables live for seconds: what they leave is swept early, whatever the size of the table.
alter table relet.ready set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_vacuum_cost_delay = 0);
alter table relet.running set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0);
alter table relet.scheduled set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0);
alter table relet.session set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- The smallest id (UUIDv7) that can have been made on the day (UTC) of this time. No id is older than the epoch.
create function relet.day_id(us bigint) returns uuid language sql immutable parallel safe
    as $$ select (lpad(to_hex(greatest(us, 0) / 86400000000 * 86400000), 12, '0') || repeat('0', 20))::uuid $$;

-- Partitions by the day in which a job's id was made: from yesterday on, for so many days ahead. Returns how many were
-- made. None is made for a day that `retire` would drop at once. A day for which the default partition has rows already
-- stays there. A partition is made apart and then attached, which stops nobody who writes to the others. Like the other
-- chores, it runs as the owner of the tables, whoever calls: workers need no right to change the schema.
create function relet.ensure_partitions(days integer default 3, older_us bigint default 86400000000) returns integer language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    day bigint;
    part text;
    kind text;
    made integer := 0;
begin
    -- Of two that come at once, the second one waits, and finds what the first has made.
    perform pg_advisory_xact_lock(hashtext('relet partitions'), 'relet.job'::regclass::integer);
    for i in -1 .. days loop
        day := relet.now_us() + i * 86400000000;
        continue when relet.day_id(day + 86400000000) <= relet.day_id(relet.now_us() - older_us);
        foreach kind in array array['job', 'finished'] loop
            part := kind || to_char(to_timestamp(day / 1000000) at time zone 'UTC', '_YYYYMMDD');
            continue when to_regclass('relet.' || part) is not null;
            begin
                execute format('create table relet.%I (like relet.%I including defaults)', part, kind);
                execute format('alter table relet.%I attach partition relet.%I for values from (%L) to (%L)',
                               kind, part, relet.day_id(day), relet.day_id(day + 86400000000));
                made := made + 1;
            exception when check_violation then null;
            end;
        end loop;
    end loop;
    return made;
end $$;

-- Days whose partitions are gone, while the history of their jobs has still to go.
create table relet.retired (low uuid not null primary key, high uuid not null);

-- Jobs of a range of ids that must be kept: not ended, dead, or ended since.
create function relet.staying(low uuid, high uuid, since bigint) returns setof uuid language sql stable as $$
    select job_id from relet.scheduled where job_id >= low and job_id < high
    union select job_id from relet.ready where job_id >= low and job_id < high
    union select job_id from relet.running where job_id >= low and job_id < high
    union select job_id from relet.dead where job_id >= low and job_id < high
    union select job_id from relet.finished where job_id >= low and job_id < high and finished_at >= since
$$;

-- Drops the oldest day, if it ended so long ago, and moves what must be kept to the default partition. Returns how many jobs
-- were forgotten; null: there is no such day, somebody else is at it, or more must be kept than can be moved in a moment.
-- While it moves them, everybody waits; so it gives up when it does not get its locks at once.
create function relet.retire(older_us bigint, most integer) returns bigint language plpgsql
    security definer set search_path = pg_catalog, pg_temp
    set enable_seqscan = on set enable_sort = on set enable_hashjoin = on set plan_cache_mode = auto as $$
declare
    since bigint := relet.now_us() - older_us;
    day text;
    low uuid;
    high uuid;
    total bigint;
    kept uuid[];
begin
    select min(right(c.relname, 8)) into day from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'relet.job'::regclass and c.relname ~ '^job_[0-9]{8}$';
    low := relet.day_id(extract(epoch from to_date(day, 'YYYYMMDD'))::bigint * 1000000);
    high := relet.day_id((extract(epoch from to_date(day, 'YYYYMMDD'))::bigint + 86400) * 1000000);
    if day is null or high > relet.day_id(since) or not pg_try_advisory_xact_lock(hashtext('relet retire'), 'relet.job'::regclass::integer) then
        return null;
    end if;
    if (select count(*) from (select relet.staying(low, high, since) limit most + 1) s) > most then
        return null;
    end if;
    execute format('select count(*) from relet.%I', 'job_' || day) into total;
    perform set_config('lock_timeout', '1000', true);
    lock table relet.job, relet.finished in access exclusive mode;
    kept := array(select relet.staying(low, high, since));
    execute format('alter table relet.job detach partition relet.%I', 'job_' || day);
    execute format('alter table relet.finished detach partition relet.%I', 'finished_' || day);
    execute format('insert into relet.job select * from relet.%I where id = any($1)', 'job_' || day) using kept;
    execute format('insert into relet.finished_other select * from relet.%I where job_id = any($1)', 'finished_' || day) using kept;
    execute format('drop table relet.%I, relet.%I', 'job_' || day, 'finished_' || day);
    insert into relet.retired values (low, high) on conflict do nothing;
    return total - cardinality(kept);
end $$;

-- Removes the history of jobs of retired days, so many rows of each kind. Returns how many.
create function relet.sweep_retired(most integer) returns bigint language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    gone relet.retired;
    kind text;
    part bigint;
    total bigint := 0;
    more boolean := false;
begin
    select * into gone from relet.retired order by low limit 1 for update skip locked;
    if not found then
        return 0;
    end if;
    foreach kind in array array['attempt', 'log_line', 'usage', 'control'] loop
        execute format('delete from relet.%I where ctid = any(array(select h.ctid from relet.%I h where h.job_id >= $1 and h.job_id < $2
                        and not exists (select 1 from relet.job j where j.id = h.job_id) limit $3))', kind, kind)
        using gone.low, gone.high, most;
        get diagnostics part = row_count;
        total := total + part;
        more := more or part = most;
    end loop;
    if not more then
        delete from relet.retired where low = gone.low;
    end if;
    return total;
end $$;

-- Jobs that ended before a time although their ids are from this one on: clocks were wrong. Found by the range index.
create function relet.finished_early(low uuid, since bigint, most integer) returns setof uuid language sql volatile
    set enable_seqscan = off set enable_indexscan = off set enable_bitmapscan = on as $$
    select job_id from relet.finished where job_id >= low and finished_at < since limit most
$$;

create view relet.v_leases as
    select r.job_id, j.task, r.queue, s.worker as locked_by,
           to_timestamp((s.renewed_at + s.lease_us) / 1000000.0) as locked_until,
           r.attempt + 1 as attempts, r.epoch as claims, 'running' as status,
           to_timestamp(r.claimed_at / 1000000.0) as claimed_at, r.percent as progress, r.message
    from relet.running r join relet.job j on j.id = r.job_id left join relet.session s on s.id = r.session_id;

create view relet.v_workers as
    select s.worker as worker_id, s.host as hostname, s.pid, s.queues, s.offers as capabilities,
           to_timestamp(s.renewed_at / 1000000.0) as last_heartbeat,
           case when s.ended_at is not null then 'ended'
                when s.boot <> relet.boot() or s.lease_until <= relet.lease_clock() then 'lapsed'
                else 'active' end as status,
           s.slots as max_jobs, (select count(*) from relet.running r where r.session_id = s.id) as active_jobs,
           s.done as jobs_completed, s.failed as jobs_failed, to_timestamp(s.started_at / 1000000.0) as started_at
    from relet.session s;

create view relet.v_queues as
    select q.name as queue_name,
           (select count(*) from relet.ready r where r.queue = q.name) as waiting,
           (select count(*) from relet.running r where r.queue = q.name) as active,
           (select count(*) from relet.scheduled r where r.queue = q.name) as delayed,
           (select count(*) from relet.dead d join relet.job j on j.id = d.job_id where j.queue = q.name and d.resolved = 0) as dead,
           max(q.paused) as paused
    from (select name, (paused_at is not null)::integer as paused from relet.queue union all select distinct queue, 0 from relet.ready
          union all select distinct queue, 0 from relet.running union all select distinct queue, 0 from relet.scheduled
          union all select distinct j.queue, 0 from relet.dead d join relet.job j on j.id = d.job_id where d.resolved = 0) q
    group by q.name;
