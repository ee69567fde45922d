-- Enqueue in bulk: all jobs of a call in one statement. An array that is empty stands for nulls throughout.

-- name: part_fresh
-- Jobs that are not here yet, unless one of the queues is closed, or these jobs have no shares and it is shared by tenants:
-- then they are to be written again, with shares. Only what is inserted gets a pointer.
with closed as materialized (
    select q.name, case when q.reopen_at <= relet.now_us() then null else q.closed_by end as closed_by, q.close_reason from relet.queue q
    where q.name = any(:name_texts) and (q.closed_at is not null and (q.reopen_at is null or q.reopen_at > relet.now_us())
                                         or q.fair = 1 and :flags & 64 = 0)
    order by q.closed_at is null, q.name limit 1),
clock as materialized (select relet.now_us() as now),
fresh as (
    insert into relet.job (id, task, queue, priority, args, options, needs, created_at, trace)
    select e.id, coalesce(e.task, :task), coalesce(e.queue, :queue), coalesce(e.priority, :priority),
           coalesce(e.args, :args), e.options, e.needs, clock.now, e.trace
    from clock cross join unnest(:new_ids, :task_texts, :queue_texts, :priority_integers, :args_texts, :options_texts,
                                 :needs_texts, :trace_texts) as e(id, task, queue, priority, args, options, needs, trace)
    where not exists (select 1 from closed)

-- name: part_repeatable
-- For jobs of which some may be here. It costs a third more for each, so the first try goes without, and all of it fails.
on conflict do nothing

-- name: part_inserted
    returning id, task, queue, -priority as rank, needs, created_at)

-- name: part_due
-- When each is due: an absolute time, or a delay from now. The ids come in order here, so that a job's place among them is
-- found by halving, which no plan can spoil.
, due as materialized (
    select f.*, case when (:run_integers)[i.n] <> :no_run_at then (:run_integers)[i.n]
                     else f.created_at + (:delay_integers)[i.n] end as run_at
    from fresh f cross join lateral (select width_bucket(f.id, :sorted_ids) as n) i),
later as (
    insert into relet.scheduled (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases)
    select d.id, d.run_at, d.queue, d.rank, d.task, d.needs, :flags, 0, 0, 0, 0, 0
    from due d where d.run_at > d.created_at),
now as (
    insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
    select d.queue, d.rank, relet.next_seq(), d.id, d.task, d.needs, :flags, 0, 0, 0, 0, 0, d.created_at
    from due d where d.run_at <= d.created_at)

-- name: part_ready
-- All of them at once.
, now as (
    insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
    select f.queue, f.rank, relet.next_seq(), f.id, f.task, f.needs, :flags, 0, 0, 0, 0, 0, f.created_at
    from fresh f)

-- name: part_closed
-- The queue for which everything is refused, if there is one; of a shared one, without who closed it.
select c.name, c.closed_by, c.close_reason from closed c

-- name: enqueue_one
-- One job, due at once, that is new: the most common call, at half the cost of the statement for many.
with closed as materialized (
    select q.name, case when q.reopen_at <= relet.now_us() then null else q.closed_by end as closed_by, q.close_reason from relet.queue q
    where q.name = :queue and (q.closed_at is not null and (q.reopen_at is null or q.reopen_at > relet.now_us()) or q.fair = 1)),
fresh as (
    insert into relet.job (id, task, queue, priority, args, options, needs, created_at, trace)
    select :id, :task, :queue, :priority, :args, :options, :needs, relet.now_us(), :trace
    where not exists (select 1 from closed)
    returning id, task, queue, -priority as rank, needs, created_at),
now as (
    insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
    select f.queue, f.rank, relet.next_seq(), f.id, f.task, f.needs, :flags, 0, 0, 0, 0, 0, f.created_at
    from fresh f)
select c.name, c.closed_by, c.close_reason from closed c;

-- name: bulk_known
-- Jobs that an earlier call with the same ids has brought.
select j.id from unnest(:new_ids) as e(id) cross join lateral (select j.id from relet.job j where j.id = e.id limit 1) j;

-- name: bulk_take
-- Each key, for its job if it is free. Updating the row that is in the way locks it until the commit, so that its holder
-- cannot end in between, and shows who holds it. The keys come in order, so that two calls cannot block each other.
insert into relet.unique_key (scope, key, job_id)
select e.scope, e.key, e.job_id from unnest(:scope_texts, :key_texts, :new_ids) as e(scope, key, job_id)
on conflict (scope, key) do update set key = excluded.key
returning scope, key, job_id;
