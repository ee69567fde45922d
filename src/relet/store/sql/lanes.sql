-- Lanes: one priority of one queue.

-- name: lane_end
select max(r.seq) from relet.ready r where r.queue = :queue and r.rank = :rank;

-- name: lane_ranks
-- The (queue, rank) pairs that have ready jobs: one index probe per pair, whatever the backlog.
with recursive pair(queue, rank) as (
    select (select r.queue from relet.ready r order by r.queue, r.rank limit 1),
           (select r.rank from relet.ready r order by r.queue, r.rank limit 1)
    union all
    select (select n.queue from relet.ready n where (n.queue, n.rank) > (p.queue, p.rank) order by n.queue, n.rank limit 1),
           (select n.rank from relet.ready n where (n.queue, n.rank) > (p.queue, p.rank) order by n.queue, n.rank limit 1)
    from pair p where p.queue is not null
)
select queue, rank from pair where queue is not null;
