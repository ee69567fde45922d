-- The turn on PostgreSQL: one statement, and so one round trip and one commit, put together from the parts that it needs.
--
-- Lookups are lateral and end in a limit, and deletions go by a key or by the ctid of a row that was locked before: so that
-- every plan walks the same indexes in the same order, whatever the statistics say of tables that are empty one second and
-- full the next.

-- name: part_me
-- The turn's own session, held against a reclaim until the commit. It is read before anything is written, for everything
-- below is joined to it; a session that has ended gives no row, and then nothing is settled and nothing claimed.
me as materialized (
    select s.id, relet.now_us() as now, s.lease_until > relet.lease_clock() and s.boot = relet.boot() as live
    from relet.session s where s.id = :session_id and s.ended_at is null
    for key share)

-- name: part_settle
-- running -> succeeded, of claims that stand. What was deleted is what is written to `finished`: if somebody else deletes
-- one of these rows first (the same turn, sent twice), it counts there and not here. By key and not by ctid: a note that is
-- written meanwhile moves the row, and the claim stands all the same.
gone as (
    delete from relet.running r
    using (select me.id, me.now, e.job_id, e.epoch, e.result
           from me cross join unnest(:settle_ids, :epoch_integers, :result_texts) as e(job_id, epoch, result)) m
    where r.job_id = m.job_id and r.epoch = m.epoch
      -- Written so that no index answers it: a plan that began with all rows of the session would look at each for each.
      and r.session_id is not distinct from m.id
    returning r.job_id, r.session_id, r.epoch, r.attempt, r.claimed_at, r.flags, m.now, m.result),
done as (
    insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result)
    select g.job_id, 'succeeded', g.session_id, g.epoch, g.attempt, g.claimed_at, g.now, g.result
    from gone g)

-- name: part_unique
-- The unique keys of those that have one. By key: an enqueue of the same key that waits for it moves the row.
keys as (
    delete from relet.unique_key k
    using (select g.job_id from gone g where g.flags & 1 = 1) g
    where k.job_id = g.job_id)

-- name: part_claim
-- ready -> running, from these lanes in this order. A lane of a paused queue is none.
lane as materialized (
    select l.queue, l.rank, l.after, me.now - :younger_than_us as before
    from me cross join unnest(:queue_texts, :rank_integers, :after_integers) as l(queue, rank, after)
    where me.live and not exists (
        select 1 from relet.queue q where q.name = l.queue and q.paused_at is not null
        and (q.resume_at is null or q.resume_at > me.now))),
taken as (
    delete from relet.ready r where r.ctid = any(array(
        select p.place from (
            select p.place from lane l
            cross join lateral (
                -- Rows are locked one by one as they are asked for, and those that others hold are passed by. They are
                -- deleted and inserted, never updated: an updated row can be handed out twice by one statement.
                select r.ctid as place from relet.ready r
                where r.queue = l.queue and r.rank = l.rank and r.seq > l.after
                  and r.task = any(:task_texts)
                  and (r.needs is null or not exists (
                      select 1 from jsonb_array_elements_text(r.needs::jsonb) n where n.value <> all(:offer_texts)))
                  and (l.before is null or r.ready_at <= l.before)
                order by r.seq
                for update skip locked) p
            -- A literal, for the planner: it is for a few rows that this plan is made. The limit that counts comes next.
            limit 1000) p
        limit :limit))
    returning r.job_id, r.epoch + 1 as epoch, r.task, r.queue, r.rank, r.seq, r.flags,
              r.attempt, r.crashes, r.suspicions, r.releases),
held as (
    insert into relet.running (job_id, session_id, epoch, queue, rank, flags, attempt, crashes, suspicions, releases, claimed_at)
    select t.job_id, me.id, t.epoch, t.queue, t.rank, t.flags, t.attempt, t.crashes, t.suspicions, t.releases, me.now
    from me cross join taken t)

-- name: part_answer
-- The first row is about the turn: its time, whether the session lives.
select null::uuid, null::int4, null::text, null::text, null::int4, me.now, me.live::int4,
       null::int4, null::int4, null::int4, null::int4, null::text, null::text, null::int8, null::text
from (values (1)) one left join me on true

-- name: part_answer_settled
-- And how many settles were accepted.
select null::uuid, (select count(*) from gone)::int4, null::text, null::text, null::int4, me.now, me.live::int4,
       null::int4, null::int4, null::int4, null::int4, null::text, null::text, null::int8, null::text
from (values (1)) one left join me on true

-- name: part_settled
-- One row for each settle that was accepted; left out when all were.
select g.job_id, g.epoch, null::text, null::text, null::int4, null::int8, null::int4,
       null::int4, null::int4, null::int4, null::int4, null::text, null::text, null::int8, null::text
from gone g where (select count(*) from gone) < cardinality(:settle_ids)

-- name: part_claimed
-- One row for each claim. Requests to cancel are few, and looked for only when there are any.
select t.job_id, t.epoch, t.task, t.queue, t.rank, t.seq, t.flags, t.attempt, t.crashes, t.suspicions, t.releases,
       j.args, j.options, j.created_at,
       case when (select exists (select 1 from relet.control)) then (
           select c.reason from relet.control c where c.job_id = t.job_id and c.verb = 'cancel') end
from taken t
left join lateral (select j.args, j.options, j.created_at from relet.job j where j.id = t.job_id limit 1) j on true

-- name: turn_evidence
-- What is known of claims that do not stand (see settle_evidence), in the order in which they are asked for.
select j.id,
       (select f.outcome from relet.finished f where f.job_id = j.id and f.epoch = e.epoch and f.session_id = :session_id),
       (select a.outcome from relet.attempt a where a.job_id = j.id and a.epoch = e.epoch and a.session_id = :session_id)
from unnest(:settle_ids, :epoch_integers) with ordinality as e(job_id, epoch, place)
left join relet.job j on j.id = e.job_id
order by e.place;
