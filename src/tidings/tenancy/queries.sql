-- name: open_request
-- Resolves a credential, takes a share of its rate limit and claims its Idempotency-Key.
SELECT * FROM tidings.open_request_v1(
    %(key_hash)s, %(session_hash)s, %(take)s, %(per_minute)s, %(idempotency_key)s, %(request_hash)s, %(claim)s);

-- name: save_idempotent
-- Keeps the answer of a claimed request in the transaction of its effect.
SELECT tidings.save_idempotent_v1(%(key)s, %(claim)s, %(status)s, %(headers)s::jsonb, %(body)s);

-- name: release_idempotent
-- Gives an unanswered claim back so that a retry runs at once.
SELECT tidings.release_idempotent_v1(%(key)s, %(claim)s);

-- name: begin_sign_in
-- Counts a sign-in attempt and answers the password hash to check, if any.
SELECT * FROM tidings.begin_sign_in_v1(%(email)s, %(account)s, %(address)s, %(limit)s);

-- name: sign_in_by_password
-- Opens a session for a person whose password was just checked.
SELECT * FROM tidings.sign_in_by_password_v1(
    %(user_id)s, %(checked_hash)s, %(better_hash)s, %(organization_id)s, %(account)s, %(address_bucket)s,
    %(id)s, %(token_hash)s, %(csrf)s, %(lifetime)s, %(user_agent)s, %(address)s);

-- name: sign_in_by_link
-- Uses a one-time link and opens a session.
SELECT * FROM tidings.sign_in_by_link_v1(
    %(link_hash)s, %(id)s, %(token_hash)s, %(csrf)s, %(lifetime)s, %(user_agent)s, %(address)s);

-- name: issue_sign_in_link
-- Stores a one-time link for a member found by e-mail address.
SELECT * FROM tidings.issue_sign_in_link_v1(%(email)s, %(organization_id)s, %(link_hash)s, %(lifetime)s);

-- name: rotate_session
-- Replaces a session's token, unless another request just did.
SELECT tidings.rotate_session_v1(%(old)s, %(new)s);

-- name: list_sessions
-- A person's sessions that still work, the last used first.
SELECT id, user_id, method, created_at, last_seen_at, expires_at, user_agent, address
FROM tidings.sessions
WHERE organization_id = tidings.current_organization() AND user_id = %(user_id)s
    AND revoked_at IS NULL AND expires_at > tidings.now()
ORDER BY last_seen_at DESC, id;

-- name: revoke_session
-- Ends one session.
UPDATE tidings.sessions SET revoked_at = tidings.now()
WHERE organization_id = tidings.current_organization() AND id = %(id)s AND revoked_at IS NULL
RETURNING id;

-- name: find_session
-- Whether a session is there, ended or not.
SELECT id FROM tidings.sessions WHERE organization_id = tidings.current_organization() AND id = %(id)s;

-- name: revoke_sessions
-- Ends all sessions of one person in the organization but the one to keep.
UPDATE tidings.sessions SET revoked_at = tidings.now()
WHERE organization_id = tidings.current_organization() AND user_id = %(user_id)s AND revoked_at IS NULL
    AND (%(keep)s::uuid IS NULL OR id <> %(keep)s);

-- name: own_password
-- Counts a try and reads the hash of the acting person's password.
SELECT tidings.own_password_v1(%(limit)s) AS password_hash;

-- name: set_password
-- Sets the acting person's password and ends their other sessions.
SELECT tidings.set_password_v1(%(session_id)s, %(checked_hash)s, %(new_hash)s);

-- name: insert_api_key
-- Stores a new API key of the acting person.
INSERT INTO tidings.api_keys (organization_id, id, user_id, name, prefix, key_hash, role, scopes, expires_at)
VALUES (tidings.current_organization(), %(id)s, tidings.acting_user(), %(name)s, %(prefix)s, %(key_hash)s,
    %(role)s, %(scopes)s, %(expires_at)s);

