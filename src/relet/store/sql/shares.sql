-- Shares: places of jobs whose tenants take turns. See docs/explanation and the room's DESIGN.md.

-- name: share_take
-- So many places for a tenant: the first one, and how far it is to the next. It begins where the lane is served now, or behind
-- the tenant's last job if that is later. A job that has started proves that the lane was served up to its place. One that
-- was cancelled proves nothing, and neither it nor those that went with it are held against the tenant: it begins behind
-- the last job that it still has, at most one step ahead of the lane.
-- Where the lane is served is looked up for the first tenant of a call; for the others it is what has just been written.
insert into relet.share (queue, rank, tenant, salt, place, served, last_id, moved_at)
select g.queue, g.rank, g.tenant, :salt, g.start + :count * g.step, g.served, :last_id, relet.now_us()
from (
    select j.*,
           case when j.due is null then j.served
                when j.last = 'cancelled' then max(j.served, min(j.due, j.step + coalesce(
                    (select max(r.seq) from relet.ready r
                     where r.queue = j.queue and r.rank = j.rank and r.tenant = j.tenant) - :salt, j.served)))
                else max(j.served, j.due) end as start
    from (
        select k.*, case when k.last <> 'cancelled' then max(k.lane_served, k.due - k.step) else k.lane_served end as served
        from (
            select l.*, s.place as due,
                   11531520 / coalesce((select w.weight from relet.weight w where w.queue = l.queue and w.tenant = l.tenant), 1)
                       as step,
                   case when exists (select 1 from relet.running u where u.job_id = s.last_id) then 'started'
                        else (select f.outcome from relet.finished f where f.job_id = s.last_id) end as last
            from (
                select f.*, case when :first = 0 then f.floor else max(f.floor, coalesce(
                           (select r.seq - coalesce((select s.salt from relet.share s
                                                     where s.queue = f.queue and s.rank = f.rank and s.tenant = r.tenant), 0)
                            from relet.ready r
                            where r.queue = f.queue and r.rank = f.rank and r.seq >= f.floor order by r.seq limit 1),
                           (select max(s.place) from relet.share s where s.queue = f.queue and s.rank = f.rank), 0)) end
                       as lane_served
                from (select :queue as queue, :rank as rank, :tenant as tenant,
                             coalesce((select max(s.served) from relet.share s where s.queue = :queue and s.rank = :rank), 0)
                                 as floor) f) l
            left join relet.share s on s.queue = l.queue and s.rank = l.rank and s.tenant = l.tenant) k) j) g
where true
on conflict (queue, rank, tenant) do update
set place = excluded.place, served = excluded.served, last_id = excluded.last_id, moved_at = excluded.moved_at
returning :line,
    place + :salt - :count * (11531520 / coalesce((select w.weight from relet.weight w where w.queue = :queue and w.tenant = :tenant), 1)),
    11531520 / coalesce((select w.weight from relet.weight w where w.queue = :queue and w.tenant = :tenant), 1);

-- name: share_waiting
-- Those of these jobs that become ready, if they still wait.
select w.since, w.job_id, w.queue, w.rank, j.options from relet.waiting w join relet.job j on j.id = w.job_id
where w.job_id = :job_id and not exists (select 1 from relet.scheduled s where s.job_id = w.job_id);

-- name: share_mark
-- Of these jobs, which nothing else holds back, those whose queue has become one of tenants since they were enqueued.
update relet.waiting set flags = flags | 64
where job_id = :job_id and flags & 64 = 0 and exists (select 1 from relet.queue q where q.name = relet.waiting.queue and q.fair = 1)
returning job_id;

-- name: share_free
-- waiting -> ready, at this place, or at the first one behind it that is free.
insert into relet.ready (queue, rank, seq, job_id, task, needs, flags, epoch, attempt, crashes, suspicions, releases, ready_at, tenant)
select w.queue, w.rank,
       relet.free_place(),
       w.job_id, w.task, w.needs, w.flags, w.epoch, w.attempt, w.crashes, w.suspicions, w.releases, relet.now_us(), :tenant
from relet.waiting w where w.job_id = :job_id;

-- name: share_queue
-- A row, if the job's queue is shared by tenants.
select 1 from relet.job j join relet.queue q on q.name = j.queue and q.fair = 1 where j.id = :job_id;

-- What people say.

-- name: weight_put
insert into relet.weight as w (queue, tenant, weight, origin, changed_by, changed_at)
values (:queue, :tenant, :weight, :origin, :by, relet.now_us())
on conflict (queue, tenant) do update
set weight = excluded.weight, origin = excluded.origin, changed_by = excluded.changed_by, changed_at = excluded.changed_at
where w.origin = 'code' or excluded.origin = 'person';

-- name: weight_forget
delete from relet.weight where queue = :queue and tenant = :tenant;

-- name: weight_rows
select w.tenant, w.weight, w.origin from relet.weight w where w.queue = :queue;

-- name: share_rows
-- Tenants of a queue (those that have ready jobs have a row in `share`), with how many are ready, up to a cap for each.
select t.tenant, coalesce((select w.weight from relet.weight w where w.queue = :queue and w.tenant = t.tenant), 1) as weight,
       sum(t.ready) as ready, min(t.oldest) as oldest
from (
    select s.tenant,
           (select count(*) from (select 1 from relet.ready r
                                  where r.queue = :queue and r.rank = s.rank and r.tenant = s.tenant limit :cap) c) as ready,
           (select r.ready_at from relet.ready r
            where r.queue = :queue and r.rank = s.rank and r.tenant = s.tenant order by r.seq limit 1) as oldest
    from relet.share s where s.queue = :queue
    union all
    select w.tenant, 0, null from relet.weight w where w.queue = :queue) t
group by t.tenant
order by 3 desc, 1
limit :limit;

-- name: why_share
-- Of its tenant: the weight, and how many of its ready jobs stand before this one, up to a cap. No row: it has no share.
select m.tenant,
       coalesce((select w.weight from relet.weight w where w.queue = m.queue and w.tenant = m.tenant), 1),
       (select count(*) from (select 1 from relet.ready r
                              where r.queue = m.queue and r.rank = m.rank and r.tenant = m.tenant and r.seq < m.seq
                              limit :cap) c)
from relet.ready m where m.job_id = :job_id and m.tenant is not null;

-- Chores.

-- name: prune_shares
-- A tenant that had no jobs for so long begins anew, which changes its next place by one step at most.
delete from relet.share
where moved_at < relet.now_us() - :idle_us
  and not exists (select 1 from relet.ready r where r.queue = relet.share.queue and r.rank = relet.share.rank
                  and r.tenant = relet.share.tenant);

-- name: prune_fair
-- A queue in which no tenants are known any more is a queue like any other.
update relet.queue set fair = 0
where fair = 1
  and not exists (select 1 from relet.share s where s.queue = relet.queue.name and s.tenant <> '')
  and not exists (select 1 from relet.ready r where r.queue = relet.queue.name and r.tenant is not null);
