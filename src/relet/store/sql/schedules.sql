-- Schedules: their definitions, what people steer, and firing.

-- name: schedule_new
insert into relet.schedule (name, kind, mode, definition, max_failures, changed_by, changed_at, revision,
                            disabled_at, disabled_by, disable_reason, untold,
                            settled_until, next_at, missed, seen, successes, failures)
values (:schedule, :kind, :mode, :definition, :max_failures, :by, relet.now_us(), 1,
        case when :reason <> '' then relet.now_us() end, case when :reason <> '' then :by end,
        case when :reason <> '' then :reason end, 0, :settled_at, :next_at, 0, '{}', 0, 0)
on conflict do nothing;

-- name: schedule_change
-- Another definition. What people steer and how it went stays.
update relet.schedule
set kind = :kind, mode = :mode, definition = :definition, max_failures = :max_failures, changed_by = :by, changed_at = relet.now_us(),
    revision = revision + 1, settled_until = :settled_at, next_at = :next_at, pending_at = null
where name = :schedule;

-- name: schedule_rows
-- All, or one. '' stands for any text.
select s.name, s.kind, s.definition, s.changed_by, s.changed_at, s.revision,
       s.paused_at, s.paused_by, s.pause_reason, s.disabled_at, s.disabled_by, s.disable_reason,
       s.settled_until, s.next_at, s.pending_at, s.previous_at, s.missed, s.seen,
       s.successes, s.failures, s.fired_at, s.ended_at, s.success_at, s.failure_at, s.error
from relet.schedule s
where (:schedule = '' or s.name = :schedule) and (:kind = '' or s.kind = :kind)
order by s.name;

-- name: schedule_counts
-- How many there are, and of those how many are disabled, paused (and not disabled), and wait for others (and neither).
select count(*), count(s.disabled_at), count(case when s.disabled_at is null then s.paused_at end),
       count(case when s.disabled_at is null and s.paused_at is null then s.pending_at end)
from relet.schedule s;

-- name: schedule_broken
-- Those that failures have disabled.
select s.kind, s.name, s.disable_reason from relet.schedule s where s.disabled_by = 'relet' order by s.name
limit :limit;

-- name: schedule_hold
-- As long as it is held, nobody else fires, changes or deletes it.
select s.name from relet.schedule s where s.name = :schedule
for update;

-- name: schedule_due
-- What is due, and what waits for others (indexes schedule_due, schedule_pending). What another one fires just now is passed by.
-- Settled until a minute from now: the clock was set back since, and the next due time comes earlier than was reckoned.
select s.name from relet.schedule s
where s.name in (
    select d.name from relet.schedule d
    where (d.next_at <= relet.now_us() or d.settled_until > relet.now_us() + 60000000)
      and d.paused_at is null and d.disabled_at is null
    union all
    select p.name from relet.schedule p
    where p.pending_at is not null and p.paused_at is null and p.disabled_at is null)
order by s.next_at, s.name
limit :limit
for update skip locked;

-- name: schedule_next
-- Whom failures have disabled is told of at once.
select min(case when s.settled_until > relet.now_us() + 60000000 then relet.now_us() else s.next_at end), relet.now_us(),
       (select count(*) from relet.schedule u where u.untold = 1)
from relet.schedule s
where s.next_at is not null and s.paused_at is null and s.disabled_at is null;

-- name: schedule_untold
-- Those that were disabled by failures, of which nobody has been told (index schedule_untold).
select s.name, s.disable_reason from relet.schedule s where s.untold = 1
order by s.name
for update skip locked;

-- name: schedule_told
update relet.schedule set untold = 0 where name = :schedule;

-- name: schedule_waiting
-- Those that are due and wait for others (index schedule_pending).
select s.definition, s.seen from relet.schedule s
where s.pending_at is not null and s.paused_at is null and s.disabled_at is null;

-- name: schedule_successes
select s.name, s.successes from relet.schedule s where s.name = :schedule;

-- name: schedule_went_on
-- It was looked at.
update relet.schedule
set settled_until = :settled_at, next_at = :next_at, pending_at = :pending_at, previous_at = :previous_at, missed = :missed
where name = :schedule;

-- name: schedule_fired
update relet.schedule set fired_at = relet.now_us(), seen = :seen where name = :schedule;

-- name: schedule_pause
update relet.schedule set paused_at = relet.now_us(), paused_by = :by, pause_reason = :reason where name = :schedule;

-- name: schedule_resume
-- Due times in the pause are not made up for.
update relet.schedule
set paused_at = null, paused_by = null, pause_reason = null,
    settled_until = :settled_at, next_at = :next_at, pending_at = null
where name = :schedule and paused_at is not null;

-- name: schedule_disable
update relet.schedule set disabled_at = relet.now_us(), disabled_by = :by, disable_reason = :reason where name = :schedule;

-- name: schedule_enable
-- As after a success; due times meanwhile are not made up for.
update relet.schedule
set disabled_at = null, disabled_by = null, disable_reason = null, untold = 0, failures = 0,
    settled_until = :settled_at, next_at = :next_at, pending_at = null
