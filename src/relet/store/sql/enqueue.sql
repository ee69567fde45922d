-- Enqueue: the job itself, then one pointer to it. Repeating it with the same id makes no second pointer.

-- name: enqueue_closed
-- If the queue is closed, by whom; and whether it is shared by tenants.
select q.name, case when q.reopen_at <= relet.now_us() then null else q.closed_by end, q.close_reason, q.fair from relet.queue q
where q.name = :queue and (q.closed_at is not null and (q.reopen_at is null or q.reopen_at > relet.now_us()) or q.fair = 1);

-- name: enqueue_job
insert into relet.job (id, task, queue, priority, args, options, needs, created_at, trace)
values (:id, :task, :queue, :priority, :args, :options, :needs, relet.now_us(), :trace)
on conflict do nothing;

-- name: enqueue_job_if_key
-- Only if the unique key is this job's.
insert into relet.job (id, task, queue, priority, args, options, needs, created_at, trace)
select :id, :task, :queue, :priority, :args, :options, :needs, relet.now_us(), :trace
where exists (select 1 from relet.unique_key k where k.scope = :task and k.key = :key and k.job_id = :id)
on conflict do nothing;

-- name: enqueue_scheduled
-- The pointer of a job that is not due yet; only for a job that is here and has none.
insert into relet.scheduled (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases)
select j.id, coalesce(:run_at, relet.now_us() + :delay_us), j.queue, -j.priority, j.task, j.needs, :flags, 0, 0, 0, 0, 0
from relet.job j
where j.id = :id and coalesce(:run_at, relet.now_us() + :delay_us) > relet.now_us()
  and not exists (select 1 from relet.waiting w where w.job_id = j.id)
  and not exists (select 1 from relet.scheduled s where s.job_id = j.id)
  and not exists (select 1 from relet.ready r where r.job_id = j.id)
  and not exists (select 1 from relet.running r where r.job_id = j.id)
  and not exists (select 1 from relet.finished f where f.job_id = j.id)
  and not exists (select 1 from relet.dead d where d.job_id = j.id);

-- name: enqueue_ready
-- The pointer of every other job, under the same condition.
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
select j.queue, -j.priority, relet.next_seq(), j.id, j.task, j.needs, :flags, 0, 0, 0, 0, 0, relet.now_us()
from relet.job j
where j.id = :id
  and not exists (select 1 from relet.waiting w where w.job_id = j.id)
  and not exists (select 1 from relet.scheduled s where s.job_id = j.id)
  and not exists (select 1 from relet.ready r where r.job_id = j.id)
  and not exists (select 1 from relet.running r where r.job_id = j.id)
  and not exists (select 1 from relet.finished f where f.job_id = j.id)
  and not exists (select 1 from relet.dead d where d.job_id = j.id);

-- name: unique_take
-- The key, if it is free. Updating the row that is in the way locks it until the commit, so that its holder cannot
-- end in between. Not taken again by a repeat of an enqueue that had succeeded.
insert into relet.unique_key (scope, key, job_id)
select :task, :key, :id
where not exists (select 1 from relet.job j where j.id = :id)
on conflict (scope, key) do update set key = excluded.key;

-- name: unique_try
-- The same, in a transaction that its caller may leave open for long: the key's row is not locked, for its holder's end
-- would wait for that transaction, and with it the worker's turn.
insert into relet.unique_key (scope, key, job_id)
select :task, :key, :id
where not exists (select 1 from relet.job j where j.id = :id)
on conflict (scope, key) do nothing;

-- name: unique_untake
-- Unless the job, brought by an earlier call, has ended between our look and the taking.
delete from relet.unique_key
where scope = :task and key = :key and job_id = :id
  and (exists (select 1 from relet.finished f where f.job_id = :id) or exists (select 1 from relet.dead d where d.job_id = :id));

-- name: unique_holder
select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key;

-- name: unique_known
-- A repeat of an enqueue that had succeeded finds its job.
select j.id from relet.job j where j.id = :id;

