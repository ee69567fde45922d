-- name: webhook_hold
select pg_advisory_xact_lock(hashtext('webhooks'), 'relet.webhook'::regclass::integer);

-- name: listen_out
-- Turn on what tells of what happens, or off.
select relet.listen_out();
