-- Budgets. What is used of one is held from reading it to the commit, so that two turns that spend from it come one after the other.

-- name: budget_rules
-- All of them; few.
select b.name, b.rule from relet.budget b order by b.name;

-- name: budget_all
select b.name, b.rule, b.origin, b.changed_by, b.changed_at from relet.budget b order by b.name;

-- name: budget_look
select b.rule, b.origin from relet.budget b where b.name = :budget;

-- name: budget_keep
-- Those that are spent from stay as they are until the commit.
select b.name, b.rule from relet.budget b where b.name = :budget for key share;

-- name: budget_hold
-- All of them: whoever steers one closes and opens what others close, too.
select b.name, b.rule, b.origin from relet.budget b order by b.name for update;

-- name: budget_put
insert into relet.budget (name, rule, origin, changed_by, changed_at) values (:budget, :rule, :origin, :by, relet.now_us())
on conflict (name) do update
set rule = excluded.rule, origin = excluded.origin, changed_by = excluded.changed_by, changed_at = excluded.changed_at;

-- name: budget_forget
delete from relet.budget where name = :budget;

-- name: budget_unuse
delete from relet.budget_use where budget = :budget;

-- name: budget_again
-- As if it had closed and told nothing yet.
update relet.budget_use set warned_at = null, exceeded_at = null, lifted_at = null, untold = null where budget = :budget;

-- name: budget_closed
select u.key, u.until_at from relet.budget_use u
where u.budget = :budget and u.exceeded_at is not null and u.lifted_at is null and u.until_at > relet.now_us();

-- name: budget_new
insert into relet.budget_use (budget, key, began_at, until_at, whole, part) values (:budget, :key, 0, 0, 0, 0)
on conflict do nothing;

-- name: budget_used
select u.began_at, u.until_at, u.whole, u.part, u.warned_at, u.exceeded_at, u.lifted_at
from relet.budget_use u where u.budget = :budget and u.key = :key
for update;

-- name: budget_write
-- What was to be told of another window is told no more.
update relet.budget_use
set untold = coalesce(:untold, case when began_at = :began_at then untold end),
    began_at = :began_at, until_at = :until_at, whole = :whole, part = :part,
    warned_at = :warned_at, exceeded_at = :exceeded_at, lifted_at = :lifted_at
where budget = :budget and key = :key;

-- name: budget_shut
-- The pause of a queue until the window ends. One that ends later, or not by itself, stays as it is.
insert into relet.queue (name, paused_at, paused_by, pause_reason, resume_at)
values (:queue, relet.now_us(), :by, :reason, :until_at)
on conflict (name) do update
set paused_at = excluded.paused_at, paused_by = excluded.paused_by,
    pause_reason = excluded.pause_reason, resume_at = excluded.resume_at
where relet.queue.paused_at is null or relet.queue.resume_at < excluded.resume_at;

-- name: budget_refuse
-- The same of new jobs.
insert into relet.queue (name, closed_at, closed_by, close_reason, reopen_at)
values (:queue, relet.now_us(), :by, :reason, :until_at)
on conflict (name) do update
set closed_at = excluded.closed_at, closed_by = excluded.closed_by,
    close_reason = excluded.close_reason, reopen_at = excluded.reopen_at
where relet.queue.closed_at is null or relet.queue.reopen_at < excluded.reopen_at;

-- name: budget_unshut
update relet.queue set paused_at = null, paused_by = null, pause_reason = null, resume_at = null
where name = :queue and paused_at is not null and paused_by = :by;

-- name: budget_accept
update relet.queue set closed_at = null, closed_by = null, close_reason = null, reopen_at = null
where name = :queue and closed_at is not null and closed_by = :by;

-- name: budget_untold
-- Index budget_untold. Each is told of once, to whoever asks.
update relet.budget_use set untold = null where untold is not null
returning budget, key, began_at, until_at, whole, part, warned_at, exceeded_at, lifted_at;

-- name: budget_one
select u.began_at, u.until_at, u.whole, u.part, u.warned_at, u.exceeded_at, u.lifted_at
from relet.budget_use u where u.budget = :budget and u.key = :key;

-- name: budget_uses
-- By primary key; the keys behind one.
select u.key, u.began_at, u.until_at, u.whole, u.part, u.warned_at, u.exceeded_at, u.lifted_at
from relet.budget_use u where u.budget = :budget and u.key > :key_behind
order by u.key limit :limit;

-- name: budget_first
select u.key, u.began_at, u.until_at, u.whole, u.part, u.warned_at, u.exceeded_at, u.lifted_at
from relet.budget_use u where u.budget = :budget
order by u.key limit :limit;

-- name: budget_prune
delete from relet.budget_use where until_at < relet.now_us() - :older_us;

-- name: budget_of_limit
-- For why: budgets that are used up, with their keys.
select b.name, b.rule from relet.budget b cross join relet.budget_use u
where u.budget = b.name and u.key = :key and u.exceeded_at is not null and u.lifted_at is null and u.until_at > relet.now_us();
