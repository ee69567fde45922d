-- Gates: limits by name and key. What is looked at before anything is locked may have changed; it is looked at again.

-- name: slot_free
-- A job is no longer ready, nor does it run. With when it started, if it did since it passed: in this transaction its end, or
-- its last attempt, is written already.
delete from relet.slot where job_id = :job_id
returning limit_name, key, units, coalesce(
    (select f.started_at from relet.finished f where f.job_id = relet.slot.job_id and f.epoch > relet.slot.epoch),
    (select max(a.started_at) from relet.attempt a where a.job_id = relet.slot.job_id and a.epoch > relet.slot.epoch)), job_id;

-- name: gate_comers
-- Jobs that nothing else holds back.
select w.job_id, w.queue, w.rank, w.since, w.epoch, case when w.run_at > relet.now_us() then 0 else 1 end, j.options, null, null
from relet.waiting w join relet.job j on j.id = w.job_id
where w.job_id = :job_id and w.edges <= 0;

-- name: gate_rules
-- Held against a change until the commit, before any gate is.
select r.name, r.concurrency, r.per_worker, r.rates, r.paused_until from relet.limit_rule r where r.name = :rule
for key share;

-- name: gate_new
insert into relet.gate (limit_name, key) values (:limit_name, :key) on conflict do nothing;

-- name: gate_lock
select g.limit_name, g.key, g.paused_until, g.next_at from relet.gate g where g.limit_name = :limit_name and g.key = :key
for update;

-- name: gate_slots
select s.limit_name, s.key, count(*) from relet.slot s where s.limit_name = :limit_name and s.key = :key
group by s.limit_name, s.key;

-- name: gate_starts
-- Of gates with rates: what has passed, and when it started; null: not yet.
select s.limit_name, s.key, s.units, r.claimed_at
from relet.slot s left join relet.running r on r.job_id = s.job_id
where s.limit_name = :limit_name and s.key = :key;

-- name: gate_tallies
select t.limit_name, t.key, t.window_us, t.step, t.units from relet.tally t where t.limit_name = :limit_name and t.key = :key;

-- name: gate_line
-- The first of a line (index waiting_line).
select w.job_id, w.queue, w.rank, w.line_seq, w.epoch, case when w.run_at > relet.now_us() then 0 else 1 end, j.options,
       w.limit_name, w.limit_key
from (
    select w.* from relet.waiting w where w.limit_name = :limit_name and w.limit_key = :key
    order by w.rank, w.line_seq, w.job_id limit :most) w
join relet.job j on j.id = w.job_id
order by w.rank, w.line_seq, w.job_id;

-- name: line_lock
-- One that somebody else moves just now is passed by: who holds a pointer waits for gates, and must not be waited for.
select w.job_id from relet.waiting w where w.job_id = :job_id and w.limit_name is not null
for update skip locked;

-- name: line_stand
update relet.waiting set limit_name = :limit_name, limit_key = :key, line_seq = :line_seq where job_id = :job_id;

-- name: slot_take
insert into relet.slot (limit_name, key, job_id, units, epoch) values (:limit_name, :key, :job_id, :units, :epoch)
on conflict (limit_name, key, job_id) do update set units = excluded.units, epoch = excluded.epoch;

-- name: tally_keep
insert into relet.tally (limit_name, key, window_us, step, units) values (:limit_name, :key, :window_us, :step, :units)
on conflict (limit_name, key, window_us, step) do update set units = relet.tally.units + excluded.units;

-- name: tally_old
delete from relet.tally
where limit_name = :limit_name and key = :key and window_us = :window_us and not (step between :first_step and :last_step);

-- name: gate_next
-- -1: nobody waits for a time.
update relet.gate set next_at = nullif(:line_at, -1) where limit_name = :limit_name and key = :key;

-- name: gate_due
select g.limit_name, g.key from relet.gate g where g.next_at <= relet.now_us() order by g.next_at limit :limit;
