-- Gates: limits that many jobs share by a name and a key, whatever their queue.

-- One for each key that jobs have stood before. `next_at` is when a rate lets the next one in that stands in line.
create table relet.gate (
    limit_name text collate "C" not null, key text collate "C" not null,
    paused_until bigint, next_at bigint,
    primary key (limit_name, key)
) with (fillfactor = 50);
create index gate_due on relet.gate (next_at) where next_at is not null;

-- A job that is ready or runs, and has been let through this gate.
create table relet.slot (
    limit_name text collate "C" not null, key text collate "C" not null,
    job_id uuid not null,
    primary key (limit_name, key, job_id)
) with (fillfactor = 80);
create index slot_job on relet.slot (job_id);
