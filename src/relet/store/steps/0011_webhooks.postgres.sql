-- Webhooks: who is told of what happens.

-- `events`, `queues` and `tasks` are JSON lists: what it hears of, and of which jobs; empty lists of the last two mean all.
-- `secrets`, JSON [[secret, until]], sign what is sent; one with an end is a former one. `active` is 0 while it is disabled.
-- `failures` in a row, since `failing_since`.
create table relet.webhook (
    name text collate "C" not null primary key,
    url text not null, format text not null,
    events text not null check (jsonb_typeof(events::jsonb) = 'array'),
    queues text not null check (jsonb_typeof(queues::jsonb) = 'array'),
    tasks text not null check (jsonb_typeof(tasks::jsonb) = 'array'),
    secrets text not null check (jsonb_typeof(secrets::jsonb) = 'array'),
    active bigint not null, disabled_at bigint, disabled_by text, disable_reason text,
    failures bigint not null, failing_since bigint, delivered_at bigint, error text,
    changed_by text not null, changed_at bigint not null
) with (fillfactor = 50);

-- What has happened, written by whatever made it happen, and not yet a job that tells it. `webhook` is empty for a job that names an
-- address itself.
create table relet.outbox (
    id bigint generated always as identity primary key,
    webhook text collate "C" not null, event text not null,
    job_id uuid, epoch bigint not null, at bigint not null, details text
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- One message for one receiver. `job_id` is what it is about, `sender_id` the job that sends it. The body is made once.
create table relet.delivery (
    id uuid not null primary key,
    webhook text collate "C" not null, url text not null, event text not null,
    job_id uuid, epoch bigint not null, at bigint not null, details text,
    sender_id uuid not null, body text, format text, attempts bigint not null, delivered_at bigint
) with (fillfactor = 70);
create index delivery_of on relet.delivery (webhook, id);
create index delivery_job on relet.delivery (job_id) where job_id is not null;
create unique index delivery_sender on relet.delivery (sender_id);

create table relet.delivery_attempt (
    delivery_id uuid not null, n bigint not null,
    at bigint not null, took_us bigint not null,
    status bigint, answer text not null, error text not null,
    primary key (delivery_id, n)
);

-- Which webhooks hear of an event of a job.
create function relet.hearers(happened text, of_queue text, of_task text) returns setof text language sql stable as $$
    select w.name from relet.webhook w
    where w.active = 1 and w.events::jsonb ?| array['*', happened]
      and (w.queues = '[]' or w.queues::jsonb ? of_queue) and (w.tasks = '[]' or w.tasks::jsonb ? of_task)
$$;

-- Whatever ends a job, or a claim without a success, tells those who hear of it, in its own transaction. Messages are sent by jobs:
-- of these nobody is told, for it would never end.
create function relet.tell_finished() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into relet.outbox (webhook, event, job_id, epoch, at)
    select h.name, 'job.' || f.outcome, f.job_id, f.epoch, f.finished_at
    from fresh f join relet.job j on j.id = f.job_id cross join lateral relet.hearers('job.' || f.outcome, j.queue, j.task) h(name)
    where j.task <> 'webhooks:deliver';
    return null;
end $$;
create function relet.tell_dead() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into relet.outbox (webhook, event, job_id, epoch, at)
    select h.name, 'job.dead', d.job_id, d.epoch, d.failed_at
    from fresh d join relet.job j on j.id = d.job_id cross join lateral relet.hearers('job.dead', j.queue, j.task) h(name)
    where j.task <> 'webhooks:deliver';
    return null;
end $$;
create function relet.tell_attempt() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into relet.outbox (webhook, event, job_id, epoch, at)
    select h.name, a.event, a.job_id, a.epoch, a.ended_at
    from (select f.job_id, f.epoch, f.ended_at, case when f.outcome = 'lost' then 'job.recovered' else 'job.failed' end as event
          from fresh f
          where f.outcome in ('lost', 'failure', 'timeout', 'retry_later', 'child_died', 'crash')) a
    join relet.job j on j.id = a.job_id cross join lateral relet.hearers(a.event, j.queue, j.task) h(name)
    where j.task <> 'webhooks:deliver';
    return null;
end $$;

-- The others happen seldom, and a row at a time.
create function relet.tell_queue() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    happened text := case when new.paused_at is null then 'queue.resumed' else 'queue.paused' end;
begin
    insert into relet.outbox (webhook, event, epoch, at, details)
    select h.name, happened, 0, relet.now_us(), json_build_object(
        'queue', new.name, 'by', new.paused_by, 'reason', new.pause_reason, 'resume_at', new.resume_at)::text
    from relet.hearers(happened, new.name, '') h(name);
    return null;
end $$;
create function relet.tell_schedule() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into relet.outbox (webhook, event, epoch, at, details)
    select h.name, 'schedule.disabled', 0, new.disabled_at, json_build_object(
        'schedule', new.name, 'by', new.disabled_by, 'reason', new.disable_reason)::text
    from relet.hearers('schedule.disabled', new.definition::jsonb->>'queue', new.definition::jsonb->>'task') h(name);
    return null;
end $$;
create function relet.tell_breaker() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    happened text := case when new.opened_at is null then 'breaker.closed' else 'breaker.opened' end;
begin
    insert into relet.outbox (webhook, event, epoch, at, details)
    select h.name, happened, 0, new.changed_at, json_build_object(
        'breaker', new.name, 'by', new.changed_by, 'because', new.because, 'error', new.error)::text
    from relet.hearers(happened, case when new.name like 'queue:%' then substr(new.name, 7) else '' end,
                       case when new.name like 'task:%' then substr(new.name, 6) else '' end) h(name)
    where new.name not like 'webhook:%';
    return null;
end $$;

create function relet.tell_health() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into relet.outbox (webhook, event, epoch, at, details)
    select h.name, 'health.changed', 0, new.at, json_build_object(
        'subject', new.subject, 'healthy', new.healthy = 1, 'because', new.because)::text
    from relet.hearers('health.changed', case when new.subject like 'queue:%' then substr(new.subject, 7) else '' end, '') h(name);
    return null;
end $$;

create trigger tell after insert on relet.finished
    referencing new table as fresh for each statement execute function relet.tell_finished();
create trigger tell after insert on relet.dead
    referencing new table as fresh for each statement execute function relet.tell_dead();
create trigger tell after insert on relet.attempt
    referencing new table as fresh for each statement execute function relet.tell_attempt();
create trigger tell_new after insert on relet.queue for each row when (new.paused_at is not null)
    execute function relet.tell_queue();
create trigger tell after update of paused_at on relet.queue for each row
    when ((old.paused_at is null) <> (new.paused_at is null)) execute function relet.tell_queue();
create trigger tell after update of disabled_at on relet.schedule for each row
    when (old.disabled_at is null and new.disabled_at is not null) execute function relet.tell_schedule();
create trigger tell after update of opened_at on relet.breaker for each row
    when ((old.opened_at is null) <> (new.opened_at is null)) execute function relet.tell_breaker();
create trigger tell after insert on relet.health_change for each row execute function relet.tell_health();

-- The triggers are there while somebody listens, so that nobody else pays for them. Whoever changes webhooks calls this, under a
-- lock that others who do wait for. Who settles meanwhile has settled before, or tells.
create function relet.listen_out() returns void language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    wanted boolean := exists (select 1 from relet.webhook w where w.active = 1);
    found record;
begin
    if wanted = (select t.tgenabled <> 'D' from pg_trigger t where t.tgrelid = 'relet.finished'::regclass and t.tgname = 'tell') then
        return;
    end if;
    perform set_config('lock_timeout', '1000', true);
    lock table relet.attempt, relet.dead, relet.finished, relet.queue, relet.schedule, relet.breaker, relet.health_change in share row exclusive mode;
    for found in
        select t.tgrelid::regclass as place, t.tgname as tell from pg_trigger t
        where t.tgname in ('tell', 'tell_new') and t.tgrelid = any(array[
            'relet.attempt', 'relet.dead', 'relet.finished', 'relet.queue', 'relet.schedule', 'relet.breaker', 'relet.health_change']::regclass[])
    loop
        execute format('alter table %s %s trigger %I', found.place, case when wanted then 'enable' else 'disable' end, found.tell);
    end loop;
end $$;
select relet.listen_out();
