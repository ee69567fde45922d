-- Figures: what was counted of runs, what happened, how many jobs there were.

-- name: figure_add
-- What has been counted since, to all that it belongs to: everything ever, this minute, this hour. In this order everywhere.
insert into relet.figure (step_us, at, queue, task,
    succeeded, failed, dead, cancelled, snoozed, released, wait_us, run_us, wait_0, wait_1, wait_2, wait_3, wait_4,
    wait_5, wait_6, wait_7, wait_8, wait_9, wait_10, wait_11, wait_12, wait_13, wait_14, wait_15, wait_16, run_0,
    run_1, run_2, run_3, run_4, run_5, run_6, run_7, run_8, run_9, run_10, run_11, run_12, run_13, run_14, run_15,
    run_16)
select s.step_us, case when s.step_us = 0 then 0 else relet.now_us() / s.step_us * s.step_us end, :queue, :task,
       :succeeded, :failed, :dead, :cancelled, :snoozed, :released, :wait_us, :run_us, :wait_0, :wait_1, :wait_2,
       :wait_3, :wait_4, :wait_5, :wait_6, :wait_7, :wait_8, :wait_9, :wait_10, :wait_11, :wait_12, :wait_13,
       :wait_14, :wait_15, :wait_16, :run_0, :run_1, :run_2, :run_3, :run_4, :run_5, :run_6, :run_7, :run_8, :run_9,
       :run_10, :run_11, :run_12, :run_13, :run_14, :run_15, :run_16
from (select 0 as step_us union all select 60000000 union all select 3600000000) s
where s.step_us >= 0
order by s.step_us
on conflict (step_us, at, queue, task) do update set
    succeeded = relet.figure.succeeded + excluded.succeeded, failed = relet.figure.failed + excluded.failed,
    dead = relet.figure.dead + excluded.dead, cancelled = relet.figure.cancelled + excluded.cancelled,
    snoozed = relet.figure.snoozed + excluded.snoozed, released = relet.figure.released + excluded.released,
    wait_us = relet.figure.wait_us + excluded.wait_us, run_us = relet.figure.run_us + excluded.run_us,
    wait_0 = relet.figure.wait_0 + excluded.wait_0, wait_1 = relet.figure.wait_1 + excluded.wait_1,
    wait_2 = relet.figure.wait_2 + excluded.wait_2, wait_3 = relet.figure.wait_3 + excluded.wait_3,
    wait_4 = relet.figure.wait_4 + excluded.wait_4, wait_5 = relet.figure.wait_5 + excluded.wait_5,
    wait_6 = relet.figure.wait_6 + excluded.wait_6, wait_7 = relet.figure.wait_7 + excluded.wait_7,
    wait_8 = relet.figure.wait_8 + excluded.wait_8, wait_9 = relet.figure.wait_9 + excluded.wait_9,
    wait_10 = relet.figure.wait_10 + excluded.wait_10, wait_11 = relet.figure.wait_11 + excluded.wait_11,
    wait_12 = relet.figure.wait_12 + excluded.wait_12, wait_13 = relet.figure.wait_13 + excluded.wait_13,
    wait_14 = relet.figure.wait_14 + excluded.wait_14, wait_15 = relet.figure.wait_15 + excluded.wait_15,
    wait_16 = relet.figure.wait_16 + excluded.wait_16, run_0 = relet.figure.run_0 + excluded.run_0,
    run_1 = relet.figure.run_1 + excluded.run_1, run_2 = relet.figure.run_2 + excluded.run_2,
    run_3 = relet.figure.run_3 + excluded.run_3, run_4 = relet.figure.run_4 + excluded.run_4,
    run_5 = relet.figure.run_5 + excluded.run_5, run_6 = relet.figure.run_6 + excluded.run_6,
    run_7 = relet.figure.run_7 + excluded.run_7, run_8 = relet.figure.run_8 + excluded.run_8,
    run_9 = relet.figure.run_9 + excluded.run_9, run_10 = relet.figure.run_10 + excluded.run_10,
    run_11 = relet.figure.run_11 + excluded.run_11, run_12 = relet.figure.run_12 + excluded.run_12,
    run_13 = relet.figure.run_13 + excluded.run_13, run_14 = relet.figure.run_14 + excluded.run_14,
    run_15 = relet.figure.run_15 + excluded.run_15, run_16 = relet.figure.run_16 + excluded.run_16;

-- name: event_add
insert into relet.event_count (event, n) values (:event, :n)
on conflict (event) do update set n = relet.event_count.n + excluded.n;

-- name: event_counts
select c.event, c.n from relet.event_count c order by c.event;

