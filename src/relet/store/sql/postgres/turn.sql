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
      -- Those with other flags than those of a unique key and of a share are passed by: more than this has to be written for them.
      and r.flags & ~65 = 0
    returning r.job_id, r.session_id, r.epoch, r.attempt, r.claimed_at, r.flags, r.queue, r.counted, m.now, m.result),
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

-- name: part_limited
-- The limited queues, mostly none.
limited as materialized (
    select array_agg(substr(r.name, 7)) as queues from relet.limit_rule r
    where r.name >= 'queue:' and r.name < 'queue;' and r.active = 1)

-- name: part_claim
-- ready -> running, from these lanes in this order. A lane of a paused queue is none, nor is one of a limited queue: those
-- need a turn that holds the rule.
lane as materialized (
    select l.queue, l.rank, l.after, me.now - :younger_than_us as before
    from me cross join unnest(:queue_texts, :rank_integers, :after_integers) as l(queue, rank, after)
    where me.live and not exists (
        select 1 from relet.queue q where q.name = l.queue and q.paused_at is not null
        and (q.resume_at is null or q.resume_at > me.now))
      and coalesce(l.queue <> all((select queues from limited)::text[]), true)),
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
              r.attempt, r.crashes, r.suspicions, r.releases, r.ready_at),
held as (
    insert into relet.running (job_id, session_id, epoch, queue, rank, flags, attempt, crashes, suspicions, releases, claimed_at)
    select t.job_id, me.id, t.epoch, t.queue, t.rank, t.flags, t.attempt, t.crashes, t.suspicions, t.releases, me.now
    from me cross join taken t)

-- name: part_settle_none
gone as (select null::text as queue, null::integer as counted where false)

-- name: part_claim_limited
-- The same for a turn that may claim from limited queues, whose rules the statement before this one has locked: nobody else
-- claims from them until the commit, and whoever did before is seen here. Whether the lock was had is read off the row.
rule as materialized (
    select r.name, substr(r.name, 7) as queue, r.concurrency, r.per_worker, r.rates
    from relet.limit_rule r
    where r.name = any(:rule_texts) and r.active = 1 and r.xmax = pg_current_xact_id()::xid),
-- The rates: what is used of each in the present step and the sixty before it. (Steps to come: the clock was set back.)
rate as materialized (
    select w.queue, w.name, w.units, w.window_us, w.step, coalesce(t.units, 0) as used, least(t.oldest, w.step) as oldest
    from (select r.queue, r.name, (e->>0)::bigint as units, (e->>1)::bigint as window_us, me.now * 60 / (e->>1)::bigint as step
          from me cross join rule r cross join lateral jsonb_array_elements(r.rates::jsonb) e) w
    cross join lateral (
        select sum(t.units)::bigint as units, min(t.step) as oldest from relet.tally t
        where t.limit_name = w.name and t.key = '' and t.window_us = w.window_us and t.step between w.step - 60 and w.step + 60) t),
-- How many each of these queues may start now. A slot that this turn frees is free.
room as materialized (
    select r.queue, greatest(0, least(
        r.concurrency
            - (select count(*) from relet.running u where u.queue = r.queue and u.counted is not null)
            + (select count(*) from gone g where g.queue = r.queue and g.counted is not null),
        r.per_worker
            - (select count(*) from relet.running u where u.queue = r.queue and u.session_id = me.id and u.counted is not null)
            + (select count(*) from gone g where g.queue = r.queue and g.counted is not null),
        (select min(e.units - e.used) from rate e where e.queue = r.queue))) as most
    from me cross join rule r),
lane as materialized (
    select l.queue, l.rank, l.after, me.now - :younger_than_us as before
    from me cross join unnest(:queue_texts, :rank_integers, :after_integers) as l(queue, rank, after)
    where me.live and not exists (
        select 1 from relet.queue q where q.name = l.queue and q.paused_at is not null
        and (q.resume_at is null or q.resume_at > me.now))
      and (coalesce(l.queue <> all((select queues from limited)::text[]), true)
           or exists (select 1 from room m where m.queue = l.queue and m.most > 0))),
-- The lanes of one queue share what it may start.
line as materialized (
    select q.queue, coalesce((select m.most from room m where m.queue = q.queue), 1000) as most
    from unnest(:line_texts) q(queue)),
taken as (
    delete from relet.ready r where r.ctid = any(array(
        select p.place from (
            select p.place from line g
            cross join lateral (
                select p.place from lane l
                cross join lateral (
                    select r.ctid as place from relet.ready r
                    where r.queue = l.queue and r.rank = l.rank and r.seq > l.after
                      and r.task = any(:task_texts)
                      and (r.needs is null or not exists (
                          select 1 from jsonb_array_elements_text(r.needs::jsonb) n where n.value <> all(:offer_texts)))
                      and (l.before is null or r.ready_at <= l.before)
                    order by r.seq
                    for update skip locked) p
                where l.queue = g.queue
                limit g.most) p
            limit 1000) p
        limit :limit))
    returning r.job_id, r.epoch + 1 as epoch, r.task, r.queue, r.rank, r.seq, r.flags as stored,
              r.flags + case when exists (select 1 from room m where m.queue = r.queue) then 32 else 0 end as flags,
              r.attempt, r.crashes, r.suspicions, r.releases, r.ready_at),
