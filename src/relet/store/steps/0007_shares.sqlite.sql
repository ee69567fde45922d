-- Fair shares: where in its queue the next job of each tenant stands.

create table relet.share (
    queue text not null, tenant text not null,
    weight integer not null, place integer not null,
    primary key (queue, tenant)
) without rowid, strict;
