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

-- How far a tenant has come in one lane: the place behind its last job.
create table relet.share (
    place bigint, moved_at bigint not null,
    rank integer not null, queue text collate "C" not null, tenant text collate "C" not null,
    primary key (queue, rank, tenant)
) with (fillfactor = 70);
create index share_last on relet.share (queue, rank, place);
alter table relet.share set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0);

-- Of tenants whose weight is not 1.
create table relet.weight (
    queue text collate "C" not null, tenant text collate "C" not null,
    weight integer not null, changed_by text not null, changed_at bigint not null,
    primary key (queue, tenant)
);

-- So many places for each of these tenants, which come in order: the first one, and how far it is to the next. The rows of
-- `share` are locked by one statement and read by another, whose snapshot has what the last holder of the lock has written.
create function relet.share_take(queues text[], ranks bigint[], tenants text[], counts bigint[], salts bigint[])
    returns table (of_queue text, of_rank integer, of_tenant text, first_place bigint, step bigint) language plpgsql as $$
begin
    insert into relet.queue (name, fair)
    select distinct e.queue, 1 from unnest(queues, tenants) as e(queue, tenant)
    where e.tenant <> '' and not exists (select 1 from relet.queue q where q.name = e.queue and q.fair = 1)
    order by 1
    on conflict (name) do update set fair = 1;

    insert into relet.share (queue, rank, tenant, place, moved_at)
    select e.queue, e.rank, e.tenant, null, relet.now_us() from unnest(queues, ranks, tenants) as e(queue, rank, tenant)
    on conflict (queue, rank, tenant) do update set moved_at = excluded.moved_at;

    return query
    with wanted as materialized (
        select e.queue, e.rank::integer as rank, e.tenant, e.count, e.salt
        from unnest(queues, ranks, tenants, counts, salts) as e(queue, rank, tenant, count, salt)),
    lane as materialized (
        select l.queue, l.rank,
               coalesce((select r.seq from relet.ready r where r.queue = l.queue and r.rank = l.rank and r.seq >= 0
                         order by r.seq limit 1),
                        (select max(s.place) from relet.share s where s.queue = l.queue and s.rank = l.rank), 0) as place
        from (select distinct w.queue, w.rank from wanted w) l),
    known as materialized (
        select w.*, l.place as served, s.place as due,
               11531520 / coalesce((select g.weight from relet.weight g where g.queue = w.queue and g.tenant = w.tenant), 1) as step,
               (select r.seq from relet.ready r
                where r.queue = w.queue and r.rank = w.rank and r.tenant = w.tenant and r.tenant is not null
                order by r.seq desc limit 1) as behind
        from wanted w join lane l on l.queue = w.queue and l.rank = w.rank
        join relet.share s on s.queue = w.queue and s.rank = w.rank and s.tenant = w.tenant),
    given as materialized (
        select k.queue, k.rank, k.tenant, k.count, k.salt, k.step::bigint as step,
               case when k.due is null and k.behind is null then k.served
                    else greatest(k.served, least(k.due, coalesce(k.behind, k.served) + k.step)) end as start
        from known k),
    moved as (
        update relet.share s set place = g.start + g.count * g.step, moved_at = relet.now_us()
        from given g where s.queue = g.queue and s.rank = g.rank and s.tenant = g.tenant)
    select g.queue, g.rank, g.tenant, g.start + g.salt, g.step from given g;
end $$;