held as (
    insert into relet.running (job_id, session_id, epoch, queue, rank, flags, attempt, crashes, suspicions, releases, claimed_at,
                               counted)
    select t.job_id, me.id, t.epoch, t.queue, t.rank, t.stored, t.attempt, t.crashes, t.suspicions, t.releases, me.now,
           case when t.flags & 32 <> 0 then 1 end
    from me cross join taken t),
started as materialized (
    select m.queue, (select count(*) from taken t where t.queue = m.queue) as units from room m),
told as (
    insert into relet.tally (limit_name, key, window_us, step, units)
    select e.name, '', e.window_us, e.step, s.units from rate e join started s on s.queue = e.queue and s.units > 0
    on conflict (limit_name, key, window_us, step) do update set units = tally.units + excluded.units),
swept as (
    delete from relet.tally t using rate e, started s
    where s.queue = e.queue and s.units > 0 and t.limit_name = e.name and t.key = '' and t.window_us = e.window_us
      and (t.step < e.step - 60 or t.step > e.step + 60))

-- name: part_answer
-- The first row is about the turn: its time, whether the session lives.
select null::uuid, null::int4, null::text, null::text, null::int4, me.now, me.live::int4,
       null::int4, null::int4, null::int4, null::int4, null::text, null::text, null::int8, null::text, null::int8
from (values (1)) one left join me on true

-- name: part_limits
-- In its last column but one, in the first row of a turn that claims: the limited queues, as JSON.
(select to_json(queues)::text from limited)

-- name: part_answer_settled
-- And how many settles were accepted.
select null::uuid, (select count(*) from gone)::int4, null::text, null::text, null::int4, me.now, me.live::int4,
       null::int4, null::int4, null::int4, null::int4, null::text, null::text, null::int8, null::text, null::int8
from (values (1)) one left join me on true

-- name: part_settled
-- One row for each settle that was accepted; left out when all were.
select g.job_id, g.epoch, null::text, null::text, null::int4, null::int8, null::int4,
       null::int4, null::int4, null::int4, null::int4, null::text, null::text, null::int8, null::text, null::int8
from gone g where (select count(*) from gone) < cardinality(:settle_ids)

-- name: part_claimed
-- One row for each claim. Requests to cancel are few, and looked for only when there are any.
select t.job_id, t.epoch, t.task, t.queue, t.rank, t.seq, t.flags, t.attempt, t.crashes, t.suspicions, t.releases,
       j.args, j.options, j.created_at,
       case when (select exists (select 1 from relet.control)) then (
           select c.reason from relet.control c where c.job_id = t.job_id and c.verb = 'cancel') end, t.ready_at
from taken t
left join lateral (select j.args, j.options, j.created_at from relet.job j where j.id = t.job_id limit 1) j on true

-- name: part_rung
-- Wakes who waits for the slots of limited queues that the turn has freed. No row.
select null::uuid, null::int4, null::text, null::text, null::int4, null::int8, null::int4,
       null::int4, null::int4, null::int4, null::int4, null::text, null::text, null::int8, null::text, null::int8
from (select relet.ring_freed(array_agg(g.queue)) as rung from gone g where g.counted is not null) r where r.rung < 0

-- name: part_rung_limited
-- But for those that it has taken itself.
select null::uuid, null::int4, null::text, null::text, null::int4, null::int8, null::int4,
       null::int4, null::int4, null::int4, null::int4, null::text, null::text, null::int8, null::text, null::int8
from (select relet.ring_freed(array_agg(g.queue)) as rung from gone g
      where g.counted is not null
        and not exists (select 1 from room m join started s on s.queue = m.queue where m.queue = g.queue and m.most <= s.units)) r
where r.rung < 0

-- name: part_left
-- One row for each limited queue that is wanted: whether its rule was held, how many may still start, and, where a rate is
-- used up, when the next may.
select null::uuid, (m.queue is not null)::int4, null::text, d.queue, null::int4,
       (select max(((e.oldest + 61) * e.window_us + 59) / 60) from rate e
        where e.queue = d.queue and e.units - e.used <= s.units), null::int4,
       (m.most - s.units)::int4, null::int4, null::int4, null::int4, null::text, null::text, null::int8, null::text, null::int8
from unnest(:line_texts) d(queue)
left join room m on m.queue = d.queue
left join started s on s.queue = d.queue
where d.queue = any((select queues from limited)::text[])

-- name: turn_flagged
-- Successes of jobs with flags, in the order of their ids: as above, but in a transaction that goes on with what follows
-- from them.
with gone as (
    delete from relet.running r
    using unnest(:settle_ids, :epoch_integers, :result_texts) as e(job_id, epoch, result)
    where r.job_id = e.job_id and r.epoch = e.epoch and r.session_id is not distinct from :session_id
    returning r.job_id, r.session_id, r.epoch, r.attempt, r.claimed_at, r.flags, r.queue, r.counted, e.result),
done as (
    insert into relet.finished (job_id, outcome, session_id, epoch, attempt, started_at, finished_at, result)
    select g.job_id, 'succeeded', g.session_id, g.epoch, g.attempt, g.claimed_at, (select relet.now_us()), g.result
    from gone g),
keys as (
    delete from relet.unique_key k
    using (select g.job_id from gone g where g.flags & 1 = 1) g
    where k.job_id = g.job_id),
rung as (
    select relet.ring_freed(array_agg(g.queue)) as queues from gone g where g.counted is not null having count(*) > 0)
select g.job_id, g.epoch, g.flags, (select r.queues from rung r) from gone g;
