-- Organizations and the people in them -----------------------------------------------------------

CREATE FUNCTION tidings.role_rank(role text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE role WHEN 'owner' THEN 4 WHEN 'admin' THEN 3 WHEN 'member' THEN 2 WHEN 'viewer' THEN 1 ELSE 0 END;
COMMENT ON FUNCTION tidings.role_rank(text) IS
    'How much a person''s role may do: viewer 1, member 2, admin 3, owner 4; 0 for anything else.';
GRANT EXECUTE ON FUNCTION tidings.role_rank(text) TO tidings_app, tidings_system;

CREATE TABLE tidings.organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name = btrim(name) AND char_length(name) BETWEEN 1 AND 200),
    slug text UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    time_zone text NOT NULL DEFAULT 'UTC' CHECK (char_length(time_zone) BETWEEN 1 AND 64),
    ai_mode text NOT NULL DEFAULT 'provider' CHECK (ai_mode IN ('off', 'local', 'provider')),
    engine text CHECK (char_length(engine) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT tidings.now()
);
SELECT tidings.protect('tidings.organizations');
CREATE POLICY own_select ON tidings.organizations FOR SELECT TO tidings_app, tidings_readonly
    USING (id = (SELECT tidings.current_organization()));
CREATE POLICY own_update ON tidings.organizations FOR UPDATE TO tidings_app
    USING (id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()))
    WITH CHECK (id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY system_all ON tidings.organizations TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.organizations TO tidings_app, tidings_readonly;
GRANT UPDATE (name, time_zone, ai_mode, engine) ON tidings.organizations TO tidings_app;
GRANT SELECT, INSERT, UPDATE ON tidings.organizations TO tidings_system;
COMMENT ON TABLE tidings.organizations IS
    'The tenants. Members see their own; admins change its settings; made by create_organization_v1 alone. Retention: kept until the organization is deleted.';
COMMENT ON COLUMN tidings.organizations.slug IS 'A name by which the command line finds it; the default organization is ''default''.';
COMMENT ON COLUMN tidings.organizations.ai_mode IS 'off: no AI at all; local: nothing leaves; provider: any configured engine.';
COMMENT ON COLUMN tidings.organizations.engine IS 'The engine of this organization; null takes the setting TIDINGS_ENGINE.';

CREATE TABLE tidings.users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email = btrim(email) AND char_length(email) BETWEEN 3 AND 320 AND position('@' IN email) > 1),
    name text NOT NULL DEFAULT '' CHECK (char_length(name) <= 200),
    time_zone text CHECK (char_length(time_zone) BETWEEN 1 AND 64),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    disabled_at timestamptz
);
CREATE UNIQUE INDEX users_email ON tidings.users (lower(email));
COMMENT ON TABLE tidings.users IS
    'People, once each, whatever organizations they belong to. The service sees who is a member of the current organization. Retention: kept until the person is erased.';
COMMENT ON COLUMN tidings.users.time_zone IS 'Null takes the organization''s.';
COMMENT ON COLUMN tidings.users.disabled_at IS 'Set by an operator: no credential of this person works any more.';

CREATE TABLE tidings.organization_members (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES tidings.users (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX organization_members_user ON tidings.organization_members (user_id);
SELECT tidings.protect('tidings.organization_members');
CREATE POLICY tenant_select ON tidings.organization_members FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY system_all ON tidings.organization_members TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.organization_members TO tidings_app, tidings_readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.organization_members TO tidings_system;
COMMENT ON TABLE tidings.organization_members IS
    'Who belongs to an organization, and as what. Changed by the member functions alone; at least one owner stays. Retention: kept until the person is removed.';

SELECT tidings.protect('tidings.users');
CREATE POLICY member_select ON tidings.users FOR SELECT TO tidings_app
    USING (EXISTS (SELECT 1 FROM tidings.organization_members AS m
                   WHERE m.organization_id = (SELECT tidings.current_organization()) AND m.user_id = users.id));
CREATE POLICY own_update ON tidings.users FOR UPDATE TO tidings_app
    USING (id = (SELECT tidings.acting_user())) WITH CHECK (id = (SELECT tidings.acting_user()));
CREATE POLICY system_all ON tidings.users TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.users TO tidings_app;
GRANT UPDATE (name, time_zone) ON tidings.users TO tidings_app;
GRANT SELECT, INSERT ON tidings.users TO tidings_system;

CREATE FUNCTION tidings.keep_an_owner() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    -- The lock makes two owners who leave at once take turns, and the second sees the first gone.
    PERFORM 1 FROM tidings.organizations WHERE id = OLD.organization_id FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (
        SELECT 1 FROM tidings.organization_members WHERE organization_id = OLD.organization_id AND role = 'owner'
    ) THEN
        RAISE EXCEPTION 'An organization keeps at least one owner; make someone else an owner first.'
            USING ERRCODE = 'TD409';
    END IF;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.keep_an_owner()');
COMMENT ON FUNCTION tidings.keep_an_owner() IS 'At commit: refuses to leave an organization without an owner.';
CREATE CONSTRAINT TRIGGER keep_an_owner AFTER UPDATE OR DELETE ON tidings.organization_members
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.role = 'owner')
    EXECUTE FUNCTION tidings.keep_an_owner();

CREATE TABLE tidings.user_passwords (
    user_id uuid PRIMARY KEY REFERENCES tidings.users (id) ON DELETE CASCADE,
    password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    changed_at timestamptz NOT NULL DEFAULT tidings.now()
);
SELECT tidings.protect('tidings.user_passwords');
CREATE POLICY system_all ON tidings.user_passwords TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON tidings.user_passwords TO tidings_system;
COMMENT ON TABLE tidings.user_passwords IS
    'Argon2id hashes, apart from the people, reached by the sign-in functions alone. Retention: kept until the person is erased.';

-- Credentials ------------------------------------------------------------------------------------

CREATE TABLE tidings.api_keys (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL CHECK (name = btrim(name) AND char_length(name) BETWEEN 1 AND 200),
    prefix text NOT NULL CHECK (char_length(prefix) = 8),
    key_hash bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    scopes text[] NOT NULL DEFAULT '{}'
        CHECK (scopes <@ ARRAY['read', 'write', 'kv', 'meetings', 'engagement', 'admin']),
    expires_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    revoked_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, user_id) REFERENCES tidings.organization_members ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX api_keys_user ON tidings.api_keys (organization_id, user_id);
SELECT tidings.protect('tidings.api_keys');
CREATE POLICY own_select ON tidings.api_keys FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
           AND (user_id = (SELECT tidings.acting_user()) OR (SELECT tidings.may_administer())));
CREATE POLICY own_insert ON tidings.api_keys FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization())
                AND user_id = (SELECT tidings.acting_user())
                AND tidings.role_rank(role) <= (SELECT tidings.role_rank(tidings.acting_role())));
CREATE POLICY own_update ON tidings.api_keys FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
           AND (user_id = (SELECT tidings.acting_user()) OR (SELECT tidings.may_administer())))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY system_all ON tidings.api_keys TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT (organization_id, id, user_id, name, prefix, role, scopes, expires_at, last_used_at, created_at, revoked_at),
    INSERT (organization_id, id, user_id, name, prefix, key_hash, role, scopes, expires_at),
    UPDATE (revoked_at) ON tidings.api_keys TO tidings_app;
GRANT SELECT, UPDATE ON tidings.api_keys TO tidings_system;
COMMENT ON TABLE tidings.api_keys IS
    'API keys, stored hashed. Each acts as the member who made it, never with more than that member''s role. Retention: kept, revoked or not, until the member is removed.';
COMMENT ON COLUMN tidings.api_keys.key_hash IS 'SHA-256 of the whole key; a key has 256 random bits, so no slow hash is needed.';
COMMENT ON COLUMN tidings.api_keys.role IS 'Most this key may do; the member''s role today limits it further.';
COMMENT ON COLUMN tidings.api_keys.scopes IS 'What the key may be used for; empty is everything its role allows.';
COMMENT ON COLUMN tidings.api_keys.last_used_at IS 'Written at most once a minute.';

