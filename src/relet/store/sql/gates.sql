-- Gates: limits by name and key. What is looked at before anything is locked may have changed; it is looked at again.

-- name: slot_free
-- A job is no longer ready, nor does it run. With when it started, if it did since it passed: in this transaction its end, or
-- its last attempt, is written already.
delete from relet.slot where job_id = :job_id
returning limit_name, key, units, coalesce(
    (select f.started_at from relet.finished f
     where f.job_id = relet.slot.job_id and f.epoch > max(relet.slot.epoch, -1 - relet.slot.epoch)),
    (select max(a.started_at) from relet.attempt a
     where a.job_id = relet.slot.job_id and a.epoch > max(relet.slot.epoch, -1 - relet.slot.epoch))), job_id;

-- name: slot_leave
-- A job has left in a transaction that must not wait for gates, or keep others waiting: marked, to be freed by the next tie.
update relet.slot set epoch = -1 - epoch where job_id = :job_id and epoch >= 0;

-- name: slots_marked
select s.limit_name, s.key, s.job_id from relet.slot s where s.epoch < 0 order by s.job_id limit :limit;

-- name: slot_marked
select s.job_id from relet.slot s where s.job_id = :job_id and s.epoch < 0;

-- name: gate_comers
-- Jobs that nothing else holds back.
select w.job_id, w.queue, w.rank, w.since, w.epoch, w.flags, case when w.run_at > relet.now_us() then 0 else 1 end, j.options, null, null
from relet.waiting w join relet.job j on j.id = w.job_id
where w.job_id = :job_id and w.edges <= 0;

-- name: gate_rules
-- Held against a change until the commit, before any gate is.
select r.name, r.concurrency, r.per_worker, r.rates, r.paused_until from relet.limit_rule r where r.name = :rule
for key share;

-- name: gate_unknown
-- Nobody has said yet what it is: it lets nobody in.
insert into relet.limit_rule (name, concurrency, per_worker, rates, active, origin, changed_by, changed_at, paused_until)
values (:rule, null, null, '[]', 0, '', '', relet.now_us(), :until_at)
on conflict (name) do nothing;

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
select w.job_id, w.queue, w.rank, w.line_place, w.epoch, w.flags, case when w.run_at > relet.now_us() then 0 else 1 end, j.options,
       w.limit_name, w.limit_key
from (
    select w.* from relet.waiting w where w.limit_name = :limit_name and w.limit_key = :key
    order by w.line_place, w.job_id limit :most) w
join relet.job j on j.id = w.job_id
order by w.line_place, w.job_id;

-- name: line_lock
-- One that somebody else moves just now is passed by: who holds a pointer waits for gates, and must not be waited for.
select w.job_id from relet.waiting w where w.job_id = :job_id and w.limit_name is not null
for update skip locked;

-- name: line_stand
update relet.waiting set limit_name = :limit_name, limit_key = :key, line_place = :line_place where job_id = :job_id;

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

-- name: gate_wake
-- The rule, which is held, has changed: its lines are looked at.
update relet.gate set next_at = relet.now_us()
where limit_name = :rule and exists (
    select 1 from relet.waiting w where w.limit_name = relet.gate.limit_name and w.limit_key = relet.gate.key);

-- name: gate_pause_all
update relet.limit_rule set paused_until = :until_at, changed_by = :by, changed_at = relet.now_us() where name = :rule;

-- name: gate_pause
insert into relet.gate (limit_name, key, paused_until, next_at) values (:limit_name, :key, :until_at, relet.now_us())
on conflict (limit_name, key) do update set paused_until = excluded.paused_until, next_at = excluded.next_at;

-- name: gate_resume
update relet.gate set paused_until = null, next_at = relet.now_us()
where limit_name = :limit_name and key = :key and paused_until > relet.now_us();

-- name: gate_resume_all
update relet.limit_rule set paused_until = null, changed_by = :by, changed_at = relet.now_us()
where name = :rule and paused_until > relet.now_us();

-- name: note_limit_pause
-- A running job has heard from outside that its key is to wait. A pause that ends later stays as it is.
insert into relet.gate (limit_name, key, paused_until, next_at)
values (:limit_name, :key, coalesce(:resume_at, relet.now_us() + :delay_us), relet.now_us())
on conflict (limit_name, key) do update set paused_until = excluded.paused_until, next_at = excluded.next_at
where relet.gate.paused_until is null or relet.gate.paused_until < excluded.paused_until;

