-- Circuit breakers: how they stand, and which probes are out.

-- name: breaker_new
-- Its first rule.
insert into relet.breaker (name, rule, failures, buckets, opened_at, probe_at, proved, trips, because, error,
                           changed_by, changed_at, revision)
values (:breaker, :rule, 0, '[]', null, null, 0, 0, '', '', :by, relet.now_us(), 1)
on conflict (name) do nothing;

-- name: breaker_rule
-- Another rule. How it stands, and who changed that, stays.
update relet.breaker set rule = :rule, revision = revision + 1 where name = :breaker and rule <> :rule;

-- name: breaker_look
select b.name, b.rule, b.failures, b.buckets, b.opened_at, b.probe_at, b.proved, b.trips, b.because, b.error,
       b.changed_by, b.changed_at, b.revision
from relet.breaker b where b.name = :breaker;

-- name: breaker_hold
-- Nobody else changes it until the commit.
select b.name, b.rule, b.failures, b.buckets, b.opened_at, b.probe_at, b.proved, b.trips, b.because, b.error,
       b.changed_by, b.changed_at, b.revision
from relet.breaker b where b.name = :breaker
for update;

-- name: breaker_all
select b.name, b.rule, b.failures, b.buckets, b.opened_at, b.probe_at, b.proved, b.trips, b.because, b.error,
       b.changed_by, b.changed_at, b.revision
from relet.breaker b order by b.name;

-- name: breaker_tripped
-- Those that are not closed (index breaker_open).
select b.name, b.rule, b.failures, b.buckets, b.opened_at, b.probe_at, b.proved, b.trips, b.because, b.error,
       b.changed_by, b.changed_at, b.revision
from relet.breaker b where b.opened_at is not null order by b.name;

-- name: breaker_write
update relet.breaker
set failures = :failures, buckets = :buckets, opened_at = :opened_at, probe_at = :probe_at, proved = :proved,
    trips = :trips, because = :because, error = :error, changed_by = :by, changed_at = :changed_at, revision = revision + 1
where name = :breaker;

-- name: probe_out
-- Probes that are out: of a job as long as its claim stands, of a call as long as it may take.
select count(*) from relet.probe p
where p.breaker = :breaker and case when p.session_id is null then p.until_at > relet.now_us() else exists (
    select 1 from relet.running r where r.job_id = p.token and r.session_id = p.session_id and r.epoch = p.epoch) end;

-- name: probe_is_out
-- Whether this one is.
select 1 from relet.probe p
where p.breaker = :breaker and p.token = :token and p.epoch = :epoch
  and (p.session_id is not null or p.until_at > relet.now_us());

-- name: probe_add
insert into relet.probe (breaker, token, session_id, epoch, until_at)
values (:breaker, :token, :session_id, :epoch, relet.now_us() + :for_us)
on conflict (breaker, token) do update
set session_id = excluded.session_id, epoch = excluded.epoch, until_at = excluded.until_at;

-- name: probe_over
-- It has been told of.
delete from relet.probe where breaker = :breaker and token = :token and epoch = :epoch;

-- name: probe_sweep
-- Those that are out no more, and of which nobody will tell.
delete from relet.probe as p
where p.breaker = :breaker and case when p.session_id is null then p.until_at <= relet.now_us() else not exists (
    select 1 from relet.running r where r.job_id = p.token and r.session_id = p.session_id and r.epoch = p.epoch) end;

-- name: probe_clear
-- Whoever is out has no say any more.
delete from relet.probe where breaker = :breaker;

-- name: breaker_wake
-- Jobs that were put off by breakers which are closed now come back soon (index scheduled_put_off). Who is moved by somebody
-- else just now is left for the next time: nobody is waited for.
update relet.scheduled
set run_at = case when run_at < relet.now_us() + :soon_us then run_at else relet.now_us() + :soon_us end, breaker = null
where job_id in (
    -- A cross join, for SQLite keeps its order: those of open breakers are not looked at, and the soonest come first.
    select s.job_id from relet.breaker b cross join relet.scheduled s
    where b.opened_at is null and s.breaker = b.name
    order by b.name, s.run_at limit :limit);
