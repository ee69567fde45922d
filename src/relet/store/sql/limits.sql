-- Limits of queues: the rules that people and code make, and what is counted under them.

-- name: limit_look
select r.concurrency, r.per_worker, r.rates, r.active, r.origin from relet.limit_rule r where r.name = :rule;

-- name: limit_hold
-- As long as it is held, nobody claims from the queue.
select r.concurrency, r.per_worker, r.rates, r.active, r.origin from relet.limit_rule r where r.name = :rule
for update;

-- name: limit_freeze
-- Before the first limit of a queue: nobody is in the middle of a claim. One writer at a time needs no more.
select 1;

-- name: limit_put
insert into relet.limit_rule (name, concurrency, per_worker, rates, active, origin, changed_by, changed_at)
values (:rule, :concurrency, :per_worker, :rates, :active, :origin, :by, relet.now_us())
on conflict (name) do update
set concurrency = excluded.concurrency, per_worker = excluded.per_worker, rates = excluded.rates, active = excluded.active,
    origin = excluded.origin, changed_by = excluded.changed_by, changed_at = excluded.changed_at,
    paused_until = case when relet.limit_rule.origin <> '' then relet.limit_rule.paused_until end;

-- name: limit_mark
-- What runs already is counted, too.
update relet.running set counted = 1 where queue = :queue and counted is null;

-- name: limit_forget
delete from relet.limit_rule where name = :rule;

-- name: limit_tallies
-- What counts, or did a moment ago.
select t.window_us, t.step, t.units from relet.tally t where t.limit_name = :rule and t.key = '' order by t.window_us, t.step;

-- name: tally_clear
-- Windows that the rule has no more.
delete from relet.tally where limit_name = :rule and key = '' and window_us = :window_us;

-- name: limit_rules
-- The queues that are limited, and how.
select r.name, r.concurrency, r.per_worker, r.rates, r.active, r.origin, r.changed_by, r.changed_at
from relet.limit_rule r where r.name between 'queue:' and 'queue;' order by r.name;

-- name: limit_running
-- The marked claims of a queue, by session (index running_counted).
select r.session_id, count(*) from relet.running r where r.queue = :queue and r.counted is not null group by r.session_id;
