-- Sums of what runs consume. They are written behind everything else in a turn, in the order of their keys.

-- name: spend_job
-- What entries of a job are added up by; and the store's time.
select j.id, j.queue, j.task, j.options, relet.now_us() from relet.job j where j.id = :job_id;

-- name: spend_add
-- A sum ends where it could not grow any more.
insert into relet.spend (step_us, at, queue, task, model, tenant, kind, unit, whole, part)
values (:step_us, :at, :queue, :task, :model, :tenant, :kind, :unit, :whole, :part)
on conflict (step_us, at, queue, task, model, tenant, kind, unit) do update
set whole = relet.spend.whole + excluded.whole + (relet.spend.part + excluded.part) / 1000000000000,
    part = (relet.spend.part + excluded.part) % 1000000000000
where relet.spend.whole < 9000000000000000000;

-- name: spend_prune
delete from relet.spend where step_us = :step_us and at < relet.now_us() - :older_us;

-- name: insight_spent
-- By primary key. What is not asked for is "", and added up. A part is given in two, each of which can be added up nine million times.
select case when :by_at = 1 then s.at else 0 end, case when :by_queue = 1 then s.queue else '' end,
       case when :by_task = 1 then s.task else '' end, case when :by_model = 1 then s.model else '' end,
       case when :by_tenant = 1 then s.tenant else '' end, case when :by_kind = 1 then s.kind else '' end, s.unit,
       cast(sum(s.whole) as bigint), cast(sum(s.part / 1000000) as bigint), cast(sum(s.part % 1000000) as bigint)
from relet.spend s
where s.step_us = :step_us and s.at >= :least_at and s.at < :before_at
  and (:queue = '' or s.queue = :queue) and (:task = '' or s.task = :task)
  and (:model = '' or s.model = :model) and (:tenant = '' or s.tenant = :tenant)
group by 1, 2, 3, 4, 5, 6, 7
order by 1, 2, 3, 4, 5, 6, 7
limit :limit;
