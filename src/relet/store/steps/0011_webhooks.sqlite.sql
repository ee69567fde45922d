-- Webhooks: who is told of what happens.

-- `events`, `queues` and `tasks` are JSON lists: what it hears of, and of which jobs; empty lists of the last two mean all.
-- `secrets`, JSON [[secret, until]], sign what is sent; one with an end is a former one. `active` is 0 while it is disabled.
-- `failures` in a row, since `failing_since`.
create table relet.webhook (
    name text not null primary key,
    url text not null, format text not null,
    events text not null check (json_type(events) = 'array'),
    queues text not null check (json_type(queues) = 'array'),
    tasks text not null check (json_type(tasks) = 'array'),
    secrets text not null check (json_type(secrets) = 'array'),
    active integer not null, disabled_at integer, disabled_by text, disable_reason text,
    failures integer not null, failing_since integer, delivered_at integer, error text,
    changed_by text not null, changed_at integer not null
) without rowid, strict;

-- What has happened, written by whatever made it happen, and not yet a job that tells it. `webhook` is empty for a job that names an
-- address itself.
create table relet.outbox (
    id integer primary key,
    webhook text not null, event text not null,
    job_id blob, epoch integer not null, at integer not null, details text
) strict;

-- One message for one receiver. `job_id` is what it is about, `sender_id` the job that sends it. The body is made once.
create table relet.delivery (
    id blob not null primary key,
    webhook text not null, url text not null, event text not null,
    job_id blob, epoch integer not null, at integer not null, details text,
    sender_id blob not null, body text, format text, attempts integer not null, delivered_at integer
) without rowid, strict;
create index relet.delivery_of on relet.delivery (webhook, id);
create index relet.delivery_job on relet.delivery (job_id) where job_id is not null;
create unique index relet.delivery_sender on relet.delivery (sender_id);

create table relet.delivery_attempt (
    delivery_id blob not null, n integer not null,
    at integer not null, took_us integer not null,
    status integer, answer text not null, error text not null,
    primary key (delivery_id, n)
) without rowid, strict;