CREATE TABLE tidings.sessions (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    method text NOT NULL CHECK (method IN ('password', 'link')),
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    previous_token_hash bytea CHECK (octet_length(previous_token_hash) = 32),
    csrf text NOT NULL CHECK (char_length(csrf) >= 32),
    lifetime interval NOT NULL CHECK (lifetime > interval '0'),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    rotated_at timestamptz NOT NULL DEFAULT tidings.now(),
    last_seen_at timestamptz NOT NULL DEFAULT tidings.now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    user_agent text NOT NULL DEFAULT '' CHECK (char_length(user_agent) <= 400),
    address text NOT NULL DEFAULT '' CHECK (char_length(address) <= 100),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, user_id) REFERENCES tidings.organization_members ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX sessions_previous ON tidings.sessions (previous_token_hash) WHERE previous_token_hash IS NOT NULL;
CREATE INDEX sessions_user ON tidings.sessions (organization_id, user_id);
SELECT tidings.protect('tidings.sessions');
CREATE POLICY own_select ON tidings.sessions FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
           AND (user_id = (SELECT tidings.acting_user()) OR (SELECT tidings.may_administer())));
CREATE POLICY own_update ON tidings.sessions FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
           AND (user_id = (SELECT tidings.acting_user()) OR (SELECT tidings.may_administer())))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY system_all ON tidings.sessions TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT (organization_id, id, user_id, method, created_at, rotated_at, last_seen_at, expires_at, revoked_at, user_agent, address),
    UPDATE (revoked_at) ON tidings.sessions TO tidings_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.sessions TO tidings_system;
COMMENT ON TABLE tidings.sessions IS
    'Web sessions; the cookie''s token is stored hashed and rotates. Retention: removed 30 days after they expired.';
COMMENT ON COLUMN tidings.sessions.previous_token_hash IS
    'The token before the last rotation, accepted for 60 seconds more for requests already under way.';
COMMENT ON COLUMN tidings.sessions.csrf IS 'What a form of this session must send back.';
COMMENT ON COLUMN tidings.sessions.lifetime IS 'How long the session lasts unused.';

CREATE TABLE tidings.sign_in_links (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (organization_id, token_hash),
    FOREIGN KEY (organization_id, user_id) REFERENCES tidings.organization_members ON DELETE CASCADE
);
CREATE INDEX sign_in_links_expiry ON tidings.sign_in_links (expires_at);
CREATE INDEX sign_in_links_user ON tidings.sign_in_links (organization_id, user_id);
SELECT tidings.protect('tidings.sign_in_links');
CREATE POLICY system_all ON tidings.sign_in_links TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.sign_in_links TO tidings_system;
COMMENT ON TABLE tidings.sign_in_links IS
    'One-time sign-in links, stored hashed, reached by the sign-in functions alone. Retention: removed a day after they expired.';

CREATE TABLE tidings.sign_in_failures (
    bucket bytea PRIMARY KEY CHECK (octet_length(bucket) = 32),
    window_start timestamptz NOT NULL,
    failures integer NOT NULL CHECK (failures >= 0)
);
CREATE INDEX sign_in_failures_window ON tidings.sign_in_failures (window_start);
SELECT tidings.protect('tidings.sign_in_failures');
CREATE POLICY system_all ON tidings.sign_in_failures TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.sign_in_failures TO tidings_system;
COMMENT ON TABLE tidings.sign_in_failures IS
    'Sign-in attempts per account and per address in windows of 15 minutes. An attempt counts before the password is checked, and is taken back when it was right, so attempts made at once are counted too. Retention: removed an hour after the window began.';
COMMENT ON COLUMN tidings.sign_in_failures.bucket IS 'SHA-256 of the kind (account or address) and the e-mail or network, so that neither is stored.';

-- Audit log --------------------------------------------------------------------------------------

CREATE TABLE tidings.audit_log (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT tidings.uuid7(),
    at timestamptz NOT NULL DEFAULT tidings.now(),
    actor_user_id uuid,
    actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'key', 'service')),
    action text NOT NULL CHECK (action ~ '^[a-z][a-z_]*(\.[a-z][a-z_]*)+$' AND char_length(action) <= 100),
    target text NOT NULL CHECK (char_length(target) <= 1100),
    salt bytea,
    payload jsonb,
    payload_hash bytea NOT NULL CHECK (octet_length(payload_hash) = 32),
    seal bigint,
    PRIMARY KEY (organization_id, id),
    CHECK ((salt IS NULL) = (payload IS NULL))
);
CREATE INDEX audit_log_unsealed ON tidings.audit_log (organization_id, id) WHERE seal IS NULL;
CREATE INDEX audit_log_seal ON tidings.audit_log (organization_id, seal, id) WHERE seal IS NOT NULL;
CREATE INDEX audit_log_target ON tidings.audit_log (organization_id, target);
SELECT tidings.protect('tidings.audit_log');
CREATE POLICY admin_select ON tidings.audit_log FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY actor_insert ON tidings.audit_log FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization())
                AND actor_user_id IS NOT DISTINCT FROM (SELECT tidings.acting_user()));
CREATE POLICY system_all ON tidings.audit_log TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT (organization_id, actor_user_id, actor_kind, action, target, payload) ON tidings.audit_log TO tidings_app;
GRANT SELECT, INSERT, UPDATE ON tidings.audit_log TO tidings_system;
COMMENT ON TABLE tidings.audit_log IS
    'Who did what to what. Append-only: admins read, everyone who acts appends, nobody changes or deletes; seal_audit_v1 chains committed rows and erase_audit_v1 empties payloads. Retention: kept; payloads that name an erased person are emptied.';
COMMENT ON COLUMN tidings.audit_log.actor_user_id IS 'No foreign key: the entry outlives the member.';
COMMENT ON COLUMN tidings.audit_log.salt IS 'Random, made on insert; erased with the payload so that its hash cannot be guessed back.';
COMMENT ON COLUMN tidings.audit_log.payload_hash IS 'SHA-256 of the salt and the payload''s jsonb text; stays when the payload is erased.';
COMMENT ON COLUMN tidings.audit_log.seal IS 'The sequence of the seal in audit_seals that covers this row; null until sealed.';

CREATE TABLE tidings.audit_seals (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    sequence bigint NOT NULL CHECK (sequence > 0),
    row_count integer NOT NULL CHECK (row_count > 0),
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    sealed_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, sequence)
);
SELECT tidings.protect('tidings.audit_seals');
CREATE POLICY admin_select ON tidings.audit_seals FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY system_all ON tidings.audit_seals TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.audit_seals TO tidings_app;
GRANT SELECT, INSERT ON tidings.audit_seals TO tidings_system;
COMMENT ON TABLE tidings.audit_seals IS
    'A hash chain over batches of the audit log, one chain per organization. Note the last hash elsewhere to notice a chain cut at its end. Retention: kept.';
COMMENT ON COLUMN tidings.audit_seals.hash IS 'SHA-256 of the previous hash, the sequence and the digest of each row in the order of their ids.';

CREATE FUNCTION tidings.hash_audit_payload(salt bytea, payload jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(salt || convert_to(payload::text, 'UTF8'));
COMMENT ON FUNCTION tidings.hash_audit_payload(bytea, jsonb) IS
    'The salted hash of a payload; jsonb''s text is canonical (keys in a fixed order, once each).';

CREATE FUNCTION tidings.digest_audit_row(entry tidings.audit_log) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(convert_to(jsonb_build_array(
    entry.id, ((extract(epoch FROM entry.at) * 1000000)::bigint)::text, entry.actor_user_id, entry.actor_kind,
    entry.action, entry.target, encode(entry.payload_hash, 'hex'))::text, 'UTF8'));
COMMENT ON FUNCTION tidings.digest_audit_row(tidings.audit_log) IS
    'What a seal covers of one entry: everything but the payload itself, which stands by its hash.';
GRANT EXECUTE ON FUNCTION tidings.hash_audit_payload(bytea, jsonb), tidings.digest_audit_row(tidings.audit_log)
    TO tidings_app, tidings_system;

CREATE FUNCTION tidings.salt_audit_row() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    -- The writer chooses neither time nor hash nor seal.
    NEW.at := tidings.now();
    NEW.seal := NULL;
    NEW.payload := coalesce(NEW.payload, '{}'::pg_catalog.jsonb);
    NEW.salt := pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid());
    NEW.payload_hash := tidings.hash_audit_payload(NEW.salt, NEW.payload);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION tidings.salt_audit_row() IS 'On insert: sets time, salt and payload hash of an audit entry.';
