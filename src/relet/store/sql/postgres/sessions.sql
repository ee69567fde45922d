-- name: session_asleep
-- Whether the session wants to be woken. A hint, and so it waits for no disk.
with quick as materialized (select set_config('synchronous_commit', 'off', true))
update relet.session s set asleep = :asleep from quick where s.id = :session_id and s.ended_at is null;
