-- Schedules: when jobs are made by themselves, and how that went.

-- `rule` is a recurrence as JSON; empty: on demand only. `revision` rises with every change: who fires compares it.
create table relet.schedule (
    name text not null primary key,
    kind text not null, mode text not null,
    task text not null, queue text not null, priority integer not null, args text not null, options text,
    rule text not null, replicas integer not null,
    depends_on text not null check (json_type(depends_on) = 'array'),
    blocks text not null check (json_type(blocks) = 'array'),
    max_failures integer,
    origin text not null, changed_by text not null, changed_at integer not null, revision integer not null,
    paused_at integer, paused_by text, disabled_at integer, disabled_because text,
    next_at integer, settled_until integer not null, pending_at integer,
    failures integer not null, started_at integer, ended_at integer, success_at integer, failure_at integer, error text
) without rowid, strict;
create index relet.schedule_due on relet.schedule (next_at) where next_at is not null;

-- One run per due time in the whole cluster.
create table relet.firing (
    schedule text not null, due_at integer not null,
    job_id blob, cause text not null, fired_at integer not null,
    primary key (schedule, due_at)
) without rowid, strict;
create index relet.firing_job on relet.firing (job_id);