CREATE TRIGGER salt_audit_row BEFORE INSERT ON tidings.audit_log
    FOR EACH ROW EXECUTE FUNCTION tidings.salt_audit_row();

CREATE FUNCTION tidings.keep_audit_row() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    was pg_catalog.jsonb := pg_catalog.to_jsonb(OLD);
    becomes pg_catalog.jsonb;
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- Only together with the whole organization.
        IF NOT EXISTS (SELECT 1 FROM tidings.organizations WHERE id = OLD.organization_id) THEN
            RETURN OLD;
        END IF;
    ELSIF current_user = 'tidings_system' THEN
        becomes := pg_catalog.to_jsonb(NEW);
        IF OLD.seal IS NULL AND NEW.seal IS NOT NULL AND was - 'seal' = becomes - 'seal' THEN
            RETURN NEW;
        END IF;
        IF NEW.payload IS NULL AND NEW.salt IS NULL
            AND was - 'payload' - 'salt' = becomes - 'payload' - 'salt' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'The audit log is append-only.' USING ERRCODE = 'TD403';
END
$$;
COMMENT ON FUNCTION tidings.keep_audit_row() IS
    'Refuses every change of an audit entry but sealing it and erasing its payload, whoever asks.';
CREATE TRIGGER keep_audit_row BEFORE UPDATE OR DELETE ON tidings.audit_log
    FOR EACH ROW EXECUTE FUNCTION tidings.keep_audit_row();

CREATE FUNCTION tidings.erase_audit_v1(erased_target text) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    erased bigint;
BEGIN
    IF NOT tidings.may_administer() THEN
        RAISE EXCEPTION 'Only an admin or owner may erase audit payloads.' USING ERRCODE = 'TD403';
    END IF;
    UPDATE tidings.audit_log SET payload = NULL, salt = NULL
    WHERE organization_id = tidings.current_organization() AND target = erased_target AND payload IS NOT NULL;
    GET DIAGNOSTICS erased = ROW_COUNT;
    RETURN erased;
END
$$;
SELECT tidings.run_as_system('tidings.erase_audit_v1(text)');
COMMENT ON FUNCTION tidings.erase_audit_v1(text) IS
    'Empties the payloads of all entries about one target of the current organization; the chain stays verifiable. Answers how many.';

CREATE FUNCTION tidings.seal_audit_v1(max_rows integer) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid;
    remaining bigint := max_rows;
    last tidings.audit_seals;
    ids uuid[];
    digests bytea;
    next_sequence bigint;
    previous bytea;
BEGIN
    -- A loose scan of the partial index: one step per organization that has unsealed rows.
    SELECT u.organization_id INTO organization FROM tidings.audit_log AS u
    WHERE u.seal IS NULL ORDER BY u.organization_id LIMIT 1;
    WHILE organization IS NOT NULL AND remaining > 0 LOOP
        -- Two sealers never work on one chain; the one that comes second skips it.
        IF pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('tidings.audit:' || organization, 0)) THEN
            last := NULL;
            SELECT * INTO last FROM tidings.audit_seals AS s
            WHERE s.organization_id = organization ORDER BY s.sequence DESC LIMIT 1;
            next_sequence := coalesce(last.sequence, 0) + 1;
            previous := coalesce(last.hash, pg_catalog.sha256(pg_catalog.uuid_send(organization)));
            SELECT pg_catalog.array_agg(r.id ORDER BY r.id), pg_catalog.string_agg(tidings.digest_audit_row(r), '' ORDER BY r.id)
            INTO ids, digests
            FROM (SELECT * FROM tidings.audit_log AS l
                  WHERE l.organization_id = organization AND l.seal IS NULL ORDER BY l.id LIMIT remaining) AS r;
            IF ids IS NOT NULL THEN
                INSERT INTO tidings.audit_seals (organization_id, sequence, row_count, previous_hash, hash)
                VALUES (organization, next_sequence, pg_catalog.cardinality(ids), previous,
                        pg_catalog.sha256(previous || pg_catalog.int8send(next_sequence) || digests));
                UPDATE tidings.audit_log AS l SET seal = next_sequence
                WHERE l.organization_id = organization AND l.id = ANY (ids);
                remaining := remaining - pg_catalog.cardinality(ids);
            END IF;
        END IF;
        SELECT u.organization_id INTO organization FROM tidings.audit_log AS u
        WHERE u.seal IS NULL AND u.organization_id > organization ORDER BY u.organization_id LIMIT 1;
    END LOOP;
    RETURN max_rows - remaining;
END
$$;
SELECT tidings.run_as_system('tidings.seal_audit_v1(integer)');
COMMENT ON FUNCTION tidings.seal_audit_v1(integer) IS
    'Chains up to so many committed, unsealed entries, one batch per organization; answers how many. Entries that commit later than younger ones simply come in a later seal.';

CREATE FUNCTION tidings.verify_audit_v1(organization uuid)
RETURNS TABLE (intact boolean, seals bigint, entries bigint, unsealed bigint, broken_at bigint, problem text, head bytea)
LANGUAGE plpgsql
AS $$
DECLARE
    seal tidings.audit_seals;
    expected bytea := pg_catalog.sha256(pg_catalog.uuid_send(organization));
    digests bytea;
    found_rows bigint;
    tampered bigint;
BEGIN
    IF coalesce(pg_catalog.current_setting('tidings.organization_id', true), '') <> ''
        AND NOT (organization = tidings.current_organization() AND tidings.may_administer()) THEN
        RAISE EXCEPTION 'Only an admin or owner may verify the audit log.' USING ERRCODE = 'TD403';
    END IF;
    intact := true; seals := 0; entries := 0;
    FOR seal IN SELECT * FROM tidings.audit_seals AS s WHERE s.organization_id = organization ORDER BY s.sequence LOOP
        SELECT pg_catalog.count(*), pg_catalog.string_agg(tidings.digest_audit_row(l), '' ORDER BY l.id),
               pg_catalog.count(*) FILTER (WHERE l.payload IS NOT NULL
                   AND l.payload_hash <> tidings.hash_audit_payload(l.salt, l.payload))
        INTO found_rows, digests, tampered
        FROM tidings.audit_log AS l WHERE l.organization_id = organization AND l.seal = seal.sequence;
        problem := CASE
            WHEN seal.sequence <> seals + 1 THEN 'a seal is missing'
            WHEN seal.previous_hash <> expected THEN 'it does not continue the seal before it'
            WHEN found_rows <> seal.row_count THEN 'entries are missing or added'
            WHEN tampered > 0 THEN 'a payload was changed'
            WHEN seal.hash <> pg_catalog.sha256(expected || pg_catalog.int8send(seal.sequence) || digests) THEN 'an entry was changed'
        END;
        IF problem IS NOT NULL THEN
            intact := false;
            broken_at := seal.sequence;
            EXIT;
        END IF;
        seals := seals + 1;
        entries := entries + found_rows;
        expected := seal.hash;
    END LOOP;
    IF intact AND EXISTS (SELECT 1 FROM tidings.audit_log AS l WHERE l.organization_id = organization AND l.seal > seals) THEN
        intact := false; broken_at := seals + 1; problem := 'a seal is missing';
    END IF;
    head := expected;
    SELECT pg_catalog.count(*) INTO unsealed FROM tidings.audit_log AS l
    WHERE l.organization_id = organization AND l.seal IS NULL;
    RETURN NEXT;
