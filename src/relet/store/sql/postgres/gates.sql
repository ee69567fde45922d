-- The same for many rows at once.

-- name: slot_free
delete from relet.slot s using unnest(:job_ids) as c(id) where s.job_id = c.id
returning s.limit_name, s.key, s.units, coalesce(
    (select f.started_at from relet.finished f where f.job_id = s.job_id and f.epoch > greatest(s.epoch, -1 - s.epoch)),
    (select max(a.started_at) from relet.attempt a where a.job_id = s.job_id and a.epoch > greatest(s.epoch, -1 - s.epoch))),
    s.job_id;

-- name: gate_comers
select w.job_id, w.queue, w.rank, w.since, w.epoch, w.flags, case when w.run_at > (select relet.now_us()) then 0 else 1 end, j.options, null, null
from unnest(:job_ids) as c(id)
cross join lateral (select w.* from relet.waiting w where w.job_id = c.id and w.edges <= 0 limit 1) w
cross join lateral (select j.options from relet.job j where j.id = w.job_id limit 1) j;

-- name: gate_rules
select r.name, r.concurrency, r.per_worker, r.rates, r.paused_until
from unnest(:rule_texts) as c(name)
cross join lateral (select r.* from relet.limit_rule r where r.name = c.name limit 1 for key share) r;

-- name: gate_new
insert into relet.gate (limit_name, key) select g.name, g.key from unnest(:limit_name_texts, :key_texts) as g(name, key)
on conflict do nothing;

-- name: gate_lock
select g.limit_name, g.key, g.paused_until, g.next_at
from unnest(:limit_name_texts, :key_texts) as c(name, key)
cross join lateral (select g.* from relet.gate g where g.limit_name = c.name and g.key = c.key limit 1 for update) g;

-- name: gate_slots
select c.name, c.key, (select count(*) from relet.slot s where s.limit_name = c.name and s.key = c.key)
from unnest(:limit_name_texts, :key_texts) as c(name, key);

-- name: gate_starts
select c.name, c.key, s.units, r.claimed_at
from unnest(:limit_name_texts, :key_texts) as c(name, key)
cross join lateral (select s.job_id, s.units from relet.slot s where s.limit_name = c.name and s.key = c.key) s
left join lateral (select r.claimed_at from relet.running r where r.job_id = s.job_id limit 1) r on true;

-- name: gate_tallies
select c.name, c.key, t.window_us, t.step, t.units
from unnest(:limit_name_texts, :key_texts) as c(name, key)
cross join lateral (select t.window_us, t.step, t.units from relet.tally t where t.limit_name = c.name and t.key = c.key) t;

-- name: gate_line
select w.job_id, w.queue, w.rank, w.line_place, w.epoch, w.flags, case when w.run_at > (select relet.now_us()) then 0 else 1 end, j.options,
       w.limit_name, w.limit_key
from unnest(:limit_name_texts, :key_texts, :most_integers) as c(name, key, most)
cross join lateral (
    select w.* from relet.waiting w where w.limit_name = c.name and w.limit_key = c.key
    order by w.line_place, w.job_id limit c.most) w
cross join lateral (select j.options from relet.job j where j.id = w.job_id limit 1) j
order by w.limit_name, w.limit_key, w.line_place, w.job_id;

-- name: line_lock
select w.job_id
from unnest(:job_ids) as c(id)
cross join lateral (
    select w.job_id from relet.waiting w where w.job_id = c.id and w.limit_name is not null limit 1 for update skip locked) w;

-- name: line_stand
update relet.waiting w set limit_name = c.name, limit_key = c.key, line_place = c.line_place
from unnest(:job_ids, :limit_name_texts, :key_texts, :line_place_integers) as c(id, name, key, line_place)
where w.job_id = c.id;

-- name: slot_take
insert into relet.slot (limit_name, key, job_id, units, epoch)
select c.name, c.key, c.id, c.units, c.epoch
from unnest(:limit_name_texts, :key_texts, :job_ids, :units_integers, :epoch_integers) as c(name, key, id, units, epoch)
on conflict (limit_name, key, job_id) do update set units = excluded.units, epoch = excluded.epoch;

-- name: tally_keep
insert into relet.tally (limit_name, key, window_us, step, units)
select c.name, c.key, c.window_us, c.step, c.units
from unnest(:limit_name_texts, :key_texts, :window_us_integers, :step_integers, :units_integers)
    as c(name, key, window_us, step, units)
on conflict (limit_name, key, window_us, step) do update set units = tally.units + excluded.units;

-- name: tally_old
delete from relet.tally t
using unnest(:limit_name_texts, :key_texts, :window_us_integers, :first_step_integers, :last_step_integers)
    as c(name, key, window_us, first, last)
where t.limit_name = c.name and t.key = c.key and t.window_us = c.window_us and not (t.step between c.first and c.last);

-- name: gate_next
update relet.gate g set next_at = nullif(c.line_at, -1)
from unnest(:limit_name_texts, :key_texts, :line_at_integers) as c(name, key, line_at)
where g.limit_name = c.name and g.key = c.key;