-- A repeat of an enqueue that had succeeded must not touch the key's later holder: hence the condition in each of these.

-- name: replace_lock_waiting
select w.job_id from relet.waiting w
where w.job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and w.job_id <> :id
  and not exists (select 1 from relet.job j where j.id = :id)
for update;

-- name: replace_lock_scheduled
select s.job_id from relet.scheduled s
where s.job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and s.job_id <> :id
  and not exists (select 1 from relet.job j where j.id = :id)
for update;

-- name: replace_lock_ready
select r.job_id from relet.ready r
where r.job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and r.job_id <> :id
  and not exists (select 1 from relet.job j where j.id = :id)
for update;

-- name: replace_finished_waiting
-- The holder that has not started ends as cancelled. What is read here is locked; what is deleted below has been read here.
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result, error)
select p.job_id, 'cancelled', null, p.epoch, p.attempt, null, relet.now_us(), null, 'replaced by a newer job with the same unique key'
from (
    select w.job_id, w.epoch, w.attempt from relet.waiting w
    where w.job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and w.job_id <> :id
      and not exists (select 1 from relet.job j where j.id = :id)
    for update) p;

-- name: replace_finished_scheduled
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result, error)
select p.job_id, 'cancelled', null, p.epoch, p.attempt, null, relet.now_us(), null, 'replaced by a newer job with the same unique key'
from (
    select s.job_id, s.epoch, s.attempt from relet.scheduled s
    where s.job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and s.job_id <> :id
      and not exists (select 1 from relet.job j where j.id = :id)
    for update) p;

-- name: replace_finished_ready
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result, error)
select p.job_id, 'cancelled', null, p.epoch, p.attempt, null, relet.now_us(), null, 'replaced by a newer job with the same unique key'
from (
    select r.job_id, r.epoch, r.attempt from relet.ready r
    where r.job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and r.job_id <> :id
      and not exists (select 1 from relet.job j where j.id = :id)
    for update) p;

-- name: replace_waiting
delete from relet.waiting
where job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and job_id <> :id
  and exists (select 1 from relet.finished f where f.job_id = relet.waiting.job_id)
returning job_id, flags;

-- name: replace_scheduled
delete from relet.scheduled
where job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and job_id <> :id
  and exists (select 1 from relet.finished f where f.job_id = relet.scheduled.job_id)
returning job_id, flags;

-- name: replace_ready
delete from relet.ready
where job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and job_id <> :id
  and exists (select 1 from relet.finished f where f.job_id = relet.ready.job_id)
returning job_id, flags;

-- name: replace_key
delete from relet.unique_key
where scope = :task and key = :key and job_id <> :id
  and exists (select 1 from relet.finished f where f.job_id = relet.unique_key.job_id)
  and not exists (select 1 from relet.job j where j.id = :id);

-- name: debounce_ready
-- The holder that has not started starts later: from now on by the window.
insert into relet.scheduled (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases)
select r.job_id, relet.now_us() + :debounce_us, r.queue, r.rank, r.task, r.needs, r.flags, r.epoch,
       r.attempt, r.crashes, r.suspicions, r.releases
from (
    select * from relet.ready r
    where r.job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and r.job_id <> :id
      and not exists (select 1 from relet.job j where j.id = :id)
    for update) r;

-- name: debounce_clear
delete from relet.ready
where job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and job_id <> :id
  and exists (select 1 from relet.scheduled s where s.job_id = relet.ready.job_id)
returning job_id, flags;

-- name: debounce_waiting
update relet.waiting set run_at = relet.now_us() + :debounce_us
where job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and job_id <> :id
  and not exists (select 1 from relet.job j where j.id = :id);

-- name: debounce_scheduled
-- Until then, and no sooner: one that a breaker had put off does not come back when that closes.
update relet.scheduled set run_at = relet.now_us() + :debounce_us, breaker = null
where job_id = (select k.job_id from relet.unique_key k where k.scope = :task and k.key = :key) and job_id <> :id
  and not exists (select 1 from relet.job j where j.id = :id);
