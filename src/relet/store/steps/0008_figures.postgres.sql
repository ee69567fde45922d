-- Figures: what was counted of runs, how many jobs there were, and how healthy that is.

-- What runs came to and how long they took (see job/figures.py): added up per minute and per hour, and, in rows of step 0 at 0,
-- ever. `wait_N` and `run_N` are the buckets of two histograms.
create table relet.figure (
    step_us bigint not null, at bigint not null, queue text collate "C" not null, task text collate "C" not null,
    succeeded bigint not null, failed bigint not null, dead bigint not null, cancelled bigint not null,
    snoozed bigint not null, released bigint not null, wait_us bigint not null, run_us bigint not null,
    wait_0 bigint not null, wait_1 bigint not null, wait_2 bigint not null, wait_3 bigint not null,
    wait_4 bigint not null, wait_5 bigint not null, wait_6 bigint not null, wait_7 bigint not null,
    wait_8 bigint not null, wait_9 bigint not null, wait_10 bigint not null, wait_11 bigint not null,
    wait_12 bigint not null, wait_13 bigint not null, wait_14 bigint not null, wait_15 bigint not null,
    wait_16 bigint not null, run_0 bigint not null, run_1 bigint not null, run_2 bigint not null,
    run_3 bigint not null, run_4 bigint not null, run_5 bigint not null, run_6 bigint not null,
    run_7 bigint not null, run_8 bigint not null, run_9 bigint not null, run_10 bigint not null,
    run_11 bigint not null, run_12 bigint not null, run_13 bigint not null, run_14 bigint not null,
    run_15 bigint not null, run_16 bigint not null,
    primary key (step_us, at, queue, task)
) with (fillfactor = 50);
alter table relet.figure set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0);

-- How often something happened, ever.
create table relet.event_count (
    event text collate "C" not null primary key, n bigint not null
) with (fillfactor = 50);

-- When something that one worker does for all was done last.
create table relet.done_last (
    what text collate "C" not null primary key, at bigint not null
) with (fillfactor = 50);

-- How many jobs there were, by the minute.
create table relet.depth (
    at bigint not null, queue text collate "C" not null,
    ready bigint not null, running bigint not null, scheduled bigint not null, waiting bigint not null, dead bigint not null,
    oldest_us bigint not null,
    primary key (at, queue)
) with (fillfactor = 80);

-- How what has a health stands ('queue:NAME', 'worker:NAME', and '' for all together), once it was not healthy; what is not here
-- is. `failing`: by its runs alone, whatever is paused.
create table relet.health (
    subject text collate "C" not null primary key,
    healthy smallint not null, failing smallint not null, because text not null, since_at bigint not null
) with (fillfactor = 50);

-- When that has changed.
create table relet.health_change (
    subject text collate "C" not null, at bigint not null,
    healthy smallint not null, because text not null,
    primary key (subject, at)
);
create index health_change_at on relet.health_change (at);
