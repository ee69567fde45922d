-- Claims on PostgreSQL.

-- name: claim
-- ready -> running, from these lanes in this order. Rows are locked where they lie (skipping what others hold), deleted
-- and inserted, never updated: an updated row can be handed out twice by one statement.
with taken as (
    delete from relet.ready r
    where r.ctid = any(array(
        select p.ctid
        from unnest(:lane_queues, :lane_ranks, :lane_afters) with ordinality as l(queue, rank, after, place)
        cross join lateral (
            select r.ctid from relet.ready r
            where r.queue = l.queue and r.rank = l.rank and r.seq > l.after
              and r.task = any(:known_tasks)
              and (r.needs is null or not exists (
                  select 1 from jsonb_array_elements_text(r.needs::jsonb) n where n.value <> all(:offered)))
              and (:ready_before is null or r.ready_at <= :ready_before)
            order by r.seq
            for update skip locked) p
        where not exists (select 1 from relet.queue q where q.name = l.queue and q.paused_at is not null
                          and (q.resume_at is null or q.resume_at > relet.now_us()))
        limit :limit))
    returning r.*),
held as (
    insert into relet.running (job_id, session_id, epoch, queue, rank, flags, attempt, crashes, suspicions, releases, claimed_at)
    select t.job_id, :session_id, t.epoch + 1, t.queue, t.rank, t.flags, t.attempt, t.crashes, t.suspicions, t.releases, :now
    from taken t)
select t.job_id, t.epoch + 1, t.task, t.queue, t.rank, t.seq, t.flags, t.attempt, t.crashes, t.suspicions, t.releases,
       j.args, j.options, j.created_at, c.reason
from taken t join relet.job j on j.id = t.job_id
left join relet.control c on c.job_id = t.job_id and c.verb = 'cancel';
