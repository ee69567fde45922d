-- name: session_asleep
-- Whether the session wants to be woken. A hint, and so it waits for no disk.
with quick as materialized (select set_config('synchronous_commit', 'off', true))
update relet.session s set asleep = :asleep from quick where s.id = :session_id and s.ended_at is null;

-- name: session_known
-- Of these claims, those that stand: each by its primary key.
select e.job_id, e.epoch::int4
from unnest(:known_ids, :epoch_integers) as e(job_id, epoch)
cross join lateral (
    select 1 from relet.running r
    where r.job_id = e.job_id and r.epoch = e.epoch and r.session_id is not distinct from :session_id
    limit 1) r;

-- name: session_controls
-- Requests are few: from them to the claims, never the other way.
select c.job_id, c.verb, c.reason, c.grace_us
from relet.control c
cross join lateral (
    select 1 from relet.running r
    where r.job_id = c.job_id and r.session_id is not distinct from :session_id
    limit 1) r;

-- name: reclaim_candidates
-- Sessions whose lease has lapsed; and claims that have no live session row at all, found by stepping from one session to
-- the next through the index, backwards: what stands is newest, and what has ended lies behind it.
with recursive step(session_id) as (
    (select r.session_id from relet.running r order by r.session_id desc, r.job_id desc limit 1)
    union all
    select (select r.session_id from relet.running r where r.session_id < step.session_id
            order by r.session_id desc, r.job_id desc limit 1)
    from step where step.session_id is not null)
select s.id from relet.session s
where s.ended_at is null and (s.boot <> relet.boot() or s.lease_until <= relet.lease_clock())
union
select step.session_id from step
where step.session_id is not null
  and not exists (select 1 from relet.session s where s.id = step.session_id and s.ended_at is null);
