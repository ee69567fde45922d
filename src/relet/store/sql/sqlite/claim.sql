-- The turn on SQLite, which has one writer: what is read in a transaction stands until its end. So a turn looks first, then
-- moves everything that it has seen by one statement per table, however many rows there are. (One statement per row cost
-- twice the time, and gave the interpreter away to the running tasks between any two of them.)

-- name: lane_any
-- By place: queue, rank, after.
select 1 from relet.ready where queue = ? and rank = ? and seq > ? limit 1;

-- name: claim_lane
-- What this worker knows and may take of one lane, behind a place, with what it needs to know of each job. (A pointer whose
-- job somebody has deleted by hand has no `created_at`.)
select r.job_id, r.epoch + 1, r.task, r.seq, r.flags, r.attempt, r.crashes, r.suspicions, r.releases,
       j.args, j.options, j.created_at, r.ready_at
from relet.ready r left join relet.job j on j.id = r.job_id
where r.queue = :queue and r.rank = :rank and r.seq > :after
  and r.task in (select value from json_each(:tasks))
  and (r.needs is null or not exists (
      select 1 from json_each(r.needs) n where n.value not in (select value from json_each(:offers))))
  and r.ready_at <= :ready_before
  and not exists (select 1 from relet.queue q where q.name = :queue and q.paused_at is not null
                  and (q.resume_at is null or q.resume_at > relet.now_us()))
order by r.seq
limit :limit;

-- name: claim_running
-- ready -> running: all places of the lane from the first to the last; if some between them are passed by, those in `seqs`.
insert into relet.running (job_id, session_id, epoch, queue, rank, flags, attempt, crashes, suspicions, releases, claimed_at,
                           counted)
select r.job_id, :session_id, r.epoch + 1, r.queue, r.rank, r.flags, r.attempt, r.crashes, r.suspicions, r.releases, :claimed_at,
       :counted
from relet.ready r
where r.queue = :queue and r.rank = :rank and r.seq between :first and :last
  and (:seqs is null or r.seq in (select value from json_each(:seqs)));

-- name: claim_taken
-- The same places, out of `ready`.
delete from relet.ready
where queue = :queue and rank = :rank and seq between :first and :last
  and (:seqs is null or seq in (select value from json_each(:seqs)));

-- name: limit_any
select 1 from relet.limit_rule where name between 'queue:' and 'queue;' and active = 1 limit 1;

-- name: counted_queue
-- By place: job_id, session_id. The limited queue of whose slots this claim is one.
select queue from relet.running where job_id = ? and session_id = ? and counted is not null;

-- name: tally_add
-- By place: limit_name, window_us, step, units.
insert into relet.tally (limit_name, key, window_us, step, units) values (?, '', ?, ?, ?)
on conflict (limit_name, key, window_us, step) do update set units = units + excluded.units;

-- name: tally_sweep
-- By place: limit_name, window_us, the first and the last step that count.
delete from relet.tally where limit_name = ? and key = '' and window_us = ? and not (step between ? and ?);

-- name: control_any
select 1 from relet.control limit 1;

-- name: control_reason
select reason from relet.control where job_id = :job_id and verb = 'cancel';

-- name: seq_reserve
-- Places at the end, for a batch.
update relet.counter set n = n + :count where name = 'ready' returning n;

-- Below, the row of values stands for as many as there are.

-- name: fresh_job
-- By place: rows of id, task, queue, priority, args, options, needs, created_at, trace.
insert into relet.job (id, task, queue, priority, args, options, needs, created_at, trace) values (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: fresh_ready
-- By place: rows of queue, rank, seq, job_id, task, needs, ready_at, flags.
insert into relet.ready (queue, rank, seq, job_id, task, needs, ready_at, flags, epoch, attempt, crashes, suspicions, releases)
values (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0);

-- name: fresh_unique
-- By place: rows of scope, key, job_id. Those of keys that are free.
insert into relet.unique_key (scope, key, job_id) values (?, ?, ?) on conflict (scope, key) do nothing;

-- name: succeed_finished
-- By place: rows of job_id, epoch, result; then finished_at, session_id. Only of claims that stand, and have no other flags
-- than those of a unique key and of a share, for more than this has to be written for those: how many rows are written says how many did.
with e(job_id, epoch, result) as (values (?, ?, ?))
insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result)
select r.job_id, 'succeeded', r.session_id, r.epoch, r.attempt, r.claimed_at, ?, e.result
from e cross join relet.running r
where r.job_id = e.job_id and r.epoch = e.epoch and r.session_id = ? and r.flags & ~65 = 0;

-- name: succeed_running
-- By place: rows of job_id. Those that all have just been finished.
delete from relet.running where job_id in (values (?));

-- name: fresh_placed
-- By place: rows of queue, rank, seq, job_id, task, needs, ready_at, flags, tenant. Where another job stands nothing is written.
insert into relet.ready (queue, rank, seq, job_id, task, needs, ready_at, flags, tenant, epoch, attempt, crashes, suspicions, releases)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0)
on conflict (queue, rank, seq) do nothing;

-- name: fresh_shared
-- The same for those that were not written, one row at a time: at the first place behind it that is free.
insert into relet.ready (queue, rank, seq, job_id, task, needs, ready_at, flags, tenant, epoch, attempt, crashes, suspicions, releases)
select :queue, :rank,
       relet.free_place(),
       :job_id, :task, :needs, :ready_at, :flags, :tenant, 0, 0, 0, 0, 0
where not exists (select 1 from relet.ready r where r.job_id = :job_id);