-- name: list_api_keys
-- The API keys that the acting person may see, the newest first.
SELECT id, user_id, name, prefix, role, scopes, expires_at, last_used_at, created_at, revoked_at
FROM tidings.api_keys
WHERE organization_id = tidings.current_organization() AND (%(after)s::uuid IS NULL OR id < %(after)s)
ORDER BY id DESC LIMIT %(limit)s;

-- name: revoke_api_key
-- Ends one API key.
UPDATE tidings.api_keys SET revoked_at = tidings.now()
WHERE organization_id = tidings.current_organization() AND id = %(id)s AND revoked_at IS NULL
RETURNING id;

-- name: find_api_key
-- Whether an API key is there, revoked or not.
SELECT id FROM tidings.api_keys WHERE organization_id = tidings.current_organization() AND id = %(id)s;

-- name: list_members
-- The members of the organization in the order of their ids.
SELECT m.user_id, u.email, u.name, m.role, m.created_at, u.disabled_at
FROM tidings.organization_members AS m JOIN tidings.users AS u ON u.id = m.user_id
WHERE m.organization_id = tidings.current_organization() AND (%(after)s::uuid IS NULL OR m.user_id > %(after)s)
ORDER BY m.user_id LIMIT %(limit)s;

-- name: read_member
-- One member of the organization.
SELECT m.user_id, u.email, u.name, m.role, m.created_at, u.disabled_at
FROM tidings.organization_members AS m JOIN tidings.users AS u ON u.id = m.user_id
WHERE m.organization_id = tidings.current_organization() AND m.user_id = %(user_id)s;

-- name: add_member
-- Adds a person by e-mail address and answers their id.
SELECT tidings.add_member_v1(%(user_id)s, %(email)s, %(name)s, %(role)s) AS user_id;

-- name: change_member_role
-- Changes a member's role and answers the old one.
SELECT tidings.change_member_role_v1(%(user_id)s, %(role)s) AS old_role;

-- name: remove_member
-- Removes a member and answers the role they had.
SELECT tidings.remove_member_v1(%(user_id)s) AS old_role;

-- name: create_organization
-- Makes an organization and its owner, or finds the one with that slug.
SELECT * FROM tidings.create_organization_v1(
    %(id)s, %(name)s, %(slug)s, %(owner_id)s, %(owner_email)s, %(owner_name)s, %(password_hash)s);

-- name: find_organization
-- The organization with a slug and its oldest owner.
SELECT organization_id, user_id, created FROM tidings.find_organization_v1(%(slug)s);

-- name: remove_bench
-- Deletes the organization of a benchmark, and those that were left behind.
SELECT tidings.remove_bench_v1(%(id)s)

-- name: read_organization
-- The current organization and its settings.
SELECT id, name, slug, time_zone, created_at
FROM tidings.organizations WHERE id = tidings.current_organization();

-- name: update_organization
-- Sets the settings of the current organization that were given.
UPDATE tidings.organizations SET
    name = coalesce(%(name)s, name),
    time_zone = coalesce(%(time_zone)s, time_zone)
WHERE id = tidings.current_organization()
RETURNING id, name, slug, time_zone, created_at;

-- name: insert_audit_entry
-- Appends to the audit log as whoever acts.
INSERT INTO tidings.audit_log (organization_id, actor_user_id, actor_kind, action, target, payload)
VALUES (tidings.current_organization(), tidings.acting_user(),
    CASE WHEN tidings.is_service() THEN 'service' ELSE %(kind)s END, %(action)s, %(target)s, %(payload)s::jsonb);

