-- Chores on PostgreSQL: old days are dropped whole.

-- name: promote_due
-- scheduled -> ready, oldest due time first; those with limits or shares to waiting: they ask their limits again, and get a place. Several
-- promoters share the work: each passes by what another one holds.
with due as (
    delete from relet.scheduled s
    where s.ctid = any(array(
        select s.ctid from relet.scheduled s where s.run_at <= (select relet.now_us())
        order by s.run_at, s.job_id limit :limit for update skip locked))
    returning s.*),
marked as materialized (
    select d.*, d.flags | case when (select q.fair from relet.queue q where q.name = d.queue limit 1) = 1 then 64 else 0 end
        as all_flags
    from due d),
now as (
    insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at)
    select d.queue, d.rank, relet.next_seq(), d.job_id, d.task, d.needs, d.flags, d.epoch,
           d.attempt, d.crashes, d.suspicions, d.releases, (select relet.now_us())
    from (select * from marked where all_flags & 68 = 0 order by run_at, job_id) d
    returning queue),
special as (
    insert into relet.waiting (job_id, queue, rank, task, needs, flags, epoch, attempt, crashes, suspicions, releases,
                               edges, told, since)
    select d.job_id, d.queue, d.rank, d.task, d.needs, d.all_flags, d.epoch, d.attempt, d.crashes, d.suspicions, d.releases,
           0, 1, d.run_at
    from marked d where d.all_flags & 68 <> 0
    returning queue, job_id, flags)
select n.queue, null::uuid, 0 from now n union all select g.queue, g.job_id, g.flags from special g;

-- name: ensure_partitions
select relet.ensure_partitions(older_us => :older_us);

-- name: retire
select relet.retire(:older_us, 50000);

-- name: sweep_retired
select relet.sweep_retired(:limit::int4);

-- name: prune_finished
-- Ended long enough ago, and not of a day that will be dropped whole within two days: that should have been, but had too
-- much to keep (walked by id), or ended before its id was made (by the range index).
(select f.job_id from relet.finished f
 where f.job_id < (select relet.day_id(relet.now_us() - :older_us - 172800000000))
   and f.finished_at < (select relet.now_us() - :older_us)
   and not exists (select 1 from relet.edge e where e.parent_id = f.job_id
                  and not exists (select 1 from relet.finished c where c.job_id = e.child_id))
 order by f.job_id limit :limit)
union
(select e from relet.finished_early((select relet.day_id(relet.now_us() - :older_us + 86400000000)),
                                    (select relet.now_us() - :older_us), :limit::int4) e
 where not exists (select 1 from relet.edge c where c.parent_id = e
                   and not exists (select 1 from relet.finished f where f.job_id = c.child_id)))
limit :limit;

-- name: erase_hold
-- Of these jobs, those of which no line is being written just now; the others are passed, until the next time.
select j.id from relet.job j where j.id = any(:gone_ids) for update skip locked;

-- name: erase_jobs
-- Every trace of these jobs, which have ended.
with finished as (delete from relet.finished where job_id = any(:gone_ids)),
     dead as (delete from relet.dead where job_id = any(:gone_ids)),
     attempts as (delete from relet.attempt where job_id = any(:gone_ids)),
     logs as (delete from relet.log_line where job_id = any(:gone_ids)),
     edges as (delete from relet.edge where child_id = any(:gone_ids)),
     usage as (delete from relet.usage where job_id = any(:gone_ids)),
     controls as (delete from relet.control where job_id = any(:gone_ids))
delete from relet.job where id = any(:gone_ids);

-- name: figures_quick
-- The commit of this transaction does not wait for the disk.
select set_config('synchronous_commit', 'off', true);
