-- Limits on PostgreSQL.

-- name: limit_freeze
-- Waits for the transactions that claim or settle just now, and holds up others until the commit: a claim that begins
-- later sees the rule, and one that began before is seen when what runs is marked.
select relet.freeze_claims();

-- name: limit_claim
-- The rules of the queues that a turn claims from, held until its commit; by name, so that no two turns wait for each other.
-- A rule that somebody else holds is passed by: he claims just now, and the turn's other queues shall not wait for him.
select r.name from relet.limit_rule r where r.name = any(:rule_texts) order by r.name for update skip locked;

-- name: settle_running
-- As everywhere else: whether this deletes a row is the answer. A slot of a limited queue that it frees wakes who waits for it.
with gone as (
    delete from relet.running where job_id = :job_id and session_id = :session_id and epoch = :epoch returning queue, counted)
select case when g.counted is not null then relet.ring_freed(array[g.queue]) end from gone g;

-- name: reclaim_running
with gone as (delete from relet.running where session_id = :session_id returning queue, counted)
select relet.ring_freed(array_agg(g.queue)) from gone g where g.counted is not null having count(*) > 0;
