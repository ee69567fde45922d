-- Reading, for people. Every statement is bounded by a limit or a cap and walks an index, which its sentence names.

-- name: insight_jobs
-- A page of jobs, newest first: the ids before `before` and not before `least`, found by the table of the state that is wanted (each by its
-- primary key, backwards; on ready by index ready_job), then looked up whole, each by primary keys. Or one job by its id.
-- Of the parts of `page`, all but one are ruled out by `state` before they read anything. '' stands for any text.
-- (Pointers are put in order before the join, so that no engine walks the jobs instead. The page is put in order by the
-- caller, for the same reason.)
with page(id) as materialized (
    select j.id from relet.job j where :state = 'this' and j.id = :job_id
    union all
    select id from (
        select j.id from relet.job j
        where :state = 'any' and j.id < :before and j.id >= :least
          and (:task = '' or j.task = :task) and (:queue = '' or j.queue = :queue)
          and (:created_after < 0 or j.created_at >= :created_after) and (:created_before < 0 or j.created_at < :created_before)
          and (:worker = ''
               or exists (select 1 from relet.running u join relet.session w on w.id = u.session_id
                          where u.job_id = j.id and w.worker = :worker)
               or exists (select 1 from relet.finished f join relet.session w on w.id = f.session_id
                          where f.job_id = j.id and w.worker = :worker)
               or exists (select 1 from relet.dead d join relet.session w on w.id = d.session_id
                          where d.job_id = j.id and w.worker = :worker))
        order by j.id desc limit :limit) any_state
    union all
    select id from (
        select j.id
        from (select job_id from relet.waiting
              where job_id < :before and job_id >= :least and (:task = '' or task = :task) and (:queue = '' or queue = :queue)
              order by job_id desc) p
        join relet.job j on j.id = p.job_id
        where :state = 'waiting' and :worker = ''
          and (:created_after < 0 or j.created_at >= :created_after) and (:created_before < 0 or j.created_at < :created_before)
        order by p.job_id desc limit :limit) held_back
    union all
    select id from (
        select j.id
        from (select job_id from relet.scheduled
              where job_id < :before and job_id >= :least and (:task = '' or task = :task) and (:queue = '' or queue = :queue)
              order by job_id desc) p
        join relet.job j on j.id = p.job_id
        where :state = 'scheduled' and :worker = ''
          and (:created_after < 0 or j.created_at >= :created_after) and (:created_before < 0 or j.created_at < :created_before)
        order by p.job_id desc limit :limit) due
    union all
    select id from (
        select j.id
        from (select job_id from relet.ready
              where job_id < :before and job_id >= :least and (:task = '' or task = :task) and (:queue = '' or queue = :queue)
              order by job_id desc) p
        join relet.job j on j.id = p.job_id
        where :state = 'ready' and :worker = ''
          and (:created_after < 0 or j.created_at >= :created_after) and (:created_before < 0 or j.created_at < :created_before)
        order by p.job_id desc limit :limit) queued
    union all
    select id from (
        select j.id
        from (select job_id, session_id, claimed_at from relet.running where job_id < :before and job_id >= :least order by job_id desc) p
        join relet.job j on j.id = p.job_id
        left join relet.session w on w.id = p.session_id
        where :state = 'running'
          and (:task = '' or j.task = :task) and (:queue = '' or j.queue = :queue) and (:worker = '' or w.worker = :worker)
          and (:created_after < 0 or j.created_at >= :created_after) and (:created_before < 0 or j.created_at < :created_before)
          -- Stuck: running for too long, or held by a session that is not live.
          and (:stuck_us < 0 or p.claimed_at < relet.now_us() - :stuck_us or w.id is null or w.ended_at is not null
               or w.boot <> relet.boot() or w.lease_until <= relet.lease_clock())
        order by p.job_id desc limit :limit) held
    union all
    select id from (
        select j.id
        from (select job_id, session_id from relet.dead where job_id < :before and job_id >= :least order by job_id desc) p
        join relet.job j on j.id = p.job_id
        where :state = 'dead'
          and (:task = '' or j.task = :task) and (:queue = '' or j.queue = :queue)
          and (:worker = '' or p.session_id in (select w.id from relet.session w where w.worker = :worker))
          and (:created_after < 0 or j.created_at >= :created_after) and (:created_before < 0 or j.created_at < :created_before)
        order by p.job_id desc limit :limit) buried
    union all
    select id from (
        select j.id
        from (select job_id, session_id from relet.finished
              where outcome = :state and job_id < :before and job_id >= :least order by job_id desc) p
        join relet.job j on j.id = p.job_id
        where :state in ('succeeded', 'cancelled')
          and (:task = '' or j.task = :task) and (:queue = '' or j.queue = :queue)
          and (:worker = '' or p.session_id in (select w.id from relet.session w where w.worker = :worker))
          and (:created_after < 0 or j.created_at >= :created_after) and (:created_before < 0 or j.created_at < :created_before)
        order by p.job_id desc limit :limit) ended
)
select j.id, j.task, j.queue, j.priority,
       case when h.job_id is not null then 'waiting'
            when s.job_id is not null then 'scheduled'
            when r.job_id is not null then 'ready'
            when u.job_id is not null then 'running'
            when d.job_id is not null then 'dead'
            else f.outcome end,
       j.args, j.options, j.needs, j.created_at,
       coalesce(h.epoch, s.epoch, r.epoch, u.epoch, d.epoch, f.epoch),
       coalesce(h.attempt, s.attempt, r.attempt, u.attempt, d.attempt, f.attempt),
       coalesce(h.crashes, s.crashes, r.crashes, u.crashes, d.crashes, 0),
       coalesce(h.suspicions, s.suspicions, r.suspicions, u.suspicions, 0),
       coalesce(h.releases, s.releases, r.releases, u.releases, 0),
       coalesce(h.run_at, s.run_at), w.id, w.worker,
       coalesce(u.claimed_at, f.started_at, case when d.job_id is not null then a.started_at end),
       coalesce(f.finished_at, d.failed_at),
       f.result,
       -- Of a job that waits again, why its last run ended.
       case when f.outcome = 'succeeded' then null else coalesce(d.error, f.error, a.error) end,
       u.percent, u.message, c.reason