-- name: list_audit_entries
-- The newest entries of the audit log, optionally about one target.
SELECT id, at, actor_user_id, actor_kind, action, target, payload, seal
FROM tidings.audit_log
WHERE organization_id = tidings.current_organization()
    AND (%(target)s::text IS NULL OR target = %(target)s) AND (%(before)s::uuid IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(limit)s;

-- name: seal_audit
-- Chains committed audit entries that no seal covers yet.
SELECT tidings.seal_audit_v1(%(max_rows)s);

-- name: verify_audit
-- Recomputes the audit chain of one organization.
SELECT * FROM tidings.verify_audit_v1(%(organization_id)s);

-- name: erase_audit
-- Empties the payloads of all entries about one target.
SELECT tidings.erase_audit_v1(%(target)s);

-- name: set_secret
-- Stores or replaces a sealed secret.
SELECT tidings.set_secret_v1(%(name)s, %(sealed)s, %(key_id)s, %(hint)s);

-- name: delete_secret
-- Removes a sealed secret.
DELETE FROM tidings.organization_secrets
WHERE organization_id = tidings.current_organization() AND name = %(name)s RETURNING name;

-- name: list_secrets
-- Which secrets are stored, and by what to recognise them.
SELECT name, hint, updated_at, updated_by FROM tidings.organization_secrets
WHERE organization_id = tidings.current_organization() ORDER BY name;

-- name: read_secret
-- A sealed secret, for services alone.
SELECT * FROM tidings.read_secret_v1(%(name)s);

-- name: list_stale_secrets
-- Secrets of all organizations that an older key sealed.
SELECT * FROM tidings.list_stale_secrets_v1(%(key_id)s, %(after_organization)s, %(after_name)s, %(max_rows)s);

-- name: reseal_secret
-- Replaces the seal of a secret that nobody changed meanwhile.
SELECT tidings.reseal_secret_v1(%(organization_id)s, %(name)s, %(old_sealed)s, %(sealed)s, %(key_id)s);

-- name: sweep_tenancy
-- Removes rows that outlived their use.
SELECT tidings.sweep_tenancy_v1(%(max_rows)s);

-- name: renew_access
-- What the acting person's key or session allows now; no row when it has ended.
SELECT CASE WHEN k.id IS NULL OR tidings.role_rank(m.role) <= tidings.role_rank(k.role) THEN m.role ELSE k.role END AS role,
       coalesce(k.scopes, '{}') AS scopes
FROM tidings.organization_members AS m
JOIN tidings.users AS u ON u.id = m.user_id AND u.disabled_at IS NULL
LEFT JOIN tidings.api_keys AS k ON k.organization_id = m.organization_id AND k.id = %(key_id)s
    AND k.user_id = m.user_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > tidings.now())
LEFT JOIN tidings.sessions AS s ON s.organization_id = m.organization_id AND s.id = %(session_id)s
    AND s.user_id = m.user_id AND s.revoked_at IS NULL AND s.expires_at > tidings.now()
WHERE m.organization_id = tidings.current_organization() AND m.user_id = tidings.acting_user()
    AND (k.id IS NOT NULL OR s.id IS NOT NULL);

-- name: erase_member
-- Removes a member with what is theirs; answers whether the person is forgotten.
SELECT tidings.erase_member_v1(%(user_id)s) AS is_forgotten;

-- name: find_member
-- A member by e-mail address.
SELECT m.user_id, m.role FROM tidings.organization_members AS m JOIN tidings.users AS u ON u.id = m.user_id
WHERE m.organization_id = tidings.current_organization() AND lower(u.email) = lower(%(email)s);

-- name: own_person
-- What is known of the acting person themself.
SELECT u.id, jsonb_build_object('id', u.id, 'email', u.email, 'name', u.name, 'time_zone', u.time_zone,
    'created_at', u.created_at, 'role', m.role, 'member_since', m.created_at) AS row
FROM tidings.users AS u JOIN tidings.organization_members AS m
    ON m.organization_id = tidings.current_organization() AND m.user_id = u.id
WHERE u.id = tidings.acting_user();

-- name: own_sessions
-- The acting person's sign-ins.
SELECT r.id, jsonb_build_object('method', r.method, 'created_at', r.created_at, 'last_seen_at', r.last_seen_at,
    'user_agent', r.user_agent, 'address', r.address) AS row
FROM tidings.sessions AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user();

-- name: own_api_keys
-- The acting person's API keys, without what opens anything.
SELECT r.id, jsonb_build_object('name', r.name, 'prefix', r.prefix, 'role', r.role, 'scopes', r.scopes,
    'created_at', r.created_at, 'last_used_at', r.last_used_at, 'revoked_at', r.revoked_at) AS row
FROM tidings.api_keys AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user();
