-- The dead letters.

-- name: dead_hold
-- The dead letter, held until the commit: of two people who retry it, one does. With its job: who deletes it waits for
-- lines that are being written.
select j.task, j.options from relet.dead d join relet.job j on j.id = d.job_id where d.job_id = :job_id
for update;

-- name: retry_unique
-- Its unique key again, if it is free; returns who has it now. Updating the row that is in the way waits for its
-- holder's transaction, and keeps the holder from ending before our answer.
insert into relet.unique_key (scope, key, job_id) values (:task, :key, :job_id)
on conflict (scope, key) do update set key = excluded.key
returning job_id;

-- name: retry_ready
-- dead -> ready, behind the others, with fresh counters. The epoch goes on: it is the fencing token.
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
select j.queue, -j.priority, relet.next_seq(), j.id, j.task, j.needs, :flags, d.epoch, 0, 0, 0, 0, relet.now_us()
from relet.dead d join relet.job j on j.id = d.job_id
where d.job_id = :job_id;

-- name: retry_waiting
-- The same for a job with limits, which ask these again.
insert into relet.waiting (job_id, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases,
                           edges, told, since)
select j.id, j.queue, -j.priority, j.task, j.needs, :flags, d.epoch, 0, 0, 0, 0, 0, 1, relet.now_us()
from relet.dead d join relet.job j on j.id = d.job_id
where d.job_id = :job_id;

-- name: retry_args
update relet.job set args = :args where id = :job_id;

-- name: retry_options
update relet.job set options = :options where id = :job_id;

-- name: retry_noted
-- Who did it, behind the last line of the run that failed.
insert into relet.log_line (job_id, epoch, n, at, level, message, fields)
select d.job_id, d.epoch,
       coalesce((select max(l.n) from relet.log_line l where l.job_id = d.job_id and l.epoch = d.epoch), 0) + 1,
       relet.now_us(), 'info', :message, null
from relet.dead d where d.job_id = :job_id;

-- name: dead_resolve
update relet.dead
set resolved = 1, resolved_at = relet.now_us(), resolved_by = :by, notes = :notes
where job_id = :job_id;

-- name: dead_reopen
-- Not resolved after all. Notes stay unless there are new ones.
update relet.dead
set resolved = 0, resolved_at = null, resolved_by = null, notes = case when :notes = '' then notes else :notes end
where job_id = :job_id;

-- name: dead_page
-- The newest ids first (primary key, backwards), with their job by its primary key. '' stands for any text.
select d.job_id, j.task, j.queue, j.args, d.reason, d.error, d.stack, d.epoch, d.attempt, d.crashes,
       d.failed_at, d.resolved, d.resolved_at, d.resolved_by, d.notes
from relet.dead d join relet.job j on j.id = d.job_id
where d.job_id < :before
  and (:task = '' or j.task = :task) and (:queue = '' or j.queue = :queue) and (:reason = '' or d.reason = :reason)
  and (:failed_after < 0 or d.failed_at >= :failed_after) and (:failed_before < 0 or d.failed_at < :failed_before)
  and (:resolved = -1 or d.resolved = :resolved)
  and (:error_like = '%' or lower(d.error) like lower(:error_like) escape '!')
order by d.job_id desc
limit :limit;

-- name: dead_count
-- As many as the same filter finds, up to a cap.
select count(*) from (
    select 1 from relet.dead d join relet.job j on j.id = d.job_id
    where (:task = '' or j.task = :task) and (:queue = '' or j.queue = :queue) and (:reason = '' or d.reason = :reason)
      and (:failed_after < 0 or d.failed_at >= :failed_after) and (:failed_before < 0 or d.failed_at < :failed_before)
      and (:resolved = -1 or d.resolved = :resolved)
      and (:error_like = '%' or lower(d.error) like lower(:error_like) escape '!')
    limit :cap) found;

-- name: dead_failures
-- The newest unresolved ones up to a cap (primary key, backwards), with no more of the error than its first line may be.
select d.job_id, j.task, substr(d.error, 1, 400), d.failed_at
from (select job_id, error, failed_at from relet.dead where resolved = 0 order by job_id desc limit :cap) d
join relet.job j on j.id = d.job_id
where (:task = '' or j.task = :task) and (:queue = '' or j.queue = :queue)
order by d.job_id desc;

-- name: dead_stats
-- Per queue, over the newest ones (primary key, backwards).
select j.queue, count(*), sum(d.resolved)
from (select job_id, resolved from relet.dead order by job_id desc limit :cap) d
join relet.job j on j.id = d.job_id
group by j.queue order by j.queue;
