-- Figures: what was counted of runs, how many jobs there were, and how healthy that is.

-- What runs came to and how long they took (see job/figures.py): added up per minute and per hour, and, in rows of step 0 at 0,
-- ever. `wait_N` and `run_N` are the buckets of two histograms.
create table relet.figure (
    step_us integer not null, at integer not null, queue text not null, task text not null,
    succeeded integer not null, failed integer not null, dead integer not null, cancelled integer not null,
    snoozed integer not null, released integer not null, wait_us integer not null, run_us integer not null,
    wait_0 integer not null, wait_1 integer not null, wait_2 integer not null, wait_3 integer not null,
    wait_4 integer not null, wait_5 integer not null, wait_6 integer not null, wait_7 integer not null,
    wait_8 integer not null, wait_9 integer not null, wait_10 integer not null, wait_11 integer not null,
    wait_12 integer not null, wait_13 integer not null, wait_14 integer not null, wait_15 integer not null,
    wait_16 integer not null, run_0 integer not null, run_1 integer not null, run_2 integer not null,
    run_3 integer not null, run_4 integer not null, run_5 integer not null, run_6 integer not null,
    run_7 integer not null, run_8 integer not null, run_9 integer not null, run_10 integer not null,
    run_11 integer not null, run_12 integer not null, run_13 integer not null, run_14 integer not null,
    run_15 integer not null, run_16 integer not null,
    primary key (step_us, at, queue, task)
) without rowid, strict;

-- How often something happened, ever.
create table relet.event_count (
    event text not null primary key, n integer not null
) without rowid, strict;

-- When something that one worker does for all was done last.
create table relet.done_last (
    what text not null primary key, at integer not null
) without rowid, strict;

-- How many jobs there were, by the minute.
create table relet.depth (
    at integer not null, queue text not null,
    ready integer not null, running integer not null, scheduled integer not null, waiting integer not null, dead integer not null,
    oldest_us integer not null,
    primary key (at, queue)
) without rowid, strict;

-- How what has a health stands ('queue:NAME', 'worker:NAME', and '' for all together), once it was not healthy; what is not here
-- is. `failing`: by its runs alone, whatever is paused.
create table relet.health (
    subject text not null primary key,
    healthy integer not null, failing integer not null, because text not null, since_at integer not null
) without rowid, strict;

-- When that has changed.
create table relet.health_change (
    subject text not null, at integer not null,
    healthy integer not null, because text not null,
    primary key (subject, at)
) without rowid, strict;
create index relet.health_change_at on relet.health_change (at);