from page
cross join relet.job j -- in this order, whatever SQLite guesses
left join relet.waiting h on h.job_id = j.id
left join relet.scheduled s on s.job_id = j.id
left join relet.ready r on r.job_id = j.id
left join relet.running u on u.job_id = j.id
left join relet.dead d on d.job_id = j.id
left join relet.finished f on f.job_id = j.id
left join relet.session w on w.id = coalesce(u.session_id, d.session_id, f.session_id)
left join relet.attempt a on a.job_id = j.id and a.epoch = coalesce(h.epoch, s.epoch, r.epoch, d.epoch)
left join relet.control c on c.job_id = j.id and c.verb = 'cancel' and d.job_id is null and f.job_id is null
where j.id = page.id;

-- name: insight_window
-- The id of the job that is so many behind this one.
select j.id from relet.job j where j.id < :before order by j.id desc limit 1 offset :n;

-- name: insight_search
-- Which of the next jobs have a text in their task, arguments or errors. As many jobs as `limit` are looked at, by their ids
-- backwards (primary key); their errors by primary keys.
select j.id, j.created_at,
       case when lower(j.task) like lower(:error_like) escape '!'
              or lower(j.args) like lower(:error_like) escape '!'
              or exists (select 1 from relet.dead d where d.job_id = j.id and lower(d.error) like lower(:error_like) escape '!')
              or exists (select 1 from relet.attempt a
                         where a.job_id = j.id and lower(a.error) like lower(:error_like) escape '!')
            then 1 else 0 end
from (select id, created_at, task, args from relet.job where id < :before order by id desc limit :limit) j
order by j.id desc;

