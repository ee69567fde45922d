-- Shares: tenants of one queue take turns, by weight.

-- The tenant for which a place among others was given. Null: a place in the order of arrival, or at the head.
alter table relet.ready add column tenant text collate "C";
create index ready_tenant on relet.ready (queue, rank, tenant, seq) where tenant is not null;

-- Two tenants may be given the same place: so places are not unique any more.
alter table relet.ready drop constraint ready_pkey;
create index ready_place on relet.ready (queue, rank, seq);
alter table relet.ready replica identity using index ready_job;

-- Whether places of this queue are given by shares.
alter table relet.queue add column fair integer not null default 0;

-- How far a tenant has come in one lane: the place behind its last job, which job that was, and where the lane was served when
-- that place was given. `salt` is how far its jobs stand behind the places that they are given, so that tenants do not meet.
create table relet.share (
    place bigint, served bigint, moved_at bigint not null, last_id uuid,
    rank integer not null, salt integer not null, queue text collate "C" not null, tenant text collate "C" not null,
    primary key (queue, rank, tenant)
) with (fillfactor = 70);
create index share_place on relet.share (queue, rank, place);
create index share_served on relet.share (queue, rank, served);
alter table relet.share set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0);

-- Of tenants whose weight is not 1.
create table relet.weight (
    queue text collate "C" not null, tenant text collate "C" not null,
    weight integer not null, origin text not null, changed_by text not null, changed_at bigint not null,
    primary key (queue, tenant)
);

-- So many places for each of these tenants, which come in order: the first one, and how far it is to the next. `share_take` in
-- sql/shares.sql says by which rule. The rows of `share` are locked by one statement and read by another, whose snapshot has
-- what the last holder of the lock has written.
create function relet.share_take(queues text[], ranks bigint[], tenants text[], counts bigint[], salts bigint[], lasts uuid[])
    returns table (line bigint, of_tenant text, first_place bigint, step bigint)
    language plpgsql as $$
begin
    insert into relet.queue (name, fair)
    select distinct e.queue, 1 from unnest(queues, tenants) as e(queue, tenant)
    where e.tenant <> '' and not exists (select 1 from relet.queue q where q.name = e.queue and q.fair = 1)
    order by 1
    on conflict (name) do update set fair = 1;

    insert into relet.share (queue, rank, tenant, salt, moved_at)
    select e.queue, e.rank, e.tenant, e.salt, relet.now_us()
    from unnest(queues, ranks, tenants, salts) as e(queue, rank, tenant, salt)
    on conflict (queue, rank, tenant) do update set moved_at = excluded.moved_at;

    return query
    with wanted as materialized (
        select e.n, e.queue, e.rank::integer as rank, e.tenant, e.count, e.salt, e.last_id
        from unnest(queues, ranks, tenants, counts, salts, lasts) with ordinality
            as e(queue, rank, tenant, count, salt, last_id, n)),
    floors as materialized (
        select l.queue, l.rank,
               coalesce((select max(s.served) from relet.share s where s.queue = l.queue and s.rank = l.rank), 0) as floor
        from (select distinct w.queue, w.rank from wanted w) l),
    lanes as materialized (
        select f.queue, f.rank,
               greatest(f.floor, coalesce(
                   (select r.seq - coalesce((select s.salt from relet.share s
                                             where s.queue = f.queue and s.rank = f.rank and s.tenant = r.tenant), 0)
                    from relet.ready r where r.queue = f.queue and r.rank = f.rank and r.seq >= f.floor
                    order by r.queue, r.rank, r.seq limit 1),
                   (select max(s.place) from relet.share s where s.queue = f.queue and s.rank = f.rank))) as served
        from floors f),
    known as materialized (
        select w.*, s.place as due, l.served as lane_served,
               11531520 / coalesce((select g.weight from relet.weight g where g.queue = w.queue and g.tenant = w.tenant), 1) as step,
               case when exists (select 1 from relet.running u where u.job_id = s.last_id) then 'started'
                    else (select f.outcome from relet.finished f where f.job_id = s.last_id) end as last
        from wanted w
        join lanes l on l.queue = w.queue and l.rank = w.rank
        join relet.share s on s.queue = w.queue and s.rank = w.rank and s.tenant = w.tenant),
    judged as materialized (
        select k.*, case when k.last <> 'cancelled' then greatest(k.lane_served, k.due - k.step) else k.lane_served end as served
        from known k),
    given as materialized (
        select j.*,
               case when j.due is null then j.served
                    when j.last = 'cancelled' then greatest(j.served, least(j.due, j.step + coalesce(
                        (select r.seq - j.salt from relet.ready r
                         where r.queue = j.queue and r.rank = j.rank and r.tenant = j.tenant and r.tenant is not null
                         order by r.queue desc, r.rank desc, r.tenant desc, r.seq desc limit 1), j.served)))
                    else greatest(j.served, j.due) end as start
        from judged j),
    moved as (
        update relet.share s
        set place = g.start + g.count * g.step, served = g.served, last_id = g.last_id, moved_at = relet.now_us()
        from given g where s.queue = g.queue and s.rank = g.rank and s.tenant = g.tenant)
    select g.n, g.tenant, g.start + g.salt, g.step::bigint from given g;
end $$;
