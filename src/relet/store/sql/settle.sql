-- The end of a claim, statement by statement. Each is written only while (job, session, epoch) stands in `running`,
-- and a turn holds its session row, so that nobody can take the claim away between the first and the last of them.

-- name: session_hold
-- The turn's own session: live, and held against a reclaim until the commit.
select s.lease_until > relet.lease_clock() and s.boot = relet.boot() as live, relet.now_us() as now_us
from relet.session s where s.id = :session_id and s.ended_at is null
for key share;

-- name: settle_lock
-- The claim, before it is looked at: of two that settle it at once (the effects of a run and its timeout; a turn that is
-- repeated while it still runs on the server), the second one finds what the first has left. The flags are the row's: they
-- may have grown since the claim.
select r.job_id, r.flags from relet.running r where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch
for update;

-- name: settle_attempt
-- History: how this claim ended. Not written for a success, which has its row in `finished`.
insert into relet.attempt (job_id, epoch, session_id, started_at, ended_at, outcome, error, stack)
select r.job_id, r.epoch, r.session_id, r.claimed_at, relet.now_us(), :ended, :error, :stack
from relet.running r where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch;

-- name: settle_finished
-- running -> succeeded or cancelled.
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result, error)
select r.job_id, :state, r.session_id, r.epoch, :attempt, r.claimed_at, relet.now_us(), :result, :error
from relet.running r where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch;

-- name: settle_dead
-- running -> dead.
insert into relet.dead (job_id, epoch, session_id, reason, error, stack, attempt, crashes, failed_at, resolved)
select r.job_id, r.epoch, r.session_id, :reason, :error, :stack, :attempt, :crashes, relet.now_us(), 0
from relet.running r where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch;

-- name: settle_scheduled
-- running -> scheduled: a retry or a snooze, maybe because of a breaker around a call.
insert into relet.scheduled (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases,
                             breaker)
select r.job_id, relet.now_us() + :delay_us, r.queue, r.rank, j.task, j.needs, r.flags, r.epoch,
       :attempt, :crashes, :suspicions, :releases, :breaker
from relet.running r join relet.job j on j.id = r.job_id
where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch;

-- name: settle_ready
-- running -> ready, at the head: given back.
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
select r.queue, r.rank, -relet.next_seq(), r.job_id, j.task, j.needs, r.flags, r.epoch,
       :attempt, :crashes, :suspicions, :releases, relet.now_us()
from relet.running r join relet.job j on j.id = r.job_id
where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch;

-- name: settle_unique
-- The unique key goes with the terminal settle.
delete from relet.unique_key
where job_id = :job_id and exists (
    select 1 from relet.running r where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch);

-- name: settle_running
-- The claim itself goes last: whether this deletes a row is the answer.
delete from relet.running where job_id = :job_id and session_id = :session_id and epoch = :epoch;

-- name: settle_evidence
-- What is known of a claim that no longer stands: it was settled by this session before (the outcome says how),
-- taken from it (`lost`), or the job is gone.
select j.id,
       (select f.outcome from relet.finished f
        where f.job_id = j.id and f.epoch = :epoch and f.session_id = :session_id) as finished,
       (select a.outcome from relet.attempt a
        where a.job_id = j.id and a.epoch = :epoch and a.session_id = :session_id) as attempt
from relet.job j where j.id = :job_id;

-- name: note_progress
-- Only while the claim stands: there is no progress of what has ended.
update relet.running set percent = :percent, message = :message
where job_id = :job_id and session_id = :session_id and epoch = :epoch;

-- name: note_log
-- The claim stands, or this session itself has finished it: the effects of a run are committed with its settle, and may
-- overtake the turn that brings its last lines. The job is held: who would erase it waits, and erases this line as well.
insert into relet.log_line (job_id, epoch, n, at, level, message, fields)
select :job_id, :epoch, :n, :at, :level, :message, :fields
where (exists (
           select 1 from relet.running r where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch)
       or exists (
           select 1 from relet.finished f where f.job_id = :job_id and f.session_id = :session_id and f.epoch = :epoch))
  and exists (select 1 from relet.job j where j.id = :job_id for key share)
on conflict do nothing;

-- name: note_usage
-- As for a log line.
insert into relet.usage (job_id, epoch, n, at, kind, amount, unit, details)
select :job_id, :epoch, :n, relet.now_us(), :kind, :amount, :unit, :details
where (exists (
           select 1 from relet.running r where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch)
       or exists (
           select 1 from relet.finished f where f.job_id = :job_id and f.session_id = :session_id and f.epoch = :epoch))
  and exists (select 1 from relet.job j where j.id = :job_id for key share)
on conflict do nothing;

-- name: note_pause
-- As for a log line. A pause that ends later, or not by itself, stays as it is.
insert into relet.queue (name, paused_at, paused_by, pause_reason, resume_at)
select j.queue, relet.now_us(), :by, :reason, coalesce(:resume_at, relet.now_us() + :delay_us)
from relet.job j
where j.id = :job_id and (
    exists (select 1 from relet.running r where r.job_id = :job_id and r.session_id = :session_id and r.epoch = :epoch)
    or exists (select 1 from relet.finished f where f.job_id = :job_id and f.session_id = :session_id and f.epoch = :epoch))
on conflict (name) do update
set paused_at = excluded.paused_at, paused_by = excluded.paused_by,
    pause_reason = excluded.pause_reason, resume_at = excluded.resume_at
where relet.queue.paused_at is null or relet.queue.resume_at < excluded.resume_at;
