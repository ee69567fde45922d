-- Lanes: one priority of one queue.

-- name: lane_end
select max(r.seq) from relet.ready r where r.queue = :queue and r.rank = :rank;

-- name: lane_ranks
-- The (queue, rank) pairs that have ready jobs: one index probe per pair, whatever the backlog.
-- (A row comparison would be shorter; SQLite would walk the whole lane to find the next one.)
with recursive name(queue) as (
    select min(r.queue) from relet.ready r
    union all
    select (select min(n.queue) from relet.ready n where n.queue > p.queue) from name p where p.queue is not null
),
pair(queue, rank) as (
    select q.queue, (select min(r.rank) from relet.ready r where r.queue = q.queue) from name q where q.queue is not null
    union all
    select p.queue, (select min(n.rank) from relet.ready n where n.queue = p.queue and n.rank > p.rank)
    from pair p where p.rank is not null
)
select queue, rank from pair where rank is not null order by queue, rank;
