-- Shares: tenants of one queue take turns, by weight.

-- The tenant for which a place among others was given. Null: a place in the order of arrival, or at the head.
alter table relet.ready add column tenant text;
create index relet.ready_tenant on relet.ready (queue, rank, tenant, seq) where tenant is not null;

-- Whether places of this queue are given by shares.
alter table relet.queue add column fair integer not null default 0;

-- How far a tenant has come in one lane: the place behind its last job, which job that was, and where the lane was served when
-- that place was given. `salt` is how far its jobs stand behind the places that they are given, so that tenants do not meet.
create table relet.share (
    queue text not null, rank integer not null, tenant text not null,
    salt integer not null, place integer not null, served integer not null, last_id blob not null, moved_at integer not null,
    primary key (queue, rank, tenant)
) without rowid, strict;
create index relet.share_place on relet.share (queue, rank, place);
create index relet.share_served on relet.share (queue, rank, served);
create trigger relet.share_begins after insert on relet.share when new.tenant <> ''
begin
    insert into relet.queue (name, fair) values (new.queue, 1) on conflict (name) do update set fair = 1 where fair = 0;
end;

-- Of tenants whose weight is not 1.
create table relet.weight (
    queue text not null, tenant text not null,
    weight integer not null, origin text not null, changed_by text not null, changed_at integer not null,
    primary key (queue, tenant)
) without rowid, strict;

-- Only places in the order of arrival are numbered by the counter.
drop trigger relet.ready_numbered;
create trigger relet.ready_numbered after insert on relet.ready when new.tenant is null
begin
    update relet.counter set n = abs(new.seq) where name = 'ready' and n < abs(new.seq);
end;
