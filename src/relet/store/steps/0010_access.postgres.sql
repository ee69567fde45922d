-- Who may come in over HTTP, what they did, and requests that must count once.

-- Of a token only its hash is kept. `scopes` is a JSON array of patterns of what it may be used for. A link lets one browser
-- in: then it is spent.
create table relet.token (
    id text collate "C" not null primary key,
    name text not null, kind text not null, hash text not null unique,
    role text not null, scopes text not null check (jsonb_typeof(scopes::jsonb) = 'array'),
    created_by text not null, created_at bigint not null, expires_at bigint,
    revoked_by text, revoked_at bigint, used_at bigint, spent_at bigint
);

-- A sign-in of a browser, by the hash of its cookie. It ends with the token it came from, if it came from one.
create table relet.visit (
    hash text collate "C" not null primary key,
    token_id text not null,
    csrf text not null,
    created_at bigint not null, expires_at bigint not null
);
create index visit_expires on relet.visit (expires_at);

-- What people did, written before it is done: without `outcome` nobody knows how it ended. `asked`, `was` and `became` are JSON.
create table relet.audit (
    id uuid not null primary key,
    at bigint not null, who text not null, role text not null, via text not null,
    act text not null, subject text not null, asked text not null, reason text not null,
    done bigint, was text, became text, outcome text
);
create index audit_subject on relet.audit (subject, id);

-- Requests that carry a key: the same one again is answered with the first one's answer. `job_id` is that of the job which it
-- makes, so that even one whose answer was lost makes it once.
create table relet.once (
    scope text collate "C" not null, key text collate "C" not null,
    request text not null, job_id uuid not null,
    status bigint, answer text,
    created_at bigint not null,
    primary key (scope, key)
);
create index once_created on relet.once (created_at);
