-- Access: tokens, sign-ins, what people did, and requests that count once.

-- name: token_add
insert into relet.token (id, name, kind, hash, role, scopes, created_by, created_at, expires_at)
values (:token_id, :label, :kind, :hash, :role, :scopes, :by, relet.now_us(), :expires_at);

-- name: token_revoke
update relet.token set revoked_by = :by, revoked_at = relet.now_us() where id = :token_id and revoked_at is null;

-- name: token_redeem
-- A link, by whom it first lets in.
update relet.token set spent_at = relet.now_us(), used_at = relet.now_us()
where hash = :hash and kind = 'link' and spent_at is null and revoked_at is null
    and (expires_at is null or expires_at > relet.now_us());

-- name: token_by_hash
-- One that is good now.
select id, name, kind, role, scopes, created_by, created_at, expires_at, revoked_by, revoked_at, used_at
from relet.token
where hash = :hash and kind = :kind and revoked_at is null and (expires_at is null or expires_at > relet.now_us());

-- name: token_used
-- Told at most once a minute.
update relet.token set used_at = relet.now_us()
where id = :token_id and (used_at is null or used_at < relet.now_us() - 60000000);

-- name: token_rows
select id, name, kind, role, scopes, created_by, created_at, expires_at, revoked_by, revoked_at, used_at
from relet.token t
where t.kind = 'token' or exists (select 1 from relet.visit v where v.token_id = t.id)
order by t.created_at desc, t.id limit 500;

-- name: visit_add
insert into relet.visit (hash, token_id, csrf, created_at, expires_at)
values (:hash, :token_id, :csrf, relet.now_us(), relet.now_us() + :lasts_us);

-- name: visit_by_hash
select v.csrf, t.id, t.name, t.kind, t.role, t.scopes, t.created_by, t.created_at, t.expires_at, t.revoked_by, t.revoked_at, t.used_at
from relet.visit v join relet.token t on t.id = v.token_id
where v.hash = :hash and v.expires_at > relet.now_us()
    -- The sign-in of a link outlives the link.
    and t.revoked_at is null and (t.kind = 'link' or t.expires_at is null or t.expires_at > relet.now_us());

-- name: visit_end
delete from relet.visit where hash = :hash;

-- name: visit_end_of_token
delete from relet.visit where token_id = :token_id;

-- name: visit_prune
delete from relet.visit where hash in (
    select hash from relet.visit where expires_at < relet.now_us() order by expires_at limit :limit);

-- name: token_prune
-- Links that are over, and no sign-in goes on from.
delete from relet.token
where kind = 'link' and (spent_at is not null or revoked_at is not null or expires_at < relet.now_us())
    and not exists (select 1 from relet.visit v where v.token_id = relet.token.id);

-- name: audit_begin
insert into relet.audit (id, at, who, role, via, act, subject, asked, reason)
values (:id, relet.now_us(), :who, :role, :via, :act, :subject, :asked, :reason);

-- name: audit_end
update relet.audit set outcome = :outcome, done = :done, was = :was, became = :became where id = :id;

-- name: audit_page
select id, at, who, role, via, act, subject, asked, reason, done, was, became, outcome
from relet.audit
where id < :before and (:who = '' or who = :who) and (:act = '' or act = :act)
order by id desc limit :limit;

-- name: audit_page_of
select id, at, who, role, via, act, subject, asked, reason, done, was, became, outcome
from relet.audit
where subject = :subject and id < :before and (:who = '' or who = :who) and (:act = '' or act = :act)
order by id desc limit :limit;

-- name: audit_prune
delete from relet.audit where id in (
    select id from relet.audit where id < :before order by id limit :limit);

-- name: once_begin
insert into relet.once (scope, key, request, job_id, created_at)
values (:scope, :key, :request, :job_id, relet.now_us())
on conflict (scope, key) do nothing;

-- name: once_row
select request, job_id, status, answer from relet.once where scope = :scope and key = :key;

-- name: once_end
update relet.once set status = :n, answer = :answer where scope = :scope and key = :key;

-- name: once_prune
delete from relet.once where (scope, key) in (
    select scope, key from relet.once where created_at < relet.now_us() - :older_us order by created_at limit :limit);
