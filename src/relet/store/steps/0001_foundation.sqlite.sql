-- Jobs under a lease. A job is a fact in `job`; where it stands is one row in exactly one of
-- scheduled, ready, running, dead, finished. Ids are 16 bytes, times microseconds since the epoch (UTC).

create table relet.job (
    id blob not null primary key,
    task text not null,
    queue text not null,
    priority integer not null,
    args text not null,
    options text,
    needs text check (json_type(needs) = 'array'),
    created_at integer not null,
    trace text
) without rowid, strict;

create table relet.scheduled (
    job_id blob not null primary key,
    run_at integer not null,
    queue text not null, rank integer not null, task text not null, needs text check (json_type(needs) = 'array'), flags integer not null,
    epoch integer not null, attempt integer not null, crashes integer not null,
    suspicions integer not null, releases integer not null
) without rowid, strict;
create index relet.scheduled_due on relet.scheduled (run_at, job_id);

-- The hot table: insert and delete only. A claim walks one (queue, rank) from its head; rank is the negative priority.
create table relet.ready (
    queue text not null, rank integer not null, seq integer not null,
    job_id blob not null,
    task text not null, needs text check (json_type(needs) = 'array'), flags integer not null,
    epoch integer not null, attempt integer not null, crashes integer not null,
    suspicions integer not null, releases integer not null,
    ready_at integer not null,
    primary key (queue, rank, seq)
) without rowid, strict;
create unique index relet.ready_job on relet.ready (job_id);

create table relet.running (
    job_id blob not null primary key,
    session_id blob not null,
    epoch integer not null,
    queue text not null, rank integer not null, flags integer not null,
    attempt integer not null, crashes integer not null,
    suspicions integer not null, releases integer not null,
    claimed_at integer not null,
    percent real, message text
) without rowid, strict;
create index relet.running_session on relet.running (session_id);

create table relet.dead (
    job_id blob not null primary key,
    epoch integer not null,
    session_id blob not null,
    reason text not null,
    error text not null, stack text not null,
    attempt integer not null, crashes integer not null,
    failed_at integer not null,
    resolved integer not null default 0,
    resolved_at integer, resolved_by text, notes text
) without rowid, strict;

create table relet.finished (
    job_id blob not null primary key,
    outcome text not null,
    session_id blob,
    epoch integer not null,
    attempt integer not null,
    started_at integer,
    finished_at integer not null,
    result text,
    error text
) without rowid, strict;

-- The history: one row for each accepted end of a claim that is not a success.
create table relet.attempt (
    job_id blob not null, epoch integer not null,
    session_id blob not null,
    started_at integer not null, ended_at integer not null,
    outcome text not null,
    error text not null, stack text not null,
    primary key (job_id, epoch)
) without rowid, strict;

create table relet.unique_key (
    scope text not null, key text not null,
    job_id blob not null,
    primary key (scope, key)
) without rowid, strict;
create unique index relet.unique_key_job on relet.unique_key (job_id);

-- What people ask of a job while its pointer moves.
create table relet.control (
    job_id blob not null primary key,
    verb text not null, reason text not null, by_whom text not null,
    grace_us integer not null, at integer not null
) without rowid, strict;

create table relet.log_line (
    job_id blob not null, epoch integer not null, n integer not null,
    at integer not null, level text not null, message text not null, fields text,
    primary key (job_id, epoch, n)
) without rowid, strict;

create table relet.usage (
    job_id blob not null, epoch integer not null, n integer not null,
    at integer not null, kind text not null, amount text not null, unit text not null, details text,
    primary key (job_id, epoch, n)
) without rowid, strict;

-- One row per worker process: its lease covers every job that it holds.
create table relet.session (
    id blob not null primary key,
    worker text not null, host text not null, pid integer not null,
    host_boot text not null, lock_place text not null,
    queues text not null, tasks text not null, offers text not null,
    slots integer not null, tier integer not null, version text not null,
    started_at integer not null, renewed_at integer not null, lease_us integer not null,
    boot text not null, lease_until integer not null,
    ended_at integer, end_cause text,
    busy integer not null default 0, done integer not null default 0, failed integer not null default 0,
    rss_bytes integer not null default 0, turned_at integer not null default 0,
    asleep integer not null default 0,
    verb text not null default ''
) without rowid, strict;

create table relet.queue (
    name text not null primary key,
    paused_at integer, paused_by text, pause_reason text, resume_at integer,
    closed_at integer, closed_by text, close_reason text
) without rowid, strict;

-- Places in `ready` are numbered by one counter; a negative place is before all others.
create table relet.counter (name text not null primary key, n integer not null) without rowid, strict;
insert into relet.counter values ('ready', 0);
create trigger relet.ready_numbered after insert on relet.ready
begin
    update relet.counter set n = abs(new.seq) where name = 'ready' and n < abs(new.seq);
end;

create view relet.v_leases as
    select lower(hex(r.job_id)) as job_id, j.task, r.queue, s.worker as locked_by,
           datetime((s.renewed_at + s.lease_us) / 1000000, 'unixepoch') as locked_until,
           r.attempt + 1 as attempts, r.epoch as claims, 'running' as status,
           datetime(r.claimed_at / 1000000, 'unixepoch') as claimed_at, r.percent as progress, r.message
    from relet.running r join relet.job j on j.id = r.job_id left join relet.session s on s.id = r.session_id;

-- `lapsed` by wall time: a view cannot read the clock of leases.
create view relet.v_workers as
    select s.worker as worker_id, s.host as hostname, s.pid, s.queues, s.offers as capabilities,
           datetime(s.renewed_at / 1000000, 'unixepoch') as last_heartbeat,
           case when s.ended_at is not null then 'ended'
                when s.renewed_at + s.lease_us <= cast((julianday('now') - 2440587.5) * 86400000000 as integer) then 'lapsed'
                else 'active' end as status,
           s.slots as max_jobs, (select count(*) from relet.running r where r.session_id = s.id) as active_jobs,
           s.done as jobs_completed, s.failed as jobs_failed, datetime(s.started_at / 1000000, 'unixepoch') as started_at
    from relet.session s;

create view relet.v_queues as
    select q.name as queue_name,
           (select count(*) from relet.ready r where r.queue = q.name) as waiting,
           (select count(*) from relet.running r where r.queue = q.name) as active,
           (select count(*) from relet.scheduled r where r.queue = q.name) as delayed,
           (select count(*) from relet.dead d join relet.job j on j.id = d.job_id where j.queue = q.name and d.resolved = 0) as dead,
           max(q.paused) as paused
    from (select name, paused_at is not null as paused from relet.queue union all select distinct queue, 0 from relet.ready
          union all select distinct queue, 0 from relet.running union all select distinct queue, 0 from relet.scheduled
          union all select distinct j.queue, 0 from relet.dead d join relet.job j on j.id = d.job_id where d.resolved = 0) q
    group by q.name;
