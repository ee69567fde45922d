-- What people steer: cancelling and deleting jobs, and queues. Workers are asked by `session_ask`.

-- name: cancel_ask
-- Written before anything is looked at, so that a claim that we miss meanwhile finds it. The first reason is kept,
-- and its row is held: a retry that would clear it, after the job has ended, waits.
insert into relet.control (job_id, verb, reason, by_whom, grace_us, at)
select j.id, 'cancel', :reason, :by, :grace_us, relet.now_us() from relet.job j where j.id = :job_id
on conflict (job_id) do update set verb = excluded.verb;

-- A pointer under lock stays where it is until our commit: claims and promotions pass it, a settle waits.

-- name: lock_running
select u.job_id, u.flags from relet.running u where u.job_id = :job_id for update;
-- name: lock_waiting
select w.job_id, w.flags from relet.waiting w where w.job_id = :job_id for update;
-- name: lock_scheduled
select s.job_id, s.flags from relet.scheduled s where s.job_id = :job_id for update;
-- name: lock_ready
select r.job_id, r.flags from relet.ready r where r.job_id = :job_id for update;
-- name: lock_finished
-- With its job: lines of it that are being written are waited for.
select f.outcome from relet.finished f join relet.job j on j.id = f.job_id where f.job_id = :job_id for update;

-- name: job_stands
-- Where a job stands, in one snapshot. No row: there is no such job.
select case when w.job_id is not null then 'waiting'
            when s.job_id is not null then 'scheduled'
            when r.job_id is not null then 'ready'
            when u.job_id is not null then 'running'
            when d.job_id is not null then 'dead'
            else f.outcome end
from relet.job j
left join relet.waiting w on w.job_id = j.id
left join relet.scheduled s on s.job_id = j.id
left join relet.ready r on r.job_id = j.id
left join relet.running u on u.job_id = j.id
left join relet.dead d on d.job_id = j.id
left join relet.finished f on f.job_id = j.id
where j.id = :job_id;

-- name: cancel_finished
-- waiting, scheduled or ready -> cancelled, for the reason that was given first.
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result, error)
select p.job_id, 'cancelled', null, p.epoch, p.attempt, null, relet.now_us(), null,
       (select c.reason from relet.control c where c.job_id = p.job_id)
from (select job_id, epoch, attempt from relet.waiting union all select job_id, epoch, attempt from relet.scheduled union all select job_id, epoch, attempt from relet.ready) p
where p.job_id = :job_id;

-- name: cancel_unique
-- Its unique key is free again.
delete from relet.unique_key where job_id = :job_id;
-- name: cancel_waiting
delete from relet.waiting where job_id = :job_id;
-- name: cancel_scheduled
delete from relet.scheduled where job_id = :job_id;
-- name: cancel_ready
delete from relet.ready where job_id = :job_id;

-- name: cancel_overdue
-- Asked to be cancelled while they ran, and waiting again (a retry, a job given back). Held: a retry by a person, which
-- clears the request, comes before this or after it.
select c.job_id from relet.control c
where c.verb = 'cancel' and not exists (select 1 from relet.running u where u.job_id = c.job_id)
order by c.job_id limit :limit
for update of c skip locked;

-- name: purge_lock_waiting
-- Those that are purged (primary key). What another transaction moves just now is passed.
select w.job_id, w.flags from relet.waiting w where w.queue = :queue order by w.job_id limit :limit
for update skip locked;

-- name: purge_lock_scheduled
-- The first due first (index scheduled_due).
select s.job_id, s.flags from relet.scheduled s where s.queue = :queue order by s.run_at, s.job_id limit :limit
for update skip locked;

-- name: purge_lock_ready
-- From the head (primary key).
select r.job_id, r.flags from relet.ready r where r.queue = :queue order by r.rank, r.seq limit :limit
for update skip locked;

-- name: purge_finished
-- waiting, scheduled or ready -> cancelled.
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result, error)
select p.job_id, 'cancelled', null, p.epoch, p.attempt, null, relet.now_us(), null, :reason
from (select job_id, epoch, attempt from relet.waiting union all select job_id, epoch, attempt from relet.scheduled union all
      select job_id, epoch, attempt from relet.ready) p
where p.job_id = :job_id;

-- name: queue_pause
-- The last word counts: who paused it last, since when, until when.
insert into relet.queue (name, paused_at, paused_by, pause_reason, resume_at)
values (:queue, relet.now_us(), :by, :reason, :resume_at)
on conflict (name) do update
set paused_at = excluded.paused_at, paused_by = excluded.paused_by,
    pause_reason = excluded.pause_reason, resume_at = excluded.resume_at;

-- name: queue_close
insert into relet.queue (name, closed_at, closed_by, close_reason)
values (:queue, relet.now_us(), :by, :reason)
on conflict (name) do update
set closed_at = excluded.closed_at, closed_by = excluded.closed_by, close_reason = excluded.close_reason, reopen_at = null;

-- name: queue_close_open
-- Only if nobody has closed it.
insert into relet.queue (name, closed_at, closed_by, close_reason)
values (:queue, relet.now_us(), :by, :reason)
on conflict (name) do update
set closed_at = excluded.closed_at, closed_by = excluded.closed_by, close_reason = excluded.close_reason, reopen_at = null
where relet.queue.closed_at is null;

-- name: queue_reopen
-- Only what they have closed themselves.
update relet.queue set closed_at = null, closed_by = null, close_reason = null, reopen_at = null
where name = :queue and closed_at is not null and closed_by = :by;

-- name: queue_resume
update relet.queue
set paused_at = null, paused_by = null, pause_reason = null, resume_at = null,
    closed_at = null, closed_by = null, close_reason = null, reopen_at = null
where name = :queue and (paused_at is not null or closed_at is not null);
