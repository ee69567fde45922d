-- Fair shares: where in its queue the next job of each tenant stands.

create table relet.share (
    queue text collate "C" not null, tenant text collate "C" not null,
    weight integer not null, place bigint not null,
    primary key (queue, tenant)
) with (fillfactor = 50);