-- name: insight_attempts
-- The newest claims that ended, the successful one included; both by primary key.
select job_id, epoch, session_id, worker, started_at, ended_at, outcome, error, stack
from (select a.job_id, a.epoch, a.session_id, w.worker, a.started_at, a.ended_at, a.outcome, a.error, a.stack
      from relet.attempt a left join relet.session w on w.id = a.session_id
      where a.job_id = :job_id
      union all
      select f.job_id, f.epoch, f.session_id, w.worker, f.started_at, f.finished_at, 'success', '', ''
      from relet.finished f left join relet.session w on w.id = f.session_id
      where f.job_id = :job_id and f.outcome = 'succeeded') ended
order by epoch desc limit :limit;

-- name: insight_parents
-- What a job comes after, and how each of these stands (all by primary key). Those that are open come first.
select e.child_id, e.parent_id, e.need, e.hold, e.outcome, coalesce(j.task, b.label), b.id is not null,
       case when b.id is not null then (case when b.ended_at is null then 'open' when b.dead + b.cancelled > 0 then 'failed'
                                             else 'succeeded' end)
            when h.job_id is not null then 'waiting'
            when s.job_id is not null then 'scheduled'
            when r.job_id is not null then 'ready'
            when u.job_id is not null then 'running'
            when d.job_id is not null then 'dead'
            else f.outcome end
from (select * from relet.edge where child_id = :job_id
      order by case when outcome is null then 0 else 1 end, parent_id limit :limit) e
left join relet.job j on j.id = e.parent_id
left join relet.batch b on b.id = e.parent_id
left join relet.waiting h on h.job_id = j.id
left join relet.scheduled s on s.job_id = j.id
left join relet.ready r on r.job_id = j.id
left join relet.running u on u.job_id = j.id
left join relet.dead d on d.job_id = j.id
left join relet.finished f on f.job_id = j.id
order by case when e.outcome is null then 0 else 1 end, e.parent_id;

-- name: insight_children
-- What comes after a job or a batch (index edge_parent), the oldest first.
select e.child_id, e.parent_id, e.need, e.hold, e.outcome, j.task, 1 = 0,
       case when h.job_id is not null then 'waiting'
            when s.job_id is not null then 'scheduled'
            when r.job_id is not null then 'ready'
            when u.job_id is not null then 'running'
            when d.job_id is not null then 'dead'
            else f.outcome end
from (select * from relet.edge where parent_id = :job_id order by child_id limit :limit) e
left join relet.job j on j.id = e.child_id
left join relet.waiting h on h.job_id = j.id
left join relet.scheduled s on s.job_id = j.id
left join relet.ready r on r.job_id = j.id
left join relet.running u on u.job_id = j.id
left join relet.dead d on d.job_id = j.id
left join relet.finished f on f.job_id = j.id
order by e.child_id;

-- name: insight_edges
-- How many edges a job has, and how many of them are open (primary key).
select count(*), count(case when e.outcome is null then 1 end) from relet.edge e where e.child_id = :job_id;

-- name: insight_results
-- What the parents of a job returned (all by primary key), in the order in which it named them.
select e.parent_id, e.outcome, j.task, f.result, f.outcome
from relet.edge e
left join relet.job j on j.id = e.parent_id
left join relet.finished f on f.job_id = e.parent_id
where e.child_id = :job_id
order by e.place;

-- name: insight_batch
select b.id, b.label, b.total, b.open, b.succeeded, b.dead, b.cancelled, b.created_at, b.ended_at
from relet.batch b where b.id = :batch_id;

-- name: insight_batches
-- The newest first (primary key, backwards; those that are open by index batch_open).
select b.id, b.label, b.total, b.open, b.succeeded, b.dead, b.cancelled, b.created_at, b.ended_at
from relet.batch b
where b.id < :before and (:label = '' or b.label = :label) and (:state <> 'open' or b.ended_at is null)
order by b.id desc limit :limit;

-- name: insight_members
-- The jobs of a batch, the oldest first (primary key), by what became of them.
select m.job_id from relet.member m
where m.batch_id = :batch_id and m.job_id > :past
  and (:state = ''
       or (:state = 'dead' and exists (select 1 from relet.dead d where d.job_id = m.job_id))
       or (:state = 'open' and not exists (select 1 from relet.dead d where d.job_id = m.job_id)
                           and not exists (select 1 from relet.finished f where f.job_id = m.job_id)
                           and exists (select 1 from relet.job j where j.id = m.job_id))
       or exists (select 1 from relet.finished f where f.job_id = m.job_id and f.outcome = :state))
