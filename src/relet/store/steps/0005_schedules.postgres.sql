-- Schedules: when jobs are made by themselves, and how that went.

-- `rule` is a recurrence as JSON; empty: on demand only. `revision` rises with every change: who fires compares it.
create table relet.schedule (
    name text collate "C" not null primary key,
    kind text not null, mode text not null,
    task text collate "C" not null, queue text collate "C" not null, priority integer not null, args text not null, options text,
    rule text not null, replicas integer not null,
    depends_on text not null check (jsonb_typeof(depends_on::jsonb) = 'array'),
    blocks text not null check (jsonb_typeof(blocks::jsonb) = 'array'),
    max_failures integer,
    origin text not null, changed_by text not null, changed_at bigint not null, revision bigint not null,
    paused_at bigint, paused_by text, disabled_at bigint, disabled_because text,
    next_at bigint, settled_until bigint not null, pending_at bigint,
    failures integer not null, started_at bigint, ended_at bigint, success_at bigint, failure_at bigint, error text
) with (fillfactor = 50);
create index schedule_due on relet.schedule (next_at) where next_at is not null;

-- One run per due time in the whole cluster.
create table relet.firing (
    schedule text collate "C" not null, due_at bigint not null,
    job_id uuid, cause text not null, fired_at bigint not null,
    primary key (schedule, due_at)
);
create index firing_job on relet.firing (job_id);