END
$$;
SELECT tidings.run_as_system('tidings.verify_audit_v1(uuid)');
COMMENT ON FUNCTION tidings.verify_audit_v1(uuid) IS
    'Recomputes an organization''s chain: whether it is intact, and if not at which seal and why. `head` is the last good hash.';

-- Rate limits and idempotency --------------------------------------------------------------------

CREATE UNLOGGED TABLE tidings.request_counts (
    bucket bytea NOT NULL CHECK (octet_length(bucket) = 32),
    minute timestamptz NOT NULL,
    used integer NOT NULL CHECK (used >= 0),
    PRIMARY KEY (bucket, minute)
) WITH (fillfactor = 50);
CREATE INDEX request_counts_minute ON tidings.request_counts (minute);
SELECT tidings.protect('tidings.request_counts');
CREATE POLICY system_all ON tidings.request_counts TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.request_counts TO tidings_system;
COMMENT ON TABLE tidings.request_counts IS
    'Requests handed out per credential and minute; unlogged, a crash only forgets the current minute. Retention: removed after an hour.';
COMMENT ON COLUMN tidings.request_counts.bucket IS 'SHA-256 of the credential''s id, so that rotating a session changes nothing.';

CREATE TABLE tidings.idempotency_keys (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    key text COLLATE "C" NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    claim uuid NOT NULL,
    claimed_at timestamptz NOT NULL,
    status integer CHECK (status BETWEEN 100 AND 599),
    headers jsonb,
    body bytea,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, user_id, key),
    FOREIGN KEY (organization_id, user_id) REFERENCES tidings.organization_members ON DELETE CASCADE,
    CHECK ((status IS NULL) = (headers IS NULL) AND (status IS NULL) = (body IS NULL))
);
CREATE INDEX idempotency_keys_expiry ON tidings.idempotency_keys (expires_at);
SELECT tidings.protect('tidings.idempotency_keys');
CREATE POLICY own_select ON tidings.idempotency_keys FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()));
CREATE POLICY own_update ON tidings.idempotency_keys FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()));
CREATE POLICY own_delete ON tidings.idempotency_keys FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()));
CREATE POLICY system_all ON tidings.idempotency_keys TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE (status, headers, body), DELETE ON tidings.idempotency_keys TO tidings_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.idempotency_keys TO tidings_system;
COMMENT ON TABLE tidings.idempotency_keys IS
    'The first answer to each Idempotency-Key: claimed before the handler runs, answered in the transaction of its effect. Retention: removed after 24 hours.';
COMMENT ON COLUMN tidings.idempotency_keys.claim IS 'Which attempt may answer; another takes over a claim unanswered for 60 seconds.';

CREATE FUNCTION tidings.save_idempotent_v1(saved_key text, saved_claim uuid, saved_status integer, saved_headers jsonb, saved_body bytea)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE tidings.idempotency_keys SET status = saved_status, headers = saved_headers, body = saved_body
    WHERE organization_id = tidings.current_organization() AND user_id = tidings.acting_user()
        AND key = saved_key AND claim = saved_claim AND status IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Another request with this Idempotency-Key took over; repeat it to read its answer.'
            USING ERRCODE = 'TD425';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.save_idempotent_v1(text, uuid, integer, jsonb, bytea) IS
    'Keeps the answer of a claimed request, in the transaction of its effect; fails, and the effect with it, when the claim was lost.';

CREATE FUNCTION tidings.release_idempotent_v1(released_key text, released_claim uuid) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM tidings.idempotency_keys
    WHERE organization_id = tidings.current_organization() AND user_id = tidings.acting_user()
        AND key = released_key AND claim = released_claim AND status IS NULL;
$$;
COMMENT ON FUNCTION tidings.release_idempotent_v1(text, uuid) IS
    'Gives an unanswered claim back, so that a retry runs at once.';
GRANT EXECUTE ON FUNCTION tidings.save_idempotent_v1(text, uuid, integer, jsonb, bytea),
    tidings.release_idempotent_v1(text, uuid) TO tidings_app;

CREATE FUNCTION tidings.take_requests_v1(credential uuid, take integer, per_minute integer)
RETURNS TABLE (granted integer, used integer)
LANGUAGE plpgsql
AS $$
DECLARE
    total integer;
BEGIN
    INSERT INTO tidings.request_counts AS c (bucket, minute, used)
    VALUES (pg_catalog.sha256(pg_catalog.uuid_send(credential)), pg_catalog.date_trunc('minute', tidings.now()), take)
    ON CONFLICT (bucket, minute) DO UPDATE
        -- Kept below the range of integer whatever the number of refused requests.
        SET used = least(c.used, 1000000000) + excluded.used
    RETURNING c.used INTO total;
    granted := least(greatest(per_minute - (total - take), 0), take);
    used := least(total, per_minute);
    RETURN NEXT;
END
$$;
SELECT tidings.run_as_system('tidings.take_requests_v1(uuid, integer, integer)');
REVOKE EXECUTE ON FUNCTION tidings.take_requests_v1(uuid, integer, integer) FROM tidings_app;
COMMENT ON FUNCTION tidings.take_requests_v1(uuid, integer, integer) IS
    'Takes up to so many requests out of this minute''s allowance of one credential; part of open_request_v1.';

CREATE FUNCTION tidings.claim_idempotent_v1(
    organization uuid, owner uuid, wanted_key text, wanted_hash bytea, new_claim uuid,
    OUT state text, OUT status integer, OUT headers jsonb, OUT body bytea)
LANGUAGE plpgsql
AS $$
DECLARE
    found_row tidings.idempotency_keys;
    moment timestamptz := tidings.now();
BEGIN
    INSERT INTO tidings.idempotency_keys (organization_id, user_id, key, request_hash, claim, claimed_at, expires_at)
    VALUES (organization, owner, wanted_key, wanted_hash, new_claim, moment, moment + interval '24 hours')
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        state := 'claimed';
        RETURN;
    END IF;
    -- Only a claim that ran out is written to; the row's lock lets one of several take it over.
    UPDATE tidings.idempotency_keys AS i
    SET request_hash = wanted_hash, claim = new_claim, claimed_at = moment, status = NULL, headers = NULL, body = NULL,
        expires_at = moment + interval '24 hours'
    WHERE i.organization_id = organization AND i.user_id = owner AND i.key = wanted_key
        AND (i.expires_at <= moment
             OR (i.status IS NULL AND i.request_hash = wanted_hash
                 -- Its own claim: the answer to it was lost on the way, and it was sent again.
                 AND (i.claim = new_claim OR i.claimed_at < moment - interval '60 seconds')));
    IF FOUND THEN
        state := 'claimed';
        RETURN;
    END IF;
    SELECT * INTO found_row FROM tidings.idempotency_keys AS i
    WHERE i.organization_id = organization AND i.user_id = owner AND i.key = wanted_key;
    state := CASE
        WHEN found_row.request_hash <> wanted_hash THEN 'mismatch'
        WHEN found_row.status IS NOT NULL THEN 'replay'
        ELSE 'busy'  -- also when it was released in this very moment: the client tries again
    END;
    IF state = 'replay' THEN
        status := found_row.status;
        headers := found_row.headers;
        body := found_row.body;
    END IF;
END
$$;
SELECT tidings.run_as_system('tidings.claim_idempotent_v1(uuid, uuid, text, bytea, uuid)');
REVOKE EXECUTE ON FUNCTION tidings.claim_idempotent_v1(uuid, uuid, text, bytea, uuid) FROM tidings_app;
COMMENT ON FUNCTION tidings.claim_idempotent_v1(uuid, uuid, text, bytea, uuid) IS
    'Claims an Idempotency-Key for one attempt, or says why not (replay, mismatch, busy); part of open_request_v1.';

CREATE FUNCTION tidings.open_request_v1(
    wanted_key bytea, wanted_session bytea, take integer, per_minute integer,
    idempotency_key text, wanted_hash bytea, new_claim uuid)