-- name: prune_gates
-- Keys that nobody stands before, has passed, or pauses, with what their rates have counted.
select g.limit_name, g.key from relet.gate g
where (g.paused_until is null or g.paused_until < relet.now_us()) and g.next_at is null
  and not exists (select 1 from relet.slot s where s.limit_name = g.limit_name and s.key = g.key)
  and not exists (select 1 from relet.waiting w where w.limit_name = g.limit_name and w.limit_key = g.key)
  and not exists (
      select 1 from relet.tally t
      where t.limit_name = g.limit_name and t.key = g.key and (t.step + 120) * (t.window_us / 60) > relet.now_us())
order by g.limit_name, g.key limit :limit
for update skip locked;

-- name: erase_gate
-- Asked again now that it is held: somebody may have passed it before.
delete from relet.gate
where limit_name = :limit_name and key = :key and next_at is null
  and not exists (select 1 from relet.slot s where s.limit_name = relet.gate.limit_name and s.key = relet.gate.key)
  and not exists (
      select 1 from relet.waiting w where w.limit_name = relet.gate.limit_name and w.limit_key = relet.gate.key)
  and not exists (
      select 1 from relet.tally t
      where t.limit_name = relet.gate.limit_name and t.key = relet.gate.key
        and (t.step + 120) * (t.window_us / 60) > relet.now_us())
returning limit_name, key;

-- name: erase_tallies
delete from relet.tally where limit_name = :limit_name and key = :key;

-- Proving that whoever has a slot is ready, or runs.

-- name: mend_slots_page
select p.job_id from (select s.job_id from relet.slot s where s.job_id > :past order by s.job_id limit :limit) p
order by p.job_id desc limit 1;

-- name: mend_slots
select s.limit_name, s.key, s.job_id from relet.slot s
where s.job_id > :past and s.job_id <= :least and s.epoch >= 0
  and not exists (select 1 from relet.ready r where r.job_id = s.job_id)
  and not exists (select 1 from relet.running r where r.job_id = s.job_id)
order by s.job_id;

-- For people.

-- name: insight_limits
-- Rules of limits by name and key, with how many keys each has, how many jobs have passed, and how many stand in line.
select r.name, r.concurrency, r.per_worker, r.rates, r.paused_until, r.origin, r.changed_by, r.changed_at,
       (select count(*) from (select 1 from relet.gate g where g.limit_name = r.name limit :cap) k),
       (select count(*) from (select 1 from relet.slot s where s.limit_name = r.name limit :cap) p),
       (select count(*) from (select 1 from relet.waiting w where w.limit_name = r.name limit :cap) l)
from relet.limit_rule r where not (r.name between 'queue:' and 'queue;') order by r.name;

-- name: insight_keys
select g.key from relet.gate g where g.limit_name = :rule and (:after is null or g.key > :after) order by g.key limit :limit;

-- name: insight_gate
-- Until when the key is paused, how many have passed, how many stand in line.
select (select g.paused_until from relet.gate g where g.limit_name = :limit_name and g.key = :key),
       (select count(*) from (select 1 from relet.slot s where s.limit_name = :limit_name and s.key = :key limit :cap) p),
       (select count(*) from (
           select 1 from relet.waiting w where w.limit_name = :limit_name and w.limit_key = :key limit :cap) l);

-- name: limit_seen
select r.concurrency, r.per_worker, r.rates, r.paused_until, r.origin from relet.limit_rule r where r.name = :rule;

-- name: why_line
-- Where a waiting job stands in line, and how many stand before it.
select w.limit_name, w.limit_key, (
    select count(*) from (
        select 1 from relet.waiting o
        where o.limit_name = w.limit_name and o.limit_key = w.limit_key
          and (o.line_place, o.job_id) < (w.line_place, w.job_id) limit :cap) a)
from relet.waiting w where w.job_id = :job_id and w.limit_name is not null;

-- name: why_holders
-- Some of those that have passed.
select s.job_id, j.task from relet.slot s join relet.job j on j.id = s.job_id
where s.limit_name = :limit_name and s.key = :key order by s.job_id limit :limit;
