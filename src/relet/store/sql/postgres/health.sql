-- What PostgreSQL says of itself, for `doctor`.

-- name: engine_facts
select current_setting('server_version'), current_setting('synchronous_commit'), current_setting('fsync'),
       pg_database_size(current_database())::int8, current_setting('max_connections')::int8,
       (select count(*)::int8 from pg_stat_activity where backend_type = 'client backend'),
       (select (extract(epoch from clock_timestamp() - min(a.xact_start)) * 1000000)::int8
        from pg_stat_activity a where a.datname = current_database() and a.pid <> pg_backend_pid());

-- name: engine_lacks
-- Rights on the tables that the user of this connection does not have; partitions are reached through their table.
select lower(p.verb) || ' on ' || c.relname
from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as p (verb)
where n.nspname = :schema and c.relkind in ('r', 'p') and not c.relispartition and not has_table_privilege(c.oid, p.verb)
order by 1;
