-- name: promote_due
-- scheduled -> ready, oldest due time first. Several promoters share the work: each passes by what another one holds.
with due as (
    delete from relet.scheduled s
    where s.ctid = any(array(
        select s.ctid from relet.scheduled s where s.run_at <= (select relet.now_us())
        order by s.run_at, s.job_id limit :limit for update skip locked))
    returning s.*)
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
select d.queue, d.rank, relet.next_seq(), d.job_id, d.task, d.needs, d.flags, d.epoch,
       d.attempt, d.crashes, d.suspicions, d.releases, (select relet.now_us())
from (select * from due order by run_at, job_id) d
returning queue;

-- name: promote_clear
-- Done by the statement before it.
delete from relet.scheduled where false;
