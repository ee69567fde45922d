-- Chores.

-- name: promote_due
-- scheduled -> ready, oldest due time first; those with limits or shares go to waiting. (The statements see the same rows: nobody else
-- writes meanwhile.)
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
select d.queue, d.rank, relet.next_seq(), d.job_id, d.task, d.needs, d.flags, d.epoch,
       d.attempt, d.crashes, d.suspicions, d.releases, relet.now_us()
from (select * from relet.scheduled where run_at <= relet.now_us() order by run_at, job_id limit :limit) d
where d.flags & 68 = 0 and not exists (select 1 from relet.queue q where q.name = d.queue and q.fair = 1)
returning queue, null, 0;

-- name: promote_special
-- Those with limits ask these again, and those whose queue is shared by tenants get a place. They are as old as their due time.
insert into relet.waiting (job_id, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases,
                           edges, told, since)
select d.job_id, d.queue, d.rank, d.task, d.needs,
       d.flags | case when exists (select 1 from relet.queue q where q.name = d.queue and q.fair = 1) then 64 else 0 end,
       d.epoch, d.attempt, d.crashes, d.suspicions, d.releases, 0, 1, d.run_at
from (select * from relet.scheduled where run_at <= relet.now_us() order by run_at, job_id limit :limit) d
where d.flags & 68 <> 0 or exists (select 1 from relet.queue q where q.name = d.queue and q.fair = 1)
returning queue, job_id, flags;

-- name: promote_clear
delete from relet.scheduled where job_id in (
    select d.job_id from relet.scheduled d
    where d.run_at <= relet.now_us() and (exists (select 1 from relet.ready r where r.job_id = d.job_id)
                                          or exists (select 1 from relet.waiting w where w.job_id = d.job_id)));

-- name: promote_next
-- Or the next line before a gate that is to be looked at.
select min(n.at) from (
    select min(s.run_at) as at from relet.scheduled s union all select min(g.next_at) from relet.gate g) n;

-- name: resume_due
-- A pause with an end ends.
update relet.queue set paused_at = null, paused_by = null, pause_reason = null, resume_at = null
where resume_at is not null and resume_at <= relet.now_us()
returning name;

-- name: reopen_due
-- So does a closing.
update relet.queue set closed_at = null, closed_by = null, close_reason = null, reopen_at = null
where reopen_at is not null and reopen_at <= relet.now_us();

-- name: prune_finished
-- Ended long enough ago, the oldest ids first. One with a child that has not ended stays: that may ask for its result.
select f.job_id from relet.finished f
where f.finished_at < relet.now_us() - :older_us
  and not exists (select 1 from relet.edge e where e.parent_id = f.job_id
                  and not exists (select 1 from relet.finished c where c.job_id = e.child_id))
order by f.job_id limit :limit;

-- name: prune_dead
-- Only resolved dead letters grow old. Held until they are erased: one that is being retried is passed.
select d.job_id from relet.dead d
where d.resolved = 1 and d.resolved_at < relet.now_us() - :older_us
  and not exists (select 1 from relet.edge e where e.parent_id = d.job_id
                  and not exists (select 1 from relet.finished c where c.job_id = e.child_id))
order by d.job_id limit :limit
for update skip locked;

-- name: prune_sessions
delete from relet.session where ended_at is not null and ended_at < relet.now_us() - :older_us
  and not exists (select 1 from relet.running r where r.session_id = relet.session.id);

-- name: prune_controls
-- Requests whose job has ended.
delete from relet.control where exists (select 1 from relet.finished f where f.job_id = relet.control.job_id)
   or exists (select 1 from relet.dead d where d.job_id = relet.control.job_id);

-- name: erase_job
delete from relet.job where id = :job_id;
-- name: erase_finished
delete from relet.finished where job_id = :job_id;
-- name: erase_dead
delete from relet.dead where job_id = :job_id;
-- name: erase_attempts
delete from relet.attempt where job_id = :job_id;
-- name: erase_logs
delete from relet.log_line where job_id = :job_id;
-- name: erase_usage
delete from relet.usage where job_id = :job_id;
-- name: erase_control
delete from relet.control where job_id = :job_id;

-- name: prune_firings
-- What became of due times long ago, but for runs that have not ended.
delete from relet.firing where fired_at < relet.now_us() - :older_us and (job_id is null or ended_at is not null);
