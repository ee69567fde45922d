-- Jobs that come after others, and batches. See the room's DESIGN.md for the order of locks.

-- name: enqueue_waiting
-- The pointer of a job that comes after others; only for a job that is here and has none.
insert into relet.waiting (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases,
                           edges, told, since)
select j.id, coalesce(:run_at, case when :delay_us > 0 then relet.now_us() + :delay_us end), j.queue, -j.priority, j.task,
       j.needs, :flags, 0, 0, 0, 0, 0, :edges, 0, relet.now_us()
from relet.job j
where j.id = :id
  and not exists (select 1 from relet.waiting w where w.job_id = j.id)
  and not exists (select 1 from relet.scheduled s where s.job_id = j.id)
  and not exists (select 1 from relet.ready r where r.job_id = j.id)
  and not exists (select 1 from relet.running r where r.job_id = j.id)
  and not exists (select 1 from relet.finished f where f.job_id = j.id)
  and not exists (select 1 from relet.dead d where d.job_id = j.id);

-- name: enqueue_edge
insert into relet.edge (child_id, parent_id, place, need, hold, outcome)
values (:child_id, :parent_id, :place, :need, :hold, null)
on conflict do nothing;

-- name: edge_known
-- Of these ids, those that are jobs or batches.
select j.id from relet.job j where j.id = :parent_id
union all
select b.id from relet.batch b where b.id = :parent_id;

-- name: batch_new
-- Repeating it makes no second batch. One without open jobs has ended.
insert into relet.batch (id, label, total, open, succeeded, dead, cancelled, created_at, ended_at)
values (:batch_id, :label, :total, :total - :cancelled, 0, 0, :cancelled, relet.now_us(),
        case when :total = :cancelled then relet.now_us() end)
on conflict do nothing;

-- name: job_ended
select f.job_id from relet.finished f where f.job_id = :job_id;

-- name: member_new
insert into relet.member (batch_id, job_id) values (:batch_id, :job_id)
on conflict do nothing;

-- What moves when a job has ended.

-- name: edge_children
-- Who waits for it (index edge_parent).
select e.child_id from relet.edge e where e.parent_id = :parent_id and e.outcome is null;

-- name: waiting_lock
-- Children, before their edges are touched, in the order of their ids.
select w.job_id, w.flags from relet.waiting w where w.job_id = :job_id
for update;

-- name: edge_end
-- What became of the parent. One that is dead may yet succeed, for those that hold.
update relet.edge set outcome = :outcome
where parent_id = :parent_id and outcome is null and not (hold = 1 and :outcome = 'dead')
returning child_id, parent_id, need, outcome;

-- name: edge_fail
-- The first failure in a batch that goes on.
update relet.edge set outcome = 'failed'
where parent_id = :parent_id and outcome is null and need = 'failure'
returning child_id, parent_id, need, outcome;

-- name: waiting_count
update relet.waiting set edges = edges - :done where job_id = :job_id
returning job_id, edges;

-- name: free_scheduled
-- Nothing holds it back any more, but it is not due yet.
insert into relet.scheduled (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases)
select w.job_id, w.run_at, w.queue, w.rank, w.task, w.needs, w.flags, w.epoch, w.attempt, w.crashes, w.suspicions, w.releases
from relet.waiting w where w.job_id = :job_id and w.run_at > relet.now_us();

-- name: free_ready
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
select w.queue, w.rank, relet.next_seq(), w.job_id, w.task, w.needs, w.flags, w.epoch,
       w.attempt, w.crashes, w.suspicions, w.releases, relet.now_us()
from relet.waiting w
where w.job_id = :job_id and not exists (select 1 from relet.scheduled s where s.job_id = w.job_id);

