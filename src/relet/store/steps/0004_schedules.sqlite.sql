-- Schedules: when jobs are made by themselves, and how that went.

-- `untold`: 1, if failures have disabled it and no worker has said so yet. `missed`: due times since the last run that have none.
-- `definition` is what code or a person wrote, as JSON; `revision` rises when it changes. Then what people steer, how far it
-- has come (see job/firing.py), and how its runs went. `seen` is JSON: how often each schedule that it depends on had
-- succeeded when it was fired last.
create table relet.schedule (
    name text not null primary key,
    kind text not null, mode text not null, definition text not null check (json_type(definition) = 'object'), max_failures integer,
    changed_by text not null, changed_at integer not null, revision integer not null,
    paused_at integer, paused_by text, pause_reason text,
    disabled_at integer, disabled_by text, disable_reason text, untold integer not null,
    settled_until integer not null, next_at integer, pending_at integer, previous_at integer, missed integer not null,
    seen text not null check (json_type(seen) = 'object'),
    successes integer not null, failures integer not null,
    fired_at integer, ended_at integer, success_at integer, failure_at integer, error text
) without rowid, strict;
create index relet.schedule_due on relet.schedule (next_at)
    where next_at is not null and paused_at is null and disabled_at is null;
create index relet.schedule_pending on relet.schedule (name)
    where pending_at is not null and paused_at is null and disabled_at is null;
create index relet.schedule_untold on relet.schedule (name) where untold = 1;

-- What became of a due time, once in the whole cluster: a job, or why there is none.
create table relet.firing (
    schedule text not null, due_at integer not null,
    job_id blob, cause text not null, fired_at integer not null,
    ended_at integer, outcome text,
    primary key (schedule, due_at)
) without rowid, strict;
create index relet.firing_open on relet.firing (schedule, job_id) where job_id is not null and ended_at is null;
create index relet.firing_kept_up on relet.firing (schedule, job_id)
    where cause = 'kept up' and job_id is not null and ended_at is null;
create index relet.firing_job on relet.firing (job_id) where job_id is not null;