-- name: figure_rows
-- What was counted from then on, per time (primary key); with `n` per queue and task, else over all that match.
select f.at / :span_us * :span_us, case when :n = 1 then f.queue else '' end, case when :n = 1 then f.task else '' end,
       cast(sum(f.succeeded) as bigint), cast(sum(f.failed) as bigint), cast(sum(f.dead) as bigint),
       cast(sum(f.cancelled) as bigint), cast(sum(f.snoozed) as bigint), cast(sum(f.released) as bigint),
       cast(sum(f.wait_us) as bigint), cast(sum(f.run_us) as bigint), cast(sum(f.wait_0) as bigint),
       cast(sum(f.wait_1) as bigint), cast(sum(f.wait_2) as bigint), cast(sum(f.wait_3) as bigint),
       cast(sum(f.wait_4) as bigint), cast(sum(f.wait_5) as bigint), cast(sum(f.wait_6) as bigint),
       cast(sum(f.wait_7) as bigint), cast(sum(f.wait_8) as bigint), cast(sum(f.wait_9) as bigint),
       cast(sum(f.wait_10) as bigint), cast(sum(f.wait_11) as bigint), cast(sum(f.wait_12) as bigint),
       cast(sum(f.wait_13) as bigint), cast(sum(f.wait_14) as bigint), cast(sum(f.wait_15) as bigint),
       cast(sum(f.wait_16) as bigint), cast(sum(f.run_0) as bigint), cast(sum(f.run_1) as bigint),
       cast(sum(f.run_2) as bigint), cast(sum(f.run_3) as bigint), cast(sum(f.run_4) as bigint),
       cast(sum(f.run_5) as bigint), cast(sum(f.run_6) as bigint), cast(sum(f.run_7) as bigint),
       cast(sum(f.run_8) as bigint), cast(sum(f.run_9) as bigint), cast(sum(f.run_10) as bigint),
       cast(sum(f.run_11) as bigint), cast(sum(f.run_12) as bigint), cast(sum(f.run_13) as bigint),
       cast(sum(f.run_14) as bigint), cast(sum(f.run_15) as bigint), cast(sum(f.run_16) as bigint)
from relet.figure f
where f.step_us = :step_us and f.at >= :since_at and (:queue = '' or f.queue = :queue) and (:task = '' or f.task = :task)
group by 1, 2, 3 order by 1, 2, 3;

-- name: figure_prune
-- By primary key.
delete from relet.figure where step_us = :step_us and at < relet.now_us() - :older_us;

-- name: done_claim
-- One row: nobody has done it for so long, and now it is ours to do. (A time to come: the clock was set back.)
insert into relet.done_last (what, at) values (:what, relet.now_us())
on conflict (what) do update set at = excluded.at
where relet.done_last.at <= excluded.at - :every_us or relet.done_last.at > excluded.at;

-- name: depth_put
-- The last look of a minute is kept.
insert into relet.depth (at, queue, ready, running, scheduled, waiting, dead, oldest_us)
values (relet.now_us() / 60000000 * 60000000, :queue, :ready, :running, :scheduled, :waiting, :dead, :oldest_us)
on conflict (at, queue) do update set
    ready = excluded.ready, running = excluded.running, scheduled = excluded.scheduled, waiting = excluded.waiting,
    dead = excluded.dead, oldest_us = excluded.oldest_us;

-- name: depth_points
-- By primary key.
select d.at, d.queue, d.ready, d.running, d.scheduled, d.waiting, d.dead, d.oldest_us
from relet.depth d
where d.at >= :since_at and (:queue = '' or d.queue = :queue)
order by d.at, d.queue;

-- name: depth_prune
-- By primary key.
delete from relet.depth where at < relet.now_us() - :older_us;

-- name: done_at
select d.at from relet.done_last d where d.what = :what;

-- name: done_mark
insert into relet.done_last (what, at) values (:what, relet.now_us())
on conflict (what) do update set at = excluded.at;

-- name: health_all
-- Few rows: what was ever ill, and is still there.
select h.subject, h.healthy, h.failing, h.because, h.since_at from relet.health h order by h.subject;

-- name: health_one
select h.healthy, h.failing, h.because, h.since_at from relet.health h where h.subject = :subject;

-- name: health_put
insert into relet.health (subject, healthy, failing, because, since_at)
values (:subject, :healthy, :failing, :because, relet.now_us())
on conflict (subject) do update set
    since_at = case when relet.health.healthy = excluded.healthy then relet.health.since_at else excluded.since_at end,
    healthy = excluded.healthy, failing = excluded.failing, because = excluded.because;

-- name: health_drop
delete from relet.health where subject = :subject;

-- name: health_turn
insert into relet.health_change (subject, at, healthy, because) values (:subject, :at, :healthy, :because)
on conflict (subject, at) do update set healthy = excluded.healthy, because = excluded.because;

-- name: health_turns
-- Those from then on, and the last one before (primary key), the oldest first.
select c.at, c.healthy, c.because from relet.health_change c
where c.subject = :subject
  and c.at >= coalesce((select max(b.at) from relet.health_change b where b.subject = :subject and b.at <= :since_at), :since_at)
order by c.at;

-- name: health_prune
-- By index health_change_at; the last one of each subject stays.
delete from relet.health_change
where at < relet.now_us() - :older_us
  and at < (select max(c.at) from relet.health_change c where c.subject = relet.health_change.subject);

-- name: workers_live
select s.worker, s.id from relet.session s
where s.ended_at is null and s.boot = relet.boot() and s.lease_until > relet.lease_clock();