-- name: free_put_off
-- A job in line that was put off meanwhile: its limits are asked again when it is due.
insert into relet.scheduled (job_id, run_at, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases)
select w.job_id, w.run_at, w.queue, w.rank, w.task, w.needs, w.flags, w.epoch, w.attempt, w.crashes, w.suspicions, w.releases
from relet.waiting w where w.job_id = :job_id;

-- name: free_waiting
delete from relet.waiting where job_id = :job_id;

-- name: skip_finished
-- waiting -> cancelled: it can never run.
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result, error)
select w.job_id, 'cancelled', null, w.epoch, w.attempt, null, relet.now_us(), null, :error
from relet.waiting w where w.job_id = :job_id;

-- name: edge_moot
-- A job that ended while it waited waits for nothing any more.
update relet.edge set outcome = 'moot' where child_id = :job_id and outcome is null;

-- name: edge_awaited
select 1 from relet.edge e where e.parent_id = :job_id and e.outcome is null limit 1;

-- name: job_options
select j.id, j.options from relet.job j where j.id = :job_id;

-- name: batch_count
update relet.batch
set open = open - :done, succeeded = succeeded + :succeeded, dead = dead + :dead, cancelled = cancelled + :cancelled
where id = :batch_id
returning id, open, dead + cancelled;

-- name: batch_close
-- Once.
update relet.batch set ended_at = relet.now_us() where id = :batch_id and open <= 0 and ended_at is null
returning id, dead + cancelled;

-- name: batch_reopen
-- A dead one is retried. A batch that has ended stays so.
update relet.batch set open = open + 1, dead = dead - 1 where id = :batch_id;

-- Tying: a child that came later than its parent makes itself known to it.

-- name: tie_untold
-- Index waiting_untold.
select w.job_id from relet.waiting w where w.told = 0 order by w.job_id limit :limit;

-- name: tie_again
update relet.waiting set told = 0 where job_id = :job_id;

-- name: tie_edges
select e.child_id, e.parent_id from relet.edge e where e.child_id = :job_id and e.outcome is null;

-- A parent is looked for on its way; where it stands it is locked by being marked, and stays until the commit. One that somebody
-- else holds is passed by.

-- name: tie_running
update relet.running set flags = flags | 2 where job_id = :parent_id returning job_id;
-- name: tie_waiting
update relet.waiting set flags = flags | 2 where job_id = :parent_id returning job_id;
-- name: tie_scheduled
update relet.scheduled set flags = flags | 2 where job_id = :parent_id returning job_id;
-- name: tie_ready
update relet.ready set flags = flags | 2 where job_id = :parent_id returning job_id;
-- name: tie_dead
-- Held against a retry, which looks for children.
select d.job_id from relet.dead d where d.job_id = :parent_id for update skip locked;
-- name: tie_finished
select f.job_id, f.outcome from relet.finished f where f.job_id = :parent_id;
-- name: tie_batch
-- Held against its last job.
select b.id, b.ended_at, b.dead + b.cancelled from relet.batch b where b.id = :parent_id for update;
-- name: tie_job
select j.id from relet.job j where j.id = :parent_id;

-- name: tie_lock
-- Children that nobody else has tied meanwhile, or holds just now.
select w.job_id, w.flags from relet.waiting w where w.job_id = :job_id and w.told = 0
for update skip locked;

-- name: tie_end
update relet.edge set outcome = :outcome
where child_id = :child_id and parent_id = :parent_id and outcome is null and not (hold = 1 and :outcome = 'dead')
returning child_id, parent_id, need, outcome;

-- name: tie_told
update relet.waiting set told = 1 where job_id = :job_id returning job_id, edges;

-- Proving that what waits waits for something.

-- name: mend_page
select p.job_id from (select w.job_id from relet.waiting w where w.job_id > :past order by w.job_id limit :limit) p
order by p.job_id desc limit 1;

