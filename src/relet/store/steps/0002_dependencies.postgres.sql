-- Jobs that come after others. A job that waits has its pointer in `waiting`; what it waits for is its rows in `edge`.

create table relet.waiting (
    job_id uuid not null primary key,
    run_at bigint, since bigint not null,
    rank integer not null, flags integer not null,
    epoch integer not null, attempt integer not null, crashes integer not null,
    suspicions integer not null, releases integer not null,
    edges integer not null,
    told integer not null,
    queue text collate "C" not null, task text collate "C" not null, needs text check (jsonb_typeof(needs::jsonb) = 'array')
) with (fillfactor = 80);
create index waiting_untold on relet.waiting (job_id) where told = 0;

-- One for each job that comes after a job or a batch. `place` is its place among the child's
-- parents. `outcome` is null until it is known how the parent ended; the row stays until the child is forgotten.
create table relet.edge (
    child_id uuid not null, parent_id uuid not null,
    place integer not null, hold integer not null,
    need text not null,
    outcome text,
    primary key (child_id, parent_id)
) with (fillfactor = 90);
create index edge_parent on relet.edge (parent_id);

-- Jobs that are counted together. `open` is how many of them have not ended. Its row is written by many.
create table relet.batch (
    id uuid not null primary key,
    created_at bigint not null, ended_at bigint,
    total integer not null, open integer not null,
    succeeded integer not null, dead integer not null, cancelled integer not null,
    label text not null
) with (fillfactor = 30);
create index batch_open on relet.batch (id) where ended_at is null;

create table relet.member (
    batch_id uuid not null, job_id uuid not null,
    primary key (batch_id, job_id)
);

alter table relet.waiting set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0);
alter table relet.batch set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- Jobs of a range of ids that must be kept: not ended, dead, ended since, or with a child that has not ended: it may ask
-- for their results.
create or replace function relet.staying(low uuid, high uuid, since bigint) returns setof uuid language sql stable as $$
    select job_id from relet.waiting where job_id >= low and job_id < high
    union select job_id from relet.scheduled where job_id >= low and job_id < high
    union select job_id from relet.ready where job_id >= low and job_id < high
    union select job_id from relet.running where job_id >= low and job_id < high
    union select job_id from relet.dead where job_id >= low and job_id < high
    union select job_id from relet.finished where job_id >= low and job_id < high and finished_at >= since
    union select e.parent_id from relet.edge e
    where e.parent_id >= low and e.parent_id < high
      and exists (select 1 from relet.job j where j.id = e.parent_id)
      and exists (select 1 from relet.job j where j.id = e.child_id)
      and not exists (select 1 from relet.finished f where f.job_id = e.child_id)
$$;

-- Removes the history of jobs of retired days, so many rows of each kind. Returns how many.
create or replace function relet.sweep_retired(most integer) returns bigint language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    gone relet.retired;
    kind text;
    owner text;
    part bigint;
    total bigint := 0;
    more boolean := false;
begin
    select * into gone from relet.retired order by low limit 1 for update skip locked;
    if not found then
        return 0;
    end if;
    foreach kind in array array['attempt', 'log_line', 'usage', 'control', 'edge'] loop
        owner := case kind when 'edge' then 'child_id' else 'job_id' end;
        execute format('delete from relet.%I where ctid = any(array(select h.ctid from relet.%I h where h.%I >= $1 and h.%I < $2
                        and not exists (select 1 from relet.job j where j.id = h.%I) limit $3))', kind, kind, owner, owner, owner)
        using gone.low, gone.high, most;
        get diagnostics part = row_count;
        total := total + part;
        more := more or part = most;
    end loop;
    if not more then
        delete from relet.retired where low = gone.low;
    end if;
    return total;
end $$;
