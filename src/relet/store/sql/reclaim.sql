-- The end of a session: everything it held goes on elsewhere. Set-based, one transaction per session, no cap.

-- name: reclaim_candidates
-- Sessions whose lease has lapsed (or that are of another boot), and claims that have no session row at all.
select s.id from relet.session s
where s.ended_at is null and (s.boot <> relet.boot() or s.lease_until <= relet.lease_clock())
union
select distinct r.session_id from relet.running r
where not exists (select 1 from relet.session s where s.id = r.session_id and s.ended_at is null);

-- name: reclaim_hold
-- Held for the whole transaction, and looked at again under the lock: a renewal may have come first.
select s.id, s.worker, s.boot <> relet.boot() or s.lease_until <= relet.lease_clock() as lapsed
from relet.session s where s.id = :session_id and s.ended_at is null
for update;

-- name: reclaim_lock
-- The claims, before any of them is looked at: a cancel that comes now waits, and meets the job where it goes.
select r.job_id, r.flags from relet.running r where r.session_id = :session_id order by r.job_id
for update;

-- name: reclaim_attempts
insert into relet.attempt (job_id, epoch, session_id, started_at, ended_at, outcome, error, stack)
select r.job_id, r.epoch, r.session_id, r.claimed_at, relet.now_us(), :ended, :cause, ''
from relet.running r where r.session_id = :session_id
on conflict do nothing;

-- name: reclaim_cancelled
-- A cancel that reached nobody alive is honoured now.
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result, error)
select r.job_id, 'cancelled', r.session_id, r.epoch, r.attempt, r.claimed_at, relet.now_us(), null, c.reason
from relet.running r join relet.control c on c.job_id = r.job_id
where r.session_id = :session_id and c.verb = 'cancel'
returning job_id;

-- name: reclaim_poison
-- Held by so many dying sessions, alone in a child process for most of them: it is the poison, whatever killed them.
insert into relet.dead (job_id, epoch, session_id, reason, error, stack, attempt, crashes, failed_at, resolved)
select r.job_id, r.epoch, r.session_id, 'poison', :cause, '', r.attempt, r.crashes, relet.now_us(), 0
from relet.running r
where r.session_id = :session_id and r.suspicions + :suspicion >= :too_many
  and not exists (select 1 from relet.control c where c.job_id = r.job_id and c.verb = 'cancel')
returning job_id;

-- name: reclaim_ready
-- The others return to the head of their queues, under one suspicion more if the session died. The youngest is put there
-- first, so that the oldest ends up before it.
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
select h.queue, h.rank, -relet.next_seq(), h.job_id, h.task, h.needs, h.flags, h.epoch,
       h.attempt, h.crashes, h.suspicions + :suspicion, h.releases + 1, relet.now_us()
from (
    select r.queue, r.rank, r.job_id, j.task, j.needs, r.flags, r.epoch, r.attempt, r.crashes, r.suspicions, r.releases
    from relet.running r join relet.job j on j.id = r.job_id
    where r.session_id = :session_id and r.suspicions + :suspicion < :too_many
      and not exists (select 1 from relet.control c where c.job_id = r.job_id and c.verb = 'cancel')
    order by r.job_id desc) h;

-- name: reclaim_unique
-- Keys of jobs that ended here.
delete from relet.unique_key where job_id in (
    select r.job_id from relet.running r
    where r.session_id = :session_id
      and (r.suspicions + :suspicion >= :too_many
           or exists (select 1 from relet.control c where c.job_id = r.job_id and c.verb = 'cancel')));

-- name: reclaim_running
delete from relet.running where session_id = :session_id;

-- name: reclaim_session
update relet.session set ended_at = relet.now_us(), end_cause = :cause, busy = 0, asleep = 0
where id = :session_id and ended_at is null;