order by m.job_id limit :limit;

-- name: insight_logs
-- By primary key.
select l.job_id, l.epoch, l.n, l.at, l.level, l.message, l.fields
from relet.log_line l
where l.job_id = :job_id and (l.epoch, l.n) > (:epoch, :n)
order by l.epoch, l.n limit :limit;

-- name: insight_usage
-- By primary key.
select u.job_id, u.epoch, u.n, u.kind, u.amount, u.unit, u.details
from relet.usage u where u.job_id = :job_id and (u.epoch, u.n) > (:epoch, :n)
order by u.epoch, u.n limit :limit;

-- name: insight_sessions
-- The registry: as many rows as worker processes began lately (retention prunes it). Those that have not ended come first.
select s.id, s.worker, s.host, s.pid, s.host_boot, s.lock_place, s.queues, s.tasks, s.offers, s.slots, s.tier, s.version,
       s.started_at, s.renewed_at, s.lease_us, s.ended_at, s.end_cause, s.busy, s.done, s.failed, s.rss_bytes,
       s.turned_at, s.verb,
       s.ended_at is null and s.boot = relet.boot() and s.lease_until > relet.lease_clock(),
       -- By index running_session.
       (select count(*) from relet.running u where u.session_id = s.id)
from relet.session s
where s.ended_at is null or s.ended_at >= relet.now_us() - :ended_within_us
order by case when s.ended_at is null then 0 else 1 end, s.started_at desc, s.id
limit :limit;

-- name: insight_leases
-- What is held now: `running` is never longer than all workers' slots. Jobs and sessions by primary key.
select u.job_id, j.task, u.queue, u.epoch, u.attempt, coalesce(w.worker, ''), u.session_id, u.claimed_at,
       coalesce(w.renewed_at + w.lease_us, u.claimed_at),
       w.id is null or w.ended_at is not null or w.boot <> relet.boot() or w.lease_until <= relet.lease_clock(),
       u.percent, u.message
from relet.running u
join relet.job j on j.id = u.job_id
left join relet.session w on w.id = u.session_id
order by u.claimed_at, u.job_id limit :limit;

-- name: queue_settings
-- A pause whose end has come counts no more, whether or not a chore has cleared it. Primary key; few rows.
select q.name, case when q.resume_at <= relet.now_us() then null else q.paused_at end,
       q.paused_by, q.pause_reason, q.resume_at,
       case when q.reopen_at <= relet.now_us() then null else q.closed_at end, q.closed_by, q.close_reason
from relet.queue q
where (:queue = '' or q.name = :queue) and (q.paused_at is not null or q.closed_at is not null)
order by q.name;

-- name: queue_lanes
-- Each (queue, rank) that has ready jobs, how many up to a cap, and its oldest: places from zero on were given in the
-- order of arrival, those below zero (given back, at the head) in the reverse. Primary key: a few probes per lane.
with recursive name(queue) as (
    select min(r.queue) from relet.ready r
    union all
    select (select min(n.queue) from relet.ready n where n.queue > p.queue) from name p where p.queue is not null
),
lane(queue, rank) as (
    select q.queue, (select min(r.rank) from relet.ready r where r.queue = q.queue) from name q where q.queue is not null
    union all
    select p.queue, (select min(n.rank) from relet.ready n where n.queue = p.queue and n.rank > p.rank)
    from lane p where p.rank is not null
)
select l.queue,
       (select count(*) from (select 1 from relet.ready r where r.queue = l.queue and r.rank = l.rank limit :cap) capped),
       (select r.ready_at from relet.ready r where r.queue = l.queue and r.rank = l.rank and r.seq >= 0
        order by r.seq limit 1),
       (select r.ready_at from relet.ready r where r.queue = l.queue and r.rank = l.rank and r.seq < 0
        order by r.seq desc limit 1)
