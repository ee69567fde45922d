-- Sessions: one row, one lease per worker process. `boot` and `lease_until` are read by the store's lease clock only.

-- name: session_open
insert into relet.session (id, worker, host, pid, host_boot, lock_place, queues, tasks, offers, slots, tier, version,
                           started_at, renewed_at, lease_us, boot, lease_until, turned_at)
select :id, :worker, :host, :pid, :host_boot, :lock_place, :queues, :tasks, :offers, :slots, :tier, :version,
       relet.now_us(), relet.now_us(), :lease_us, relet.boot(), relet.lease_clock() + :lease_us, relet.now_us();

-- name: session_now
select relet.now_us();

-- name: session_renew
-- A non-key update. A session that has ended stays ended; one whose lease lapsed unnoticed may go on: nobody took its jobs.
update relet.session
set renewed_at = relet.now_us(), lease_us = :lease_us, boot = relet.boot(), lease_until = relet.lease_clock() + :lease_us,
    busy = :busy, done = :done, failed = :failed, rss_bytes = :rss_bytes, turned_at = :turned_at
where id = :session_id and ended_at is null and boot = relet.boot();

-- name: session_state
select s.verb, relet.now_us(), s.boot = relet.boot() and s.lease_until > relet.lease_clock(),
       exists (select 1 from relet.breaker b where b.opened_at is not null)
from relet.session s where s.id = :session_id and s.ended_at is null;

-- name: session_held
select r.job_id, r.epoch from relet.running r where r.session_id = :session_id;

-- name: session_claim
-- A claim that stands, as it was handed out: for a worker that lost the answer.
select r.job_id, r.epoch, j.task, r.queue, r.rank, r.flags, r.attempt, r.crashes, r.suspicions, r.releases,
       j.args, j.options, j.created_at, r.claimed_at,
       (select c.reason from relet.control c where c.job_id = r.job_id and c.verb = 'cancel')
from relet.running r join relet.job j on j.id = r.job_id
where r.job_id = :job_id and r.session_id = :session_id;

-- name: session_controls
select c.job_id, c.verb, c.reason, c.grace_us
from relet.control c join relet.running r on r.job_id = c.job_id
where r.session_id = :session_id;

-- name: session_ask
update relet.session set verb = :verb where id = :session_id and ended_at is null;

-- name: session_asleep
update relet.session set asleep = :asleep where id = :session_id and ended_at is null;

-- name: session_other_host
-- A live-looking session of another boot and another host: by wall time, the only clock that the two may share.
select s.worker, s.host from relet.session s
where s.ended_at is null and s.boot <> relet.boot() and s.host <> :host and s.renewed_at + s.lease_us > relet.now_us();
