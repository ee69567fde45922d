-- Jobs that come after others. A job that waits has its pointer in `waiting`; what it waits for is its rows in `edge`.

create table relet.waiting (
    job_id blob not null primary key,
    run_at integer,
    queue text not null, rank integer not null, task text not null, needs text check (json_type(needs) = 'array'), flags integer not null,
    epoch integer not null, attempt integer not null, crashes integer not null,
    suspicions integer not null, releases integer not null,
    edges integer not null,
    told integer not null,
    since integer not null
) without rowid, strict;
create index relet.waiting_untold on relet.waiting (job_id) where told = 0;

-- One for each job that comes after a job or a batch. `place` is its place among the child's
-- parents. `outcome` is null until it is known how the parent ended; the row stays until the child is forgotten.
create table relet.edge (
    child_id blob not null, parent_id blob not null,
    place integer not null, need text not null, hold integer not null,
    outcome text,
    primary key (child_id, parent_id)
) without rowid, strict;
create index relet.edge_parent on relet.edge (parent_id);

-- Jobs that are counted together. `open` is how many of them have not ended.
create table relet.batch (
    id blob not null primary key,
    label text not null,
    total integer not null, open integer not null,
    succeeded integer not null, dead integer not null, cancelled integer not null,
    created_at integer not null, ended_at integer
) without rowid, strict;
create index relet.batch_open on relet.batch (id) where ended_at is null;

create table relet.member (
    batch_id blob not null, job_id blob not null,
    primary key (batch_id, job_id)
) without rowid, strict;
