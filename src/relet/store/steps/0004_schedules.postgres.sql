-- Schedules: when jobs are made by themselves, and how that went.

-- `untold`: 1, if failures have disabled it and no worker has said so yet. `missed`: due times since the last run that have none.
-- `definition` is what code or a person wrote, as JSON; `revision` rises when it changes. Then what people steer, how far it
-- has come (see job/firing.py), and how its runs went. `seen` is JSON: how often each schedule that it depends on had
-- succeeded when it was fired last.
create table relet.schedule (
    name text collate "C" not null primary key,
    kind text not null, mode text not null, definition text not null check (jsonb_typeof(definition::jsonb) = 'object'), max_failures bigint,
    changed_by text not null, changed_at bigint not null, revision bigint not null,
    paused_at bigint, paused_by text, pause_reason text,
    disabled_at bigint, disabled_by text, disable_reason text, untold bigint not null,
    settled_until bigint not null, next_at bigint, pending_at bigint, previous_at bigint, missed bigint not null,
    seen text not null check (jsonb_typeof(seen::jsonb) = 'object'),
    successes bigint not null, failures bigint not null,
    fired_at bigint, ended_at bigint, success_at bigint, failure_at bigint, error text
) with (fillfactor = 50);
create index schedule_due on relet.schedule (next_at)
    where next_at is not null and paused_at is null and disabled_at is null;
create index schedule_pending on relet.schedule (name)
    where pending_at is not null and paused_at is null and disabled_at is null;
create index schedule_untold on relet.schedule (name) where untold = 1;

-- What became of a due time, once in the whole cluster: a job, or why there is none.
create table relet.firing (
    schedule text collate "C" not null, due_at bigint not null,
    job_id uuid, cause text not null, fired_at bigint not null,
    ended_at bigint, outcome text,
    primary key (schedule, due_at)
) with (fillfactor = 80);
create index firing_open on relet.firing (schedule, job_id) where job_id is not null and ended_at is null;
create index firing_kept_up on relet.firing (schedule, job_id)
    where cause = 'kept up' and job_id is not null and ended_at is null;
create index firing_job on relet.firing (job_id) where job_id is not null;