-- name: mend_waiting
-- Tied jobs that are counted wrong, wait for nothing, or for what has ended; or that stand first in line before a limit which
-- has room, and nobody will look. One snapshot: what is found here is so.
select w.job_id from relet.waiting w
where w.job_id > :past and w.job_id <= :least and w.told = 1 and (
    w.edges = 0 and w.limit_name is null
    or w.limit_name is not null and not exists (
        select 1 from relet.gate g where g.limit_name = w.limit_name and g.key = w.limit_key)
    or w.limit_name is not null and not exists (
        select 1 from relet.waiting o
        where o.limit_name = w.limit_name and o.limit_key = w.limit_key
          and (o.line_place, o.job_id) < (w.line_place, w.job_id))
       and exists (
        select 1 from relet.gate g join relet.limit_rule r on r.name = g.limit_name
        where g.limit_name = w.limit_name and g.key = w.limit_key and g.next_at is null
          and coalesce(g.paused_until, 0) <= relet.now_us() and coalesce(r.paused_until, 0) <= relet.now_us()
          and (r.concurrency is null or r.concurrency > (
              select count(*) from relet.slot s where s.limit_name = g.limit_name and s.key = g.key)))
    or w.edges <> (select count(*) from relet.edge e where e.child_id = w.job_id and e.outcome is null)
    or exists (
        select 1 from relet.edge e
        where e.child_id = w.job_id and e.outcome is null
          and not exists (select 1 from relet.waiting p where p.job_id = e.parent_id)
          and not exists (select 1 from relet.scheduled p where p.job_id = e.parent_id)
          and not exists (select 1 from relet.ready p where p.job_id = e.parent_id)
          and not exists (select 1 from relet.running p where p.job_id = e.parent_id)
          and not exists (select 1 from relet.dead p where p.job_id = e.parent_id and e.hold = 1)
          and not exists (select 1 from relet.batch p where p.id = e.parent_id and p.ended_at is null)))
order by w.job_id;

-- name: mend_count
-- To be tied again.
update relet.waiting
set told = 0, limit_name = null, limit_key = null, line_place = null,
    edges = (select count(*) from relet.edge e where e.child_id = relet.waiting.job_id and e.outcome is null)
where job_id = :job_id;

-- name: mend_batches
-- Of the open batches behind this one, the next.
select b.id from relet.batch b where b.ended_at is null and b.id > :past order by b.id limit 1;

-- name: mend_lock
select b.id from relet.batch b where b.id = :batch_id and b.ended_at is null for update;

-- name: mend_members
-- How its jobs stand: open, dead, cancelled. Under its lock, so that whoever ends one now is counted as open, and counts
-- it when we are done.
select (select count(*) from relet.member m
        where m.batch_id = b.id and (
            exists (select 1 from relet.waiting p where p.job_id = m.job_id)
            or exists (select 1 from relet.scheduled p where p.job_id = m.job_id)
            or exists (select 1 from relet.ready p where p.job_id = m.job_id)
            or exists (select 1 from relet.running p where p.job_id = m.job_id))),
       (select count(*) from relet.member m join relet.dead p on p.job_id = m.job_id where m.batch_id = b.id),
       (select count(*) from relet.member m join relet.finished p on p.job_id = m.job_id
        where m.batch_id = b.id and p.outcome = 'cancelled'),
       b.open
from relet.batch b where b.id = :batch_id;

-- name: mend_counts
update relet.batch
set open = :done, dead = :dead, cancelled = :cancelled, succeeded = total - :done - :dead - :cancelled
where id = :batch_id;

-- name: prune_batches
-- Ended long enough ago, and nobody waits for one.
select b.id from relet.batch b
where b.ended_at < relet.now_us() - :older_us
  and not exists (select 1 from relet.edge e where e.parent_id = b.id and e.outcome is null)
order by b.id limit :limit;

-- name: erase_members
delete from relet.member where batch_id = :batch_id;
-- name: erase_batch
delete from relet.batch where id = :batch_id;
-- name: erase_edges
delete from relet.edge where child_id = :job_id;
