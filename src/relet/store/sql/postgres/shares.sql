-- Shares on PostgreSQL: many jobs at once. Places need not be unique here.

-- name: share_queues
select q.name from relet.queue q where q.name = any(:queue_texts) and q.fair = 1;

-- name: share_take
select t.line, t.first_place, t.step
from relet.share_take(:queue_texts, :rank_integers, :tenant_texts, :count_integers, :salt_integers, :last_ids) t;

-- name: share_waiting
select w.since, w.job_id, w.queue, w.rank, j.options
from unnest(:job_ids) as c(id)
cross join lateral (
    select w.* from relet.waiting w
    where w.job_id = c.id and not exists (select 1 from relet.scheduled s where s.job_id = w.job_id) limit 1) w
cross join lateral (select j.options from relet.job j where j.id = c.id limit 1) j;

-- name: share_mark
update relet.waiting w set flags = w.flags | 64
from unnest(:job_ids) as c(id)
where w.job_id = c.id and w.flags & 64 = 0 and exists (select 1 from relet.queue q where q.name = w.queue and q.fair = 1)
returning w.job_id;

-- name: share_free
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at, tenant)
select w.queue, w.rank, c.seq, w.job_id, w.task, w.needs, w.flags, w.epoch,
       w.attempt, w.crashes, w.suspicions, w.releases, relet.now_us(), c.tenant
from unnest(:job_ids, :seq_integers, :tenant_texts) as c(id, seq, tenant)
cross join lateral (select w.* from relet.waiting w where w.job_id = c.id limit 1) w;

-- name: part_placed
-- All of them at once, each at its place: the `nth` of its line. The ids come in order, as above; what a line was given is found by
-- its number in arrays, which no plan can spoil either.
, taken as materialized (
    select array_agg(t.of_tenant order by t.line) as tenants, array_agg(t.first_place order by t.line) as firsts,
           array_agg(t.step order by t.line) as steps
    from relet.share_take(:line_queue_texts, :line_rank_integers, :line_tenant_texts, :line_count_integers, :line_salt_integers,
                          :line_last_ids) t
    where not exists (select 1 from closed)),
now as (
    insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at, tenant)
    select f.queue, f.rank, t.firsts[l.n] + (:nth_integers)[i.n] * t.steps[l.n], f.id, f.task, f.needs, (:flag_integers)[i.n],
           0, 0, 0, 0, 0, f.created_at, t.tenants[l.n]
    from taken t cross join fresh f cross join lateral (select width_bucket(f.id, :sorted_ids) as n) i
    cross join lateral (select (:line_integers)[i.n] as n) l)

-- name: part_later
-- None of them: those that are due already are found at the next look at what is due.
, due as materialized (
    select f.*, case when (:run_integers)[i.n] <> :no_run_at then (:run_integers)[i.n]
                     else f.created_at + (:delay_integers)[i.n] end as run_at
    from fresh f cross join lateral (select width_bucket(f.id, :sorted_ids) as n) i),
now as (
    insert into relet.scheduled (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases)
    select d.id, d.run_at, d.queue, d.rank, d.task, d.needs, :flags, 0, 0, 0, 0, 0
    from due d)