RETURNS TABLE (
    organization_id uuid, user_id uuid, role text, scopes text[], key_id uuid, session_id uuid, csrf text,
    email text, user_name text, organization_name text, rotation_due boolean,
    granted integer, used integer, per_minute_limit integer, reset_seconds integer,
    idempotency text, status integer, headers jsonb, body bytea)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := tidings.now();
    key_row record;
    session_row record;
    seen timestamptz;
    answer record;
BEGIN
    IF wanted_key IS NOT NULL THEN
        SELECT k.organization_id, k.id, k.user_id, k.role, k.scopes, k.last_used_at,
               m.role AS member_role, u.email, u.name AS user_name, o.name AS organization_name
        INTO key_row
        FROM tidings.api_keys AS k
        JOIN tidings.organization_members AS m ON m.organization_id = k.organization_id AND m.user_id = k.user_id
        JOIN tidings.users AS u ON u.id = k.user_id
        JOIN tidings.organizations AS o ON o.id = k.organization_id
        WHERE k.key_hash = wanted_key AND k.revoked_at IS NULL
            AND (k.expires_at IS NULL OR k.expires_at > moment) AND u.disabled_at IS NULL;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        organization_id := key_row.organization_id;
        user_id := key_row.user_id;
        -- A member who was demoted takes the keys along.
        role := CASE WHEN tidings.role_rank(key_row.role) < tidings.role_rank(key_row.member_role)
                THEN key_row.role ELSE key_row.member_role END;
        scopes := key_row.scopes;
        key_id := key_row.id;
        rotation_due := false;
        email := key_row.email;
        user_name := key_row.user_name;
        organization_name := key_row.organization_name;
        seen := key_row.last_used_at;
    ELSE
        SELECT s.organization_id, s.id, s.user_id, s.csrf, s.last_seen_at, s.rotated_at,
               s.token_hash = wanted_session AS is_current,
               m.role, u.email, u.name AS user_name, o.name AS organization_name
        INTO session_row
        FROM (SELECT * FROM tidings.sessions WHERE token_hash = wanted_session
              UNION ALL
              SELECT * FROM tidings.sessions
              WHERE previous_token_hash = wanted_session AND rotated_at > moment - interval '60 seconds') AS s
        JOIN tidings.organization_members AS m ON m.organization_id = s.organization_id AND m.user_id = s.user_id
        JOIN tidings.users AS u ON u.id = s.user_id
        JOIN tidings.organizations AS o ON o.id = s.organization_id
        WHERE s.revoked_at IS NULL AND s.expires_at > moment AND u.disabled_at IS NULL
        LIMIT 1;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        organization_id := session_row.organization_id;
        user_id := session_row.user_id;
        role := session_row.role;
        scopes := '{}';
        session_id := session_row.id;
        csrf := session_row.csrf;
        rotation_due := session_row.is_current AND session_row.rotated_at < moment - interval '1 hour';
        email := session_row.email;
        user_name := session_row.user_name;
        organization_name := session_row.organization_name;
        seen := session_row.last_seen_at;
    END IF;

    IF take > 0 OR idempotency_key IS NOT NULL OR seen IS NULL OR seen < moment - interval '1 minute' THEN
        -- Nothing here need wait for the disk: a lost claim means that its effect, committed later, is lost too.
        PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
    END IF;
    IF seen IS NULL OR seen < moment - interval '1 minute' THEN
        -- SKIP LOCKED: of many requests in the same moment one writes and none waits.
        IF key_id IS NOT NULL THEN
            UPDATE tidings.api_keys AS k SET last_used_at = moment
            WHERE (k.organization_id, k.id) IN (
                SELECT n.organization_id, n.id FROM tidings.api_keys AS n
                WHERE n.key_hash = wanted_key FOR NO KEY UPDATE SKIP LOCKED);
        ELSE
            UPDATE tidings.sessions AS s SET last_seen_at = moment, expires_at = moment + s.lifetime
            WHERE (s.organization_id, s.id) IN (
                SELECT n.organization_id, n.id FROM tidings.sessions AS n
                WHERE n.organization_id = session_row.organization_id AND n.id = session_row.id
                FOR NO KEY UPDATE SKIP LOCKED);
        END IF;
    END IF;

    per_minute_limit := per_minute;
    reset_seconds := 60 - floor(extract(second FROM moment))::integer;
    granted := 0;
    used := 0;
    IF take > 0 THEN
        SELECT t.granted, t.used INTO answer
        FROM tidings.take_requests_v1(coalesce(key_id, session_id), take, per_minute) AS t;
        granted := answer.granted;
        used := answer.used;
    END IF;

    idempotency := 'none';
    -- A request that is refused for its rate claims nothing.
    IF idempotency_key IS NOT NULL AND (take = 0 OR granted > 0) THEN
        SELECT * INTO answer FROM tidings.claim_idempotent_v1(
            organization_id, user_id, idempotency_key, wanted_hash, new_claim);
        idempotency := answer.state;
        status := answer.status;
        headers := answer.headers;
        body := answer.body;
    END IF;
    RETURN NEXT;
END
$$;
SELECT tidings.run_as_system('tidings.open_request_v1(bytea, bytea, integer, integer, text, bytea, uuid)');
COMMENT ON FUNCTION tidings.open_request_v1(bytea, bytea, integer, integer, text, bytea, uuid) IS
    'All a request needs before its handler, in one round trip: who the credential is, a share of its rate limit, and its Idempotency-Key. No row when the credential is unknown, expired, revoked or its person disabled. Read-only unless asked to take or claim, but for the last use, written once a minute.';

-- Sign-in ----------------------------------------------------------------------------------------

CREATE FUNCTION tidings.count_attempt_v1(counted_bucket bytea, per_window integer) RETURNS boolean
LANGUAGE sql
AS $$
    INSERT INTO tidings.sign_in_failures AS f (bucket, window_start, failures)
    VALUES (counted_bucket, tidings.now(), 1)
    ON CONFLICT (bucket) DO UPDATE SET
        failures = CASE WHEN f.window_start <= tidings.now() - interval '15 minutes' THEN 1
                        ELSE least(f.failures, 1000000) + 1 END,
        window_start = CASE WHEN f.window_start <= tidings.now() - interval '15 minutes' THEN tidings.now()
                            ELSE f.window_start END
    RETURNING f.failures <= per_window;
$$;
SELECT tidings.run_as_system('tidings.count_attempt_v1(bytea, integer)');
REVOKE EXECUTE ON FUNCTION tidings.count_attempt_v1(bytea, integer) FROM tidings_app;
COMMENT ON FUNCTION tidings.count_attempt_v1(bytea, integer) IS
    'Counts one sign-in attempt and says whether it is still within the limit of its 15 minutes.';

CREATE FUNCTION tidings.begin_sign_in_v1(
    wanted_email text, account_bucket bytea, address_bucket bytea, per_window integer,
    OUT user_id uuid, OUT password_hash text)
LANGUAGE plpgsql
AS $$
DECLARE
    -- Always both, and always in this order: no early answer, no deadlock.
    account_open boolean := tidings.count_attempt_v1(account_bucket, per_window);
    address_open boolean := tidings.count_attempt_v1(address_bucket, per_window);
BEGIN
    SELECT u.id, p.password_hash INTO user_id, password_hash
    FROM tidings.users AS u JOIN tidings.user_passwords AS p ON p.user_id = u.id
    WHERE lower(u.email) = lower(wanted_email) AND u.disabled_at IS NULL AND account_open AND address_open;
END
$$;
SELECT tidings.run_as_system('tidings.begin_sign_in_v1(text, bytea, bytea, integer)');
COMMENT ON FUNCTION tidings.begin_sign_in_v1(text, bytea, bytea, integer) IS
    'Counts an attempt and answers the hash to check; the same empty answer for an unknown, disabled, password-less or locked-out account.';

CREATE FUNCTION tidings.start_session_v1(
    organization uuid, person uuid, how text, new_id uuid, new_token_hash bytea, new_csrf text, how_long interval, agent text, client text)
RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO tidings.sessions (organization_id, id, user_id, method, token_hash, csrf, lifetime,
        created_at, rotated_at, last_seen_at, expires_at, user_agent, address)
    VALUES (organization, new_id, person, how, new_token_hash, new_csrf, how_long,
        tidings.now(), tidings.now(), tidings.now(), tidings.now() + how_long, agent, client);
    INSERT INTO tidings.audit_log (organization_id, actor_user_id, actor_kind, action, target, payload)
    VALUES (organization, person, 'person', 'session.opened', 'session:' || new_id, pg_catalog.jsonb_build_object('method', how));
$$;
SELECT tidings.run_as_system('tidings.start_session_v1(uuid, uuid, text, uuid, bytea, text, interval, text, text)');
REVOKE EXECUTE ON FUNCTION tidings.start_session_v1(uuid, uuid, text, uuid, bytea, text, interval, text, text) FROM tidings_app;
COMMENT ON FUNCTION tidings.start_session_v1(uuid, uuid, text, uuid, bytea, text, interval, text, text) IS
    'Inserts a session and its audit entry; part of the two ways to sign in.';

CREATE FUNCTION tidings.sign_in_by_password_v1(
    person uuid, checked_hash text, better_hash text, wanted_organization uuid, account_bucket bytea, address_bucket bytea,
    new_id uuid, new_token_hash bytea, new_csrf text, how_long interval, agent text, client text)
RETURNS TABLE (organization_id uuid, user_id uuid)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    -- The password that was checked must still be the password.
    PERFORM 1 FROM tidings.user_passwords AS p JOIN tidings.users AS u ON u.id = p.user_id
    WHERE p.user_id = person AND p.password_hash = checked_hash AND u.disabled_at IS NULL FOR NO KEY UPDATE OF p;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM tidings.sign_in_failures WHERE bucket = account_bucket;
    UPDATE tidings.sign_in_failures SET failures = greatest(failures - 1, 0) WHERE bucket = address_bucket;
    SELECT m.organization_id, m.user_id INTO organization_id, user_id
    FROM tidings.organization_members AS m
    WHERE m.user_id = person AND (wanted_organization IS NULL OR m.organization_id = wanted_organization)
    ORDER BY m.created_at, m.organization_id LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF better_hash IS NOT NULL THEN
        UPDATE tidings.user_passwords SET password_hash = better_hash WHERE user_id = person;
    END IF;
    PERFORM tidings.start_session_v1(organization_id, person, 'password', new_id, new_token_hash, new_csrf, how_long, agent, client);
    RETURN NEXT;
END
$$;
SELECT tidings.run_as_system('tidings.sign_in_by_password_v1(uuid, text, text, uuid, bytea, bytea, uuid, bytea, text, interval, text, text)');
COMMENT ON FUNCTION tidings.sign_in_by_password_v1(uuid, text, text, uuid, bytea, bytea, uuid, bytea, text, interval, text, text) IS
    'Opens a session after the password was found right: in the organization asked for, or the person''s first. Takes the attempt back. No row when the password changed meanwhile, or there is no membership.';

CREATE FUNCTION tidings.sign_in_by_link_v1(
    link_hash bytea, new_id uuid, new_token_hash bytea, new_csrf text, how_long interval, agent text, client text)
RETURNS TABLE (organization_id uuid, user_id uuid)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    -- The row's lock makes the second of two users of one link see it used.
    UPDATE tidings.sign_in_links AS l SET used_at = tidings.now()
    FROM tidings.users AS u
    WHERE l.token_hash = link_hash AND l.used_at IS NULL AND l.expires_at > tidings.now()
        AND u.id = l.user_id AND u.disabled_at IS NULL
    RETURNING l.organization_id, l.user_id INTO organization_id, user_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM tidings.start_session_v1(organization_id, user_id, 'link', new_id, new_token_hash, new_csrf, how_long, agent, client);
    RETURN NEXT;
END
$$;
SELECT tidings.run_as_system('tidings.sign_in_by_link_v1(bytea, uuid, bytea, text, interval, text, text)');
COMMENT ON FUNCTION tidings.sign_in_by_link_v1(bytea, uuid, bytea, text, interval, text, text) IS
    'Uses a one-time link and opens a session; no row when it is unknown, used or expired.';

CREATE FUNCTION tidings.issue_sign_in_link_v1(wanted_email text, wanted_organization uuid, link_hash bytea, how_long interval)
RETURNS TABLE (organization_id uuid, user_id uuid)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    SELECT m.organization_id, m.user_id INTO organization_id, user_id
    FROM tidings.users AS u JOIN tidings.organization_members AS m ON m.user_id = u.id
    WHERE lower(u.email) = lower(wanted_email) AND u.disabled_at IS NULL
        AND (wanted_organization IS NULL OR m.organization_id = wanted_organization)
    ORDER BY m.created_at, m.organization_id LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO tidings.sign_in_links (organization_id, token_hash, user_id, created_at, expires_at)
    VALUES (organization_id, link_hash, user_id, tidings.now(), tidings.now() + how_long);
    INSERT INTO tidings.audit_log (organization_id, actor_user_id, actor_kind, action, target)
    VALUES (organization_id, NULL, 'service', 'sign_in_link.issued', 'user:' || user_id);
    RETURN NEXT;
END
$$;
SELECT tidings.run_as_system('tidings.issue_sign_in_link_v1(text, uuid, bytea, interval)');
COMMENT ON FUNCTION tidings.issue_sign_in_link_v1(text, uuid, bytea, interval) IS
    'Stores a one-time link for a member, for the operator or the mailer to hand over; never to another member, who could sign in with it.';

CREATE FUNCTION tidings.rotate_session_v1(old_token_hash bytea, new_token_hash bytea) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE tidings.sessions
    SET previous_token_hash = token_hash, token_hash = new_token_hash, rotated_at = tidings.now()
    WHERE token_hash = old_token_hash AND revoked_at IS NULL AND expires_at > tidings.now();
    RETURN FOUND;
END
$$;
SELECT tidings.run_as_system('tidings.rotate_session_v1(bytea, bytea)');
COMMENT ON FUNCTION tidings.rotate_session_v1(bytea, bytea) IS
    'Replaces a session''s token; false when another request did so first or the session ended.';

CREATE FUNCTION tidings.password_bucket_v1() RETURNS bytea
LANGUAGE sql STABLE
AS $$ SELECT sha256(convert_to('password:' || tidings.acting_user(), 'UTF8')) $$;
SELECT tidings.run_as_system('tidings.password_bucket_v1()');
REVOKE EXECUTE ON FUNCTION tidings.password_bucket_v1() FROM tidings_app;
COMMENT ON FUNCTION tidings.password_bucket_v1() IS 'Where the acting person''s tries to change the password are counted.';

CREATE FUNCTION tidings.own_password_v1(per_window integer) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT tidings.count_attempt_v1(tidings.password_bucket_v1(), per_window) THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT password_hash FROM tidings.user_passwords WHERE user_id = tidings.acting_user());
END
$$;
SELECT tidings.run_as_system('tidings.own_password_v1(integer)');
COMMENT ON FUNCTION tidings.own_password_v1(integer) IS
    'Counts a try and answers the hash of the acting person''s password; null when there is none, or after too many tries.';

