-- Triggers that are there while somebody listens: `tell_...` makes them, `still_...` takes them away. Each tells those who hear of it.

-- name: tell_finished
create trigger if not exists relet.tell_finished after insert on relet.finished
begin
    insert into relet.outbox (webhook, event, job_id, epoch, at)
    select w.name, 'job.' || new.outcome, new.job_id, new.epoch, new.finished_at
    from relet.webhook w cross join relet.job j
    where w.active = 1
      and j.id = new.job_id and j.task <> 'webhooks:deliver'
      and exists (select 1 from json_each(w.events) e where e.value in ('*', 'job.' || new.outcome))
      and (w.queues = '[]' or exists (select 1 from json_each(w.queues) e where e.value = j.queue))
      and (w.tasks = '[]' or exists (select 1 from json_each(w.tasks) e where e.value = j.task));
end;

-- name: tell_dead
create trigger if not exists relet.tell_dead after insert on relet.dead
begin
    insert into relet.outbox (webhook, event, job_id, epoch, at)
    select w.name, 'job.dead', new.job_id, new.epoch, new.failed_at
    from relet.webhook w cross join relet.job j
    where w.active = 1
      and j.id = new.job_id and j.task <> 'webhooks:deliver'
      and exists (select 1 from json_each(w.events) e where e.value in ('*', 'job.dead'))
      and (w.queues = '[]' or exists (select 1 from json_each(w.queues) e where e.value = j.queue))
      and (w.tasks = '[]' or exists (select 1 from json_each(w.tasks) e where e.value = j.task));
end;

-- name: tell_attempt
create trigger if not exists relet.tell_attempt after insert on relet.attempt
    when new.outcome in ('lost', 'failure', 'timeout', 'retry_later', 'child_died', 'crash')
begin
    insert into relet.outbox (webhook, event, job_id, epoch, at)
    select w.name, case when new.outcome = 'lost' then 'job.recovered' else 'job.failed' end, new.job_id, new.epoch, new.ended_at
    from relet.webhook w cross join relet.job j
    where w.active = 1
      and j.id = new.job_id and j.task <> 'webhooks:deliver'
      and exists (select 1 from json_each(w.events) e where e.value in ('*', case when new.outcome = 'lost' then 'job.recovered' else 'job.failed' end))
      and (w.queues = '[]' or exists (select 1 from json_each(w.queues) e where e.value = j.queue))
      and (w.tasks = '[]' or exists (select 1 from json_each(w.tasks) e where e.value = j.task));
end;

-- name: tell_pause
create trigger if not exists relet.tell_pause after insert on relet.queue
    when new.paused_at is not null
begin
    insert into relet.outbox (webhook, event, epoch, at, details)
    select w.name, 'queue.paused', 0, new.paused_at, json_object('queue', new.name, 'by', new.paused_by, 'reason', new.pause_reason, 'resume_at', new.resume_at)
    from relet.webhook w
    where w.active = 1
      and exists (select 1 from json_each(w.events) e where e.value in ('*', 'queue.paused'))
      and (w.queues = '[]' or exists (select 1 from json_each(w.queues) e where e.value = new.name))
      and (w.tasks = '[]' or exists (select 1 from json_each(w.tasks) e where e.value = ''));
end;

-- name: tell_queue
create trigger if not exists relet.tell_queue after update of paused_at on relet.queue
    when (old.paused_at is null) <> (new.paused_at is null)
begin
    insert into relet.outbox (webhook, event, epoch, at, details)
    select w.name, case when new.paused_at is null then 'queue.resumed' else 'queue.paused' end, 0, coalesce(new.paused_at, cast((julianday('now') - 2440587.5) * 86400000000 as integer)), json_object('queue', new.name, 'by', new.paused_by, 'reason', new.pause_reason, 'resume_at', new.resume_at)
    from relet.webhook w
    where w.active = 1
      and exists (select 1 from json_each(w.events) e where e.value in ('*', case when new.paused_at is null then 'queue.resumed' else 'queue.paused' end))
      and (w.queues = '[]' or exists (select 1 from json_each(w.queues) e where e.value = new.name))
      and (w.tasks = '[]' or exists (select 1 from json_each(w.tasks) e where e.value = ''));
end;

-- name: tell_schedule
create trigger if not exists relet.tell_schedule after update of disabled_at on relet.schedule
    when old.disabled_at is null and new.disabled_at is not null
begin
    insert into relet.outbox (webhook, event, epoch, at, details)
    select w.name, 'schedule.disabled', 0, new.disabled_at, json_object('schedule', new.name, 'by', new.disabled_by, 'reason', new.disable_reason)
    from relet.webhook w
    where w.active = 1
      and exists (select 1 from json_each(w.events) e where e.value in ('*', 'schedule.disabled'))
      and (w.queues = '[]' or exists (select 1 from json_each(w.queues) e where e.value = json_extract(new.definition, '$.queue')))
      and (w.tasks = '[]' or exists (select 1 from json_each(w.tasks) e where e.value = json_extract(new.definition, '$.task')));
end;

-- name: tell_breaker
create trigger if not exists relet.tell_breaker after update of opened_at on relet.breaker
    when (old.opened_at is null) <> (new.opened_at is null)
begin
    insert into relet.outbox (webhook, event, epoch, at, details)
    select w.name, case when new.opened_at is null then 'breaker.closed' else 'breaker.opened' end, 0, new.changed_at, json_object('breaker', new.name, 'by', new.changed_by, 'because', new.because, 'error', new.error)
    from relet.webhook w
    where w.active = 1
      and new.name not like 'webhook:%'
      and exists (select 1 from json_each(w.events) e where e.value in ('*', case when new.opened_at is null then 'breaker.closed' else 'breaker.opened' end))
      and (w.queues = '[]' or exists (select 1 from json_each(w.queues) e where e.value = case when new.name like 'queue:%' then substr(new.name, 7) else '' end))
      and (w.tasks = '[]' or exists (select 1 from json_each(w.tasks) e where e.value = case when new.name like 'task:%' then substr(new.name, 6) else '' end));
end;

-- name: tell_health
create trigger if not exists relet.tell_health after insert on relet.health_change
begin
    insert into relet.outbox (webhook, event, epoch, at, details)
    select w.name, 'health.changed', 0, new.at,
           json_object('subject', new.subject, 'healthy', json(case when new.healthy = 1 then 'true' else 'false' end),
                       'because', new.because)
    from relet.webhook w
    where w.active = 1
      and exists (select 1 from json_each(w.events) e where e.value in ('*', 'health.changed'))
      and (w.queues = '[]' or exists (select 1 from json_each(w.queues) e where 'queue:' || e.value = new.subject))
      and w.tasks = '[]';
end;

-- name: still_health
drop trigger if exists relet.tell_health;

-- name: still_finished
drop trigger if exists relet.tell_finished;

-- name: still_dead
drop trigger if exists relet.tell_dead;

-- name: still_attempt
drop trigger if exists relet.tell_attempt;

-- name: still_pause
drop trigger if exists relet.tell_pause;

-- name: still_queue
drop trigger if exists relet.tell_queue;

-- name: still_schedule
drop trigger if exists relet.tell_schedule;

-- name: still_breaker
drop trigger if exists relet.tell_breaker;