from lane l where l.rank is not null;

-- name: queue_scheduled
-- Per queue, over at most `cap` rows in the order in which they are due (index scheduled_due).
select s.queue, count(*) from (select queue from relet.scheduled order by run_at, job_id limit :cap) s group by s.queue;

-- name: queue_waiting
-- Per queue, over at most `cap` rows (primary key).
select w.queue, count(*) from (select queue from relet.waiting order by job_id limit :cap) w group by w.queue;

-- name: queue_running
-- Per queue; `running` is never longer than all workers' slots.
select u.queue, count(*) from (select queue from relet.running limit :cap) u group by u.queue;

-- name: queue_dead
-- Unresolved ones per queue, the newest up to a cap (primary key, backwards).
select j.queue, count(*)
from (select job_id from relet.dead where resolved = 0 order by job_id desc limit :cap) d
join relet.job j on j.id = d.job_id group by j.queue;

-- name: count_pointers
-- Jobs per state, each counted up to a cap; whole tables, no sort.
select (select count(*) from (select 1 from relet.waiting limit :cap) w),
       (select count(*) from (select 1 from relet.scheduled limit :cap) s),
       (select count(*) from (select 1 from relet.ready limit :cap) r),
       (select count(*) from (select 1 from relet.running limit :cap) u),
       (select count(*) from (select 1 from relet.dead limit :cap) d);

-- name: count_finished
-- How the newest that ended did end (primary key, backwards).
select f.outcome, count(*)
from (select outcome from relet.finished order by job_id desc limit :cap) f group by f.outcome;

-- name: why_ahead
-- Ready jobs of the same queue before this one, up to a cap (primary key), and since when it is ready.
select m.ready_at,
       (select count(*) from (select 1 from relet.ready r
                              where r.queue = m.queue and (r.rank, r.seq) < (m.rank, m.seq) limit :cap) capped)
from relet.ready m where m.job_id = :job_id;

-- name: why_last
-- How its last claim ended, if it was not a success (primary key).
select a.outcome from relet.attempt a where a.job_id = :job_id order by a.epoch desc limit 1;

-- name: why_put_off
-- The breaker around a call that has put it off, if one has (primary key).
select s.breaker from relet.scheduled s where s.job_id = :job_id and s.breaker is not null;

-- name: why_dead
select d.reason, d.resolved from relet.dead d where d.job_id = :job_id;

-- name: why_session
-- The session of the claim that stands: gone, ended, lapsed or live.
select coalesce(w.worker, ''), u.claimed_at, w.renewed_at, w.lease_us,
       w.ended_at is null and w.boot = relet.boot() and w.lease_until > relet.lease_clock()
from relet.running u left join relet.session w on w.id = u.session_id where u.job_id = :job_id;

-- name: health_schema
select max(version), max(floor) from relet.schema_version;

-- name: health_facts
-- What `doctor` judges. Running rows and sessions are few; dead letters are looked at up to a cap.
select relet.now_us(),
       (select min(s.run_at) from relet.scheduled s),
       (select count(*) from (select 1 from relet.dead where resolved = 0 limit :cap) d),
       (select min(d.failed_at) from (select failed_at from relet.dead where resolved = 0 order by job_id limit :cap) d),
       (select count(*) from relet.session w
        where w.ended_at is null and w.boot = relet.boot() and w.lease_until > relet.lease_clock()),
       (select count(*) from relet.session w
        where w.ended_at is null and (w.boot <> relet.boot() or w.lease_until <= relet.lease_clock())),
       (select count(*) from relet.running u where not exists (
            select 1 from relet.session w where w.id = u.session_id and w.ended_at is null
                                            and w.boot = relet.boot() and w.lease_until > relet.lease_clock())),
       (select count(*) from relet.queue q
        where q.paused_at is not null and (q.resume_at is null or q.resume_at > relet.now_us())),
       (select count(*) from relet.queue q where q.closed_at is not null and (q.reopen_at is null or q.reopen_at > relet.now_us()));