where name = :schedule and disabled_at is not null;

-- name: schedule_delete
delete from relet.schedule where name = :schedule;

-- name: firing_new
-- Each due time once.
insert into relet.firing (schedule, due_at, job_id, cause, fired_at)
values (:schedule, :due_at, :job_id, :cause, relet.now_us())
on conflict do nothing;

-- name: firing_made_up
-- A due time in the past gets a run after all.
insert into relet.firing as f (schedule, due_at, job_id, cause, fired_at)
values (:schedule, :due_at, :job_id, :cause, relet.now_us())
on conflict (schedule, due_at) do update
set job_id = excluded.job_id, cause = excluded.cause, fired_at = excluded.fired_at
where f.job_id is null;

-- name: firing_between
-- Due times that have a run.
select f.due_at from relet.firing f
where f.schedule = :schedule and f.due_at >= :start_at and f.due_at < :end_at and f.job_id is not null
order by f.due_at
limit :limit;

-- name: firing_open
-- Runs that have not ended, as far as is known (index firing_open), and whether they run.
select f.schedule, f.job_id, f.cause, exists (select 1 from relet.running r where r.job_id = f.job_id) from relet.firing f
where f.schedule = :schedule and f.job_id is not null and f.ended_at is null
order by f.job_id;

-- name: firing_taken
-- Times that a look would take for new ones, now or when they come again, and that have a firing. Most of the time there is none.
select f.schedule, f.due_at from relet.firing f
where f.schedule = :schedule and f.due_at > :settled_at and f.due_at <= :until_at
union all
select f.schedule, f.due_at from relet.firing f where f.schedule = :schedule and f.due_at = :pending_at;

-- name: firing_at
select f.job_id from relet.firing f where f.schedule = :schedule and f.due_at = :due_at;

-- name: firing_of
-- Whether this run was fired before: a call was repeated.
select f.due_at from relet.firing f where f.job_id = :job_id;

-- name: firing_page
-- The newest first.
select f.schedule, f.due_at, f.job_id, f.cause, f.fired_at, f.ended_at, f.outcome
from relet.firing f where f.schedule = :schedule and f.due_at < :older_at order by f.due_at desc limit :limit;

-- name: firing_kept_up
-- Runs of continuous schedules that have not ended, and that nobody has asked to (index firing_kept_up); the oldest first.
select f.schedule, f.job_id, j.task, j.queue, j.args, j.priority
from relet.firing f join relet.job j on j.id = f.job_id
where f.cause = 'kept up' and f.ended_at is null and f.job_id is not null
  and not exists (select 1 from relet.control c where c.job_id = f.job_id and c.verb = 'cancel')
order by f.schedule, f.job_id;

-- What follows from passes of a continuous run, which goes on.

-- name: pass_counters
-- Its failures, and the sessions that died while they held it, lie before a success.
update relet.running set attempt = 0, crashes = 0, suspicions = 0
where job_id = :job_id and session_id = :session_id and epoch = :epoch and attempt + crashes + suspicions > 0;

-- name: pass_told
-- Unless the run has ended meanwhile: how it ended is the last word.
update relet.schedule set successes = successes + :n, failures = 0, success_at = relet.now_us()
where name = :schedule
  and exists (select 1 from relet.firing f where f.job_id = :job_id and f.schedule = :schedule and f.ended_at is null);

-- What follows from the end of a run.

-- name: firing_end
update relet.firing set ended_at = relet.now_us(), outcome = :outcome where job_id = :job_id
returning schedule, job_id, outcome;

-- name: firing_again
-- A dead run is retried.
update relet.firing set ended_at = null, outcome = null where job_id = :job_id;

-- name: schedule_succeeded
update relet.schedule
set successes = successes + 1, failures = 0, ended_at = relet.now_us(), success_at = relet.now_us()
where name = :schedule;

-- name: schedule_failed
update relet.schedule
set failures = failures + 1, ended_at = relet.now_us(), failure_at = relet.now_us(),
    error = (select d.error from relet.dead d where d.job_id = :job_id),
    disabled_at = case when disabled_at is null and failures + 1 >= max_failures then relet.now_us() else disabled_at end,
    disabled_by = case when disabled_at is null and failures + 1 >= max_failures then 'relet' else disabled_by end,
    disable_reason = case when disabled_at is null and failures + 1 >= max_failures
                          then case when failures = 0 then 'its last run failed'
                                    else 'its last ' || (failures + 1) || ' runs failed' end
                          else disable_reason end,
    untold = case when disabled_at is null and failures + 1 >= max_failures then 1 else untold end
where name = :schedule;

-- name: schedule_cancelled
update relet.schedule set ended_at = relet.now_us() where name = :schedule;

-- name: schedule_replace
-- A continuous one is looked at again a moment after a run has ended.
update relet.schedule set next_at = relet.now_us() + :again_us where name = :schedule and mode = 'continuous';
