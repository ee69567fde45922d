-- name: lane_ends
-- The last place of each of these lanes, in their order: one probe from behind for each.
select (select r.seq from relet.ready r where r.queue = l.queue and r.rank = l.rank order by r.seq desc limit 1)
from unnest(:queue_texts, :rank_integers) as l(queue, rank);
