-- The same for many rows at once, where there can be many. Each statement takes the rows' parameters as arrays; lookups are
-- lateral, so that locks are taken in the order of the array.

-- name: enqueue_edge
insert into relet.edge (child_id, parent_id, place, need, hold, outcome)
select e.child_id, e.parent_id, e.place, e.need, e.hold, null
from unnest(:child_ids, :parent_ids, :place_integers, :need_texts, :hold_integers) as e(child_id, parent_id, place, need, hold)
on conflict do nothing;

-- name: member_new
insert into relet.member (batch_id, job_id) select e.batch_id, e.job_id from unnest(:batch_ids, :job_ids) as e(batch_id, job_id)
on conflict do nothing;

-- name: edge_known
select e.id from unnest(:parent_ids) as e(id)
where exists (select 1 from relet.job j where j.id = e.id) or exists (select 1 from relet.batch b where b.id = e.id);

-- name: edge_children
select e.child_id
from unnest(:parent_ids) as p(id)
cross join lateral (select e.child_id from relet.edge e where e.parent_id = p.id and e.outcome is null) e;

-- name: waiting_lock
select w.job_id, w.flags
from unnest(:job_ids) as c(id)
cross join lateral (select w.job_id, w.flags from relet.waiting w where w.job_id = c.id limit 1 for update) w;

-- name: edge_end
update relet.edge e set outcome = p.outcome
from unnest(:parent_ids, :outcome_texts) as p(id, outcome)
where e.parent_id = p.id and e.outcome is null and not (e.hold = 1 and p.outcome = 'dead')
returning e.child_id, e.parent_id, e.need, e.outcome;

-- name: waiting_count
update relet.waiting w set edges = w.edges - c.done
from unnest(:job_ids, :done_integers) as c(id, done)
where w.job_id = c.id
returning w.job_id, w.edges;

-- name: free_scheduled
insert into relet.scheduled (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases)
select w.job_id, w.run_at, w.queue, w.rank, w.task, w.needs, w.flags, w.epoch, w.attempt, w.crashes, w.suspicions, w.releases
from unnest(:job_ids) as c(id)
cross join lateral (select w.* from relet.waiting w where w.job_id = c.id and w.run_at > relet.now_us() limit 1) w;

-- name: free_ready
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
select w.queue, w.rank, relet.next_seq(), w.job_id, w.task, w.needs, w.flags, w.epoch,
       w.attempt, w.crashes, w.suspicions, w.releases, relet.now_us()
from unnest(:job_ids) as c(id)
cross join lateral (
    select w.* from relet.waiting w
    where w.job_id = c.id and not exists (select 1 from relet.scheduled s where s.job_id = w.job_id) limit 1) w;

-- name: free_put_off
insert into relet.scheduled (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases)
select w.job_id, w.run_at, w.queue, w.rank, w.task, w.needs, w.flags, w.epoch, w.attempt, w.crashes, w.suspicions, w.releases
from unnest(:job_ids) as c(id) cross join lateral (select w.* from relet.waiting w where w.job_id = c.id limit 1) w;

-- name: free_waiting
delete from relet.waiting w using unnest(:job_ids) as c(id) where w.job_id = c.id;

-- name: job_options
select j.id, j.options
from unnest(:job_ids) as c(id) cross join lateral (select j.id, j.options from relet.job j where j.id = c.id limit 1) j;

-- name: tie_edges
select e.child_id, e.parent_id
from unnest(:job_ids) as c(id)
cross join lateral (select e.child_id, e.parent_id from relet.edge e where e.child_id = c.id and e.outcome is null) e;

-- name: tie_running
update relet.running p set flags = p.flags | 2
from unnest(:parent_ids) as c(id)
cross join lateral (select h.job_id from relet.running h where h.job_id = c.id limit 1 for update skip locked) h
where p.job_id = h.job_id returning p.job_id;
-- name: tie_waiting
update relet.waiting p set flags = p.flags | 2
from unnest(:parent_ids) as c(id)
cross join lateral (select h.job_id from relet.waiting h where h.job_id = c.id limit 1 for update skip locked) h
where p.job_id = h.job_id returning p.job_id;
-- name: tie_scheduled
update relet.scheduled p set flags = p.flags | 2
from unnest(:parent_ids) as c(id)
cross join lateral (select h.job_id from relet.scheduled h where h.job_id = c.id limit 1 for update skip locked) h
where p.job_id = h.job_id returning p.job_id;
-- name: tie_ready
update relet.ready p set flags = p.flags | 2
from unnest(:parent_ids) as c(id)
cross join lateral (select h.job_id from relet.ready h where h.job_id = c.id limit 1 for update skip locked) h
where p.job_id = h.job_id returning p.job_id;

-- name: tie_batch
select b.id, b.ended_at, b.failures
from unnest(:parent_ids) as c(id)
cross join lateral (
    select b.id, b.ended_at, b.dead + b.cancelled as failures from relet.batch b where b.id = c.id limit 1 for update) b;

-- name: tie_finished
select f.job_id, f.outcome
from unnest(:parent_ids) as c(id)
cross join lateral (select f.job_id, f.outcome from relet.finished f where f.job_id = c.id limit 1) f;

-- name: tie_job
select j.id from unnest(:parent_ids) as c(id) cross join lateral (select j.id from relet.job j where j.id = c.id limit 1) j;

-- name: tie_lock
select w.job_id, w.flags
from unnest(:job_ids) as c(id)
cross join lateral (
    select w.job_id, w.flags from relet.waiting w where w.job_id = c.id and w.told = 0 limit 1 for update skip locked) w;

-- name: tie_end
update relet.edge e set outcome = p.outcome
from unnest(:child_ids, :parent_ids, :outcome_texts) as p(child_id, parent_id, outcome)
where e.child_id = p.child_id and e.parent_id = p.parent_id and e.outcome is null and not (e.hold = 1 and p.outcome = 'dead')
returning e.child_id, e.parent_id, e.need, e.outcome;

-- name: tie_told
update relet.waiting w set told = 1 from unnest(:job_ids) as c(id) where w.job_id = c.id returning w.job_id, w.edges;

-- name: part_waiting
-- Pointers of jobs that come after others: how many edges each has, and whether its parents know of it.
, due as materialized (
    select f.*, (:edge_integers)[i.n] as edges, (:told_integers)[i.n] as told,
           case when (:run_integers)[i.n] <> :no_run_at then (:run_integers)[i.n]
                when (:delay_integers)[i.n] > 0 then f.created_at + (:delay_integers)[i.n] end as run_at
    from fresh f cross join lateral (select width_bucket(f.id, :sorted_ids) as n) i),
now as (
    insert into relet.waiting (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases,
                               edges, told, since)
    select d.id, d.run_at, d.queue, d.rank, d.task, d.needs, :flags, 0, 0, 0, 0, 0, d.edges, d.told, d.created_at
    from due d)
