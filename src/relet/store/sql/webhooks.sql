-- Webhooks: how they stand, what has happened and is not told yet, and what was sent.
--
-- What has happened is written by triggers, which are there while somebody listens: see sql/ENGINE/webhooks.sql and the steps.

-- name: webhook_hold
-- Nobody else changes webhooks until the commit. SQLite has one writer anyway.
select 1;

-- name: webhook_new
insert into relet.webhook (name, url, format, events, queues, tasks, secrets, active, failures, changed_by, changed_at)
values (:webhook, :url, :format, :events, :queues, :tasks, :secrets, 1, 0, :by, relet.now_us())
on conflict (name) do nothing;

-- name: webhook_change
-- Another definition. Its secrets, and how it went, stay.
update relet.webhook
set url = :url, format = :format, events = :events, queues = :queues, tasks = :tasks, changed_by = :by, changed_at = relet.now_us()
where name = :webhook;

-- name: webhook_secrets
update relet.webhook set secrets = :secrets, changed_by = :by, changed_at = relet.now_us() where name = :webhook;

-- name: webhook_disable
update relet.webhook
set active = 0, disabled_at = relet.now_us(), disabled_by = :by, disable_reason = :reason
where name = :webhook and active = 1;

-- name: webhook_enable
-- With no failures counted.
update relet.webhook
set active = 1, disabled_at = null, disabled_by = null, disable_reason = null, failures = 0, failing_since = null
where name = :webhook and active = 0;

-- name: webhook_delete
delete from relet.webhook where name = :webhook;

-- name: webhook_forget
-- What has happened and was to be told to it.
delete from relet.outbox where webhook = :webhook;

-- name: webhook_rows
-- All, or one. '' stands for any name.
select w.name, w.url, w.format, w.events, w.queues, w.tasks, w.secrets, w.active,
       w.disabled_at, w.disabled_by, w.disable_reason, w.failures, w.failing_since, w.delivered_at, w.error,
       w.changed_by, w.changed_at
from relet.webhook w where :webhook = '' or w.name = :webhook order by w.name;

-- name: webhook_worked
update relet.webhook set failures = 0, failing_since = null, error = null, delivered_at = relet.now_us() where name = :webhook;

-- name: webhook_failed
update relet.webhook
set failures = failures + 1, failing_since = coalesce(failing_since, relet.now_us()), error = :error
where name = :webhook
returning active, failures, failing_since, relet.now_us();

-- name: outbox_notify
-- To the address that the job itself names.
insert into relet.outbox (webhook, event, job_id, epoch, at)
select '', :event, j.id, coalesce(
    (select f.epoch from relet.finished f where f.job_id = j.id), (select d.epoch from relet.dead d where d.job_id = j.id), 0),
    relet.now_us()
from relet.job j where j.id = :job_id;

-- name: outbox_news
-- Whether there is something to tell, somebody who listens, and something that is ready to be sent.
select exists (select 1 from relet.outbox) as news,
       exists (select 1 from relet.webhook w where w.active = 1) as listening,
       exists (select 1 from relet.ready r where r.queue = :queue) as sending;

-- name: outbox_take
-- The oldest. What somebody else is taking is passed by.
delete from relet.outbox where id in (select o.id from relet.outbox o order by o.id limit :limit for update skip locked)
returning id, webhook, event, job_id, epoch, at, details;

-- name: delivery_new
insert into relet.delivery (id, webhook, url, event, job_id, epoch, at, details, sender_id, attempts)
values (:id, :webhook, :url, :event, :job_id, :epoch, :at, :details, :id, 0);

-- name: delivery_body
-- Made once: whoever comes second sends what the first has made.
update relet.delivery set body = :body, format = :format where id = :id and body is null;

-- name: delivery_sender
-- Another job sends it now.
update relet.delivery set sender_id = :sender_id where id = :id;

-- name: delivery_lock
select d.attempts, d.webhook from relet.delivery d where d.id = :id
for update;

-- name: delivery_tried
insert into relet.delivery_attempt (delivery_id, n, at, took_us, status, answer, error)
select d.id, d.attempts + 1, relet.now_us() - :took_us, :took_us, :status, :answer, :error
from relet.delivery d where d.id = :id;

-- name: delivery_counted
update relet.delivery
set attempts = attempts + 1, delivered_at = coalesce(delivered_at, case when :done = 1 then relet.now_us() end)
where id = :id;

-- name: delivery_rows
-- A page, the newest first, of the ids before `before` and not before `least`. '' stands for any webhook, and for any state.
select d.* from (
    select d.id, d.webhook, d.url, d.event, d.job_id, d.epoch, d.at, d.details, d.sender_id, d.body, d.format, d.attempts,
           d.delivered_at, case
               when d.delivered_at is not null then 'delivered'
               when exists (select 1 from relet.dead x where x.job_id = d.sender_id) then 'failed'
               when exists (select 1 from relet.finished x where x.job_id = d.sender_id)
                    or not exists (select 1 from relet.job j where j.id = d.sender_id) then 'dropped'
               else 'pending' end as state
    from relet.delivery d
    where (:webhook = '' or d.webhook = :webhook) and d.id < :before and d.id >= :least
      and (:job_id is null or d.job_id = :job_id)
    order by d.id desc) d
where :state = '' or d.state = :state
limit :limit;

-- name: delivery_attempts
select a.n, a.at, a.took_us, a.status, a.answer, a.error
from relet.delivery_attempt a where a.delivery_id = :id order by a.n;

-- name: prune_deliveries
-- Sent or given up long ago.
select d.id from relet.delivery d
where d.at < relet.now_us() - :older_us
  and not exists (select 1 from relet.job j where j.id = d.sender_id
                  and not exists (select 1 from relet.finished f where f.job_id = j.id)
                  and not exists (select 1 from relet.dead x where x.job_id = j.id and x.resolved = 0))
order by d.id limit :limit;

-- name: erase_delivery
delete from relet.delivery where id = :id;

-- name: erase_delivery_attempts
delete from relet.delivery_attempt where delivery_id = :id;