CREATE FUNCTION tidings.set_password_v1(session uuid, checked_hash text, new_hash text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    opened record;
    existing text;
BEGIN
    SELECT s.method, s.created_at INTO opened FROM tidings.sessions AS s
    WHERE s.organization_id = tidings.current_organization() AND s.id = session AND s.user_id = tidings.acting_user()
        AND s.revoked_at IS NULL AND s.expires_at > tidings.now();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Sign in to set a password.' USING ERRCODE = 'TD403';
    END IF;
    SELECT p.password_hash INTO existing FROM tidings.user_passwords AS p
    WHERE p.user_id = tidings.acting_user() FOR NO KEY UPDATE;
    -- Whoever forgot it signs in by a link and has 15 minutes to choose another.
    IF NOT (existing IS NOT DISTINCT FROM checked_hash
            OR (checked_hash IS NULL AND opened.method = 'link' AND opened.created_at > tidings.now() - interval '15 minutes')) THEN
        RAISE EXCEPTION 'The current password is not right.' USING ERRCODE = 'TD403';
    END IF;
    INSERT INTO tidings.user_passwords AS p (user_id, password_hash, changed_at)
    VALUES (tidings.acting_user(), new_hash, tidings.now())
    ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at;
    UPDATE tidings.sessions AS s SET revoked_at = tidings.now()
    WHERE s.user_id = tidings.acting_user() AND s.id <> session AND s.revoked_at IS NULL;
    DELETE FROM tidings.sign_in_failures WHERE bucket = tidings.password_bucket_v1();
END
$$;
SELECT tidings.run_as_system('tidings.set_password_v1(uuid, text, text)');
COMMENT ON FUNCTION tidings.set_password_v1(uuid, text, text) IS
    'Sets the acting person''s password when the current one was checked, and ends all their other sessions, in every organization.';

-- Members and organizations ----------------------------------------------------------------------

CREATE FUNCTION tidings.lock_members_v1() RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    actual text;
BEGIN
    PERFORM 1 FROM tidings.organizations WHERE id = tidings.current_organization() FOR NO KEY UPDATE;
    SELECT role INTO actual FROM tidings.organization_members
    WHERE organization_id = tidings.current_organization() AND user_id = tidings.acting_user();
    RETURN least(tidings.role_rank(actual), tidings.role_rank(tidings.acting_role()));
END
$$;
SELECT tidings.run_as_system('tidings.lock_members_v1()');
REVOKE EXECUTE ON FUNCTION tidings.lock_members_v1() FROM tidings_app;
COMMENT ON FUNCTION tidings.lock_members_v1() IS
    'Lets one change of an organization''s members happen at a time, and answers the rank of who acts as it is now.';

CREATE FUNCTION tidings.add_member_v1(new_user uuid, new_email text, new_name text, new_role text) RETURNS uuid
LANGUAGE plpgsql
AS $$
DECLARE
    acting integer := tidings.lock_members_v1();
    person uuid;
BEGIN
    IF acting < 3 OR (new_role = 'owner' AND acting < 4) THEN
        RAISE EXCEPTION 'Admins add members, and only an owner adds an owner.' USING ERRCODE = 'TD403';
    END IF;
    INSERT INTO tidings.users (id, email, name, created_at) VALUES (new_user, new_email, new_name, tidings.now())
    ON CONFLICT (lower(email)) DO NOTHING;
    SELECT u.id INTO person FROM tidings.users AS u WHERE lower(u.email) = lower(new_email);
    INSERT INTO tidings.organization_members (organization_id, user_id, role, created_at)
    VALUES (tidings.current_organization(), person, new_role, tidings.now())
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'This person is a member already.' USING ERRCODE = 'TD409';
    END IF;
    RETURN person;
END
$$;
SELECT tidings.run_as_system('tidings.add_member_v1(uuid, text, text, text)');
COMMENT ON FUNCTION tidings.add_member_v1(uuid, text, text, text) IS
    'Adds a person by e-mail address, known or new, to the current organization; answers their id.';

CREATE FUNCTION tidings.change_member_role_v1(member uuid, new_role text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    acting integer := tidings.lock_members_v1();
    old_role text;
BEGIN
    SELECT m.role INTO old_role FROM tidings.organization_members AS m
    WHERE m.organization_id = tidings.current_organization() AND m.user_id = member;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such member here.' USING ERRCODE = 'TD404';
    END IF;
    IF acting < 3 OR (acting < 4 AND 'owner' IN (old_role, new_role)) THEN
        RAISE EXCEPTION 'Admins change roles, and only an owner makes or changes an owner.' USING ERRCODE = 'TD403';
    END IF;
    IF member = tidings.acting_user() AND tidings.role_rank(new_role) > tidings.role_rank(old_role) THEN
        RAISE EXCEPTION 'Nobody raises their own role; ask an owner.' USING ERRCODE = 'TD403';
    END IF;
    UPDATE tidings.organization_members AS m SET role = new_role
    WHERE m.organization_id = tidings.current_organization() AND m.user_id = member;
    RETURN old_role;
END
$$;
SELECT tidings.run_as_system('tidings.change_member_role_v1(uuid, text)');
COMMENT ON FUNCTION tidings.change_member_role_v1(uuid, text) IS
    'Changes a member''s role; answers the old one. Their sessions and keys have the new role from the next request on.';

CREATE FUNCTION tidings.remove_member_v1(member uuid) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    acting integer := tidings.lock_members_v1();
    old_role text;
BEGIN
    SELECT m.role INTO old_role FROM tidings.organization_members AS m
    WHERE m.organization_id = tidings.current_organization() AND m.user_id = member;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such member here.' USING ERRCODE = 'TD404';
    END IF;
    -- Anyone may leave, but not with a key or a job that stands below them.
    IF NOT (acting >= CASE WHEN old_role = 'owner' THEN 4 ELSE 3 END
            OR (member = tidings.acting_user() AND acting = tidings.role_rank(old_role))) THEN
        RAISE EXCEPTION 'Admins remove members, and only an owner removes an owner.' USING ERRCODE = 'TD403';
    END IF;
    DELETE FROM tidings.organization_members AS m
    WHERE m.organization_id = tidings.current_organization() AND m.user_id = member;
    RETURN old_role;
END
$$;
SELECT tidings.run_as_system('tidings.remove_member_v1(uuid)');
COMMENT ON FUNCTION tidings.remove_member_v1(uuid) IS
    'Removes a member and, by foreign key, their sessions, links and API keys here; answers the role they had.';

CREATE FUNCTION tidings.create_organization_v1(
    new_id uuid, new_name text, new_slug text, new_owner uuid, owner_email text, owner_name text, new_password_hash text)
RETURNS TABLE (organization_id uuid, user_id uuid, created boolean)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    -- Operators only: with a tenant set this would let a member act outside their organization.
    IF coalesce(pg_catalog.current_setting('tidings.organization_id', true), '') <> '' THEN
        RAISE EXCEPTION 'An organization is not made from within another.' USING ERRCODE = 'TD403';
    END IF;
    INSERT INTO tidings.organizations (id, name, slug, created_at) VALUES (new_id, new_name, new_slug, tidings.now())
    ON CONFLICT (slug) DO NOTHING;
    created := FOUND;
    IF NOT created THEN
        SELECT m.organization_id, m.user_id INTO organization_id, user_id
        FROM tidings.organizations AS o JOIN tidings.organization_members AS m ON m.organization_id = o.id AND m.role = 'owner'
        WHERE o.slug = new_slug ORDER BY m.created_at, m.user_id LIMIT 1;
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO tidings.users (id, email, name, created_at) VALUES (new_owner, owner_email, owner_name, tidings.now())
    ON CONFLICT (lower(email)) DO NOTHING;
    organization_id := new_id;
    SELECT u.id INTO user_id FROM tidings.users AS u WHERE lower(u.email) = lower(owner_email);
    INSERT INTO tidings.organization_members (organization_id, user_id, role, created_at)
    VALUES (organization_id, user_id, 'owner', tidings.now());
    IF new_password_hash IS NOT NULL THEN
        INSERT INTO tidings.user_passwords (user_id, password_hash, changed_at)
        VALUES (user_id, new_password_hash, tidings.now()) ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO tidings.audit_log (organization_id, actor_user_id, actor_kind, action, target, payload)
    VALUES (organization_id, NULL, 'service', 'organization.created', 'organization:' || organization_id,
            pg_catalog.jsonb_build_object('owner', user_id));
    RETURN NEXT;
END
$$;
SELECT tidings.run_as_system('tidings.create_organization_v1(uuid, text, text, uuid, text, text, text)');
COMMENT ON FUNCTION tidings.create_organization_v1(uuid, text, text, uuid, text, text, text) IS
    'Makes an organization and its owner; with a slug that exists, answers that organization and its oldest owner and changes nothing. A known person keeps their password.';

CREATE FUNCTION tidings.find_organization_v1(wanted_slug text)
RETURNS TABLE (organization_id uuid, user_id uuid, created boolean)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF coalesce(pg_catalog.current_setting('tidings.organization_id', true), '') <> '' THEN
        RAISE EXCEPTION 'An organization is not looked for from within another.' USING ERRCODE = 'TD403';
    END IF;
    RETURN QUERY
    SELECT m.organization_id, m.user_id, false
    FROM tidings.organizations AS o JOIN tidings.organization_members AS m ON m.organization_id = o.id AND m.role = 'owner'
    WHERE o.slug = wanted_slug ORDER BY m.created_at, m.user_id LIMIT 1;
END
$$;
SELECT tidings.run_as_system('tidings.find_organization_v1(text)');
COMMENT ON FUNCTION tidings.find_organization_v1(text) IS
    'The organization with a slug and its oldest owner, for operators; no row when there is none.';

-- Sealed secrets ---------------------------------------------------------------------------------

CREATE TABLE tidings.organization_secrets (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}(:[A-Za-z0-9_-]{1,64})?$'),
    sealed bytea NOT NULL CHECK (octet_length(sealed) BETWEEN 29 AND 16384),
    key_id text NOT NULL CHECK (char_length(key_id) = 16),
    hint text NOT NULL CHECK (char_length(hint) <= 4),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_by uuid,
    PRIMARY KEY (organization_id, name)
);
CREATE INDEX organization_secrets_key ON tidings.organization_secrets (key_id);
SELECT tidings.protect('tidings.organization_secrets');
CREATE POLICY admin_select ON tidings.organization_secrets FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
           AND ((SELECT tidings.may_administer()) OR (SELECT tidings.is_service())));
