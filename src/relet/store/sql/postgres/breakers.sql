-- Circuit breakers on PostgreSQL.

-- name: breaker_wake
-- As the portable one, breaker by breaker along the index, whatever the statistics say.
update relet.scheduled s
set breaker = null, run_at = least(s.run_at, (select relet.now_us()) + :soon_us)
where s.ctid = any(array(
    select w.place from relet.breaker b
    cross join lateral (
        select s.ctid as place from relet.scheduled s where s.breaker = b.name
        order by s.run_at limit :limit
        for update skip locked) w
    where b.opened_at is null
    limit :limit));
