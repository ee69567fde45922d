-- Claims on SQLite, which has one writer: take the pointers out, then put them into `running` with what was returned.

-- name: lane_any
-- By place: queue, rank, after.
select 1 from relet.ready where queue = ? and rank = ? and seq > ? limit 1;

-- name: claim_lane
-- ready -> (the caller's hands): from one lane, behind a place, what this worker knows and may take.
delete from relet.ready
where queue = :queue and rank = :rank and seq in (
    select r.seq from relet.ready r
    where r.queue = :queue and r.rank = :rank and r.seq > :after
      and r.task in (select value from json_each(:tasks))
      and (r.needs is null or not exists (
          select 1 from json_each(r.needs) n where n.value not in (select value from json_each(:offers))))
      and r.ready_at <= :ready_before
      and not exists (select 1 from relet.queue q where q.name = :queue and q.paused_at is not null
                      and (q.resume_at is null or q.resume_at > relet.now_us()))
    order by r.seq
    limit :limit)
returning job_id, epoch + 1, task, queue, rank, seq, flags, attempt, crashes, suspicions, releases;

-- name: claim_running
-- By place: job_id, session_id, epoch, queue, rank, flags, attempt, crashes, suspicions, releases, claimed_at.
insert into relet.running (job_id, session_id, epoch, queue, rank, flags, attempt, crashes, suspicions, releases, claimed_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: claim_job
select id, args, options, created_at from relet.job where id = :job_id;

-- name: control_any
select 1 from relet.control limit 1;

-- name: control_reason
select reason from relet.control where job_id = :job_id and verb = 'cancel';

-- name: seq_reserve
-- Places at the end, for a batch.
update relet.counter set n = n + :count where name = 'ready' returning n;

-- name: fresh_job
-- By place: id, task, queue, priority, args, options, needs, created_at, trace.
insert into relet.job (id, task, queue, priority, args, options, needs, created_at, trace) values (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: fresh_ready
-- By place: queue, rank, seq, job_id, task, needs, ready_at.
insert into relet.ready (queue, rank, seq, job_id, task, needs, ready_at, flags, epoch, attempt, crashes, suspicions, releases)
values (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0);

-- name: succeed_running
-- By place: job_id, session_id, epoch. The plain success: the claim goes first, and what it returns is what stood.
delete from relet.running where job_id = ? and session_id = ? and epoch = ? returning job_id, epoch, claimed_at;

-- name: succeed_finished
-- By place: job_id, session_id, epoch, attempt, started_at, finished_at, result.
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result)
values (?, 'succeeded', ?, ?, ?, ?, ?, ?);
