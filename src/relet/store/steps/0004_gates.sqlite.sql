-- Gates: limits that many jobs share by a name and a key, whatever their queue.

-- One for each key that jobs have stood before. `next_at` is when a rate lets the next one in that stands in line.
create table relet.gate (
    limit_name text not null, key text not null,
    paused_until integer, next_at integer,
    primary key (limit_name, key)
) without rowid, strict;
create index relet.gate_due on relet.gate (next_at) where next_at is not null;

-- A job that is ready or runs, and has been let through this gate.
create table relet.slot (
    limit_name text not null, key text not null,
    job_id blob not null,
    primary key (limit_name, key, job_id)
) without rowid, strict;
create index relet.slot_job on relet.slot (job_id);