CREATE POLICY admin_delete ON tidings.organization_secrets FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY system_all ON tidings.organization_secrets TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT (organization_id, name, key_id, hint, updated_at, updated_by), DELETE ON tidings.organization_secrets TO tidings_app;
GRANT SELECT, INSERT, UPDATE ON tidings.organization_secrets TO tidings_system;
COMMENT ON TABLE tidings.organization_secrets IS
    'Keys and passwords of outside systems, sealed with TIDINGS_SECRET_KEY. Admins set, delete and list hints; services alone read. Retention: kept until deleted.';
COMMENT ON COLUMN tidings.organization_secrets.sealed IS
    'Nonce and AES-256-GCM ciphertext; organization and name are its associated data, so a row copied elsewhere does not open.';
COMMENT ON COLUMN tidings.organization_secrets.key_id IS 'The first 16 hex digits of the SHA-256 of the key that sealed it.';
COMMENT ON COLUMN tidings.organization_secrets.hint IS 'The last characters, at most 4, for people to recognise it by; empty for short ones.';

CREATE FUNCTION tidings.set_secret_v1(secret_name text, new_sealed bytea, new_key_id text, new_hint text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT (tidings.may_administer() OR tidings.is_service()) THEN
        RAISE EXCEPTION 'Only an admin or owner may set secrets.' USING ERRCODE = 'TD403';
    END IF;
    INSERT INTO tidings.organization_secrets AS s (organization_id, name, sealed, key_id, hint, updated_at, updated_by)
    VALUES (tidings.current_organization(), secret_name, new_sealed, new_key_id, new_hint, tidings.now(), tidings.acting_user())
    ON CONFLICT (organization_id, name) DO UPDATE SET sealed = excluded.sealed, key_id = excluded.key_id,
        hint = excluded.hint, updated_at = excluded.updated_at, updated_by = excluded.updated_by;
END
$$;
SELECT tidings.run_as_system('tidings.set_secret_v1(text, bytea, text, text)');
COMMENT ON FUNCTION tidings.set_secret_v1(text, bytea, text, text) IS 'Stores or replaces a sealed secret of the current organization.';

CREATE FUNCTION tidings.read_secret_v1(secret_name text) RETURNS TABLE (sealed bytea, key_id text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF NOT tidings.is_service() THEN
        RAISE EXCEPTION 'Stored secrets are read by services alone.' USING ERRCODE = 'TD403';
    END IF;
    RETURN QUERY SELECT s.sealed, s.key_id FROM tidings.organization_secrets AS s
    WHERE s.organization_id = tidings.current_organization() AND s.name = secret_name;
END
$$;
SELECT tidings.run_as_system('tidings.read_secret_v1(text)');
COMMENT ON FUNCTION tidings.read_secret_v1(text) IS 'A sealed secret of the current organization, to services alone.';

CREATE FUNCTION tidings.list_stale_secrets_v1(current_key_id text, after_organization uuid, after_name text, max_rows integer)
RETURNS TABLE (organization_id uuid, name text, sealed bytea, key_id text)
LANGUAGE sql STABLE
AS $$
    SELECT s.organization_id, s.name, s.sealed, s.key_id FROM tidings.organization_secrets AS s
    WHERE s.key_id <> current_key_id
        AND (after_organization IS NULL OR (s.organization_id, s.name) > (after_organization, after_name COLLATE "C"))
        AND coalesce(pg_catalog.current_setting('tidings.organization_id', true), '') = ''
    ORDER BY s.organization_id, s.name LIMIT max_rows;
$$;
SELECT tidings.run_as_system('tidings.list_stale_secrets_v1(text, uuid, text, integer)');
COMMENT ON FUNCTION tidings.list_stale_secrets_v1(text, uuid, text, integer) IS
    'Secrets of all organizations that an older key sealed; for rotation, nothing within a tenant.';

CREATE FUNCTION tidings.reseal_secret_v1(organization uuid, secret_name text, old_sealed bytea, new_sealed bytea, new_key_id text)
RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    -- Compared with what was opened, so that a secret set meanwhile is not put back.
    UPDATE tidings.organization_secrets AS s SET sealed = new_sealed, key_id = new_key_id
    WHERE s.organization_id = organization AND s.name = secret_name AND s.sealed = old_sealed
        AND coalesce(pg_catalog.current_setting('tidings.organization_id', true), '') = '';
    RETURN FOUND;
END
$$;
SELECT tidings.run_as_system('tidings.reseal_secret_v1(uuid, text, bytea, bytea, text)');
COMMENT ON FUNCTION tidings.reseal_secret_v1(uuid, text, bytea, bytea, text) IS
    'Replaces a secret''s seal by one of the current key; false when it was set or deleted meanwhile.';

-- Sweep ------------------------------------------------------------------------------------------

CREATE FUNCTION tidings.sweep_tenancy_v1(max_rows integer) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    moment timestamptz := tidings.now();
    removed bigint;
    total bigint := 0;
BEGIN
    DELETE FROM tidings.idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT i.ctid FROM tidings.idempotency_keys AS i WHERE i.expires_at <= moment
        LIMIT max_rows FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM tidings.request_counts WHERE ctid = ANY (ARRAY(
        SELECT c.ctid FROM tidings.request_counts AS c WHERE c.minute < moment - interval '1 hour'
        LIMIT max_rows FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM tidings.sign_in_failures WHERE ctid = ANY (ARRAY(
        SELECT f.ctid FROM tidings.sign_in_failures AS f WHERE f.window_start < moment - interval '1 hour'
        LIMIT max_rows FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM tidings.sign_in_links WHERE ctid = ANY (ARRAY(
        SELECT l.ctid FROM tidings.sign_in_links AS l WHERE l.expires_at < moment - interval '1 day'
        LIMIT max_rows FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM tidings.sessions WHERE ctid = ANY (ARRAY(
        SELECT s.ctid FROM tidings.sessions AS s WHERE s.expires_at < moment - interval '30 days'
        LIMIT max_rows FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN total + removed;
END
$$;
SELECT tidings.run_as_system('tidings.sweep_tenancy_v1(integer)');
COMMENT ON FUNCTION tidings.sweep_tenancy_v1(integer) IS
    'Removes up to so many rows of each kind that outlived its use; answers how many. Call again while it answers more than none.';
