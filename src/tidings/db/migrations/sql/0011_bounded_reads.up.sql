-- What one call may read -------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION tidings.kv_mutate_v1(operations jsonb, atomic boolean)
RETURNS TABLE (n integer, present boolean, value text, version bigint, expires_at timestamptz, failure text, message text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    operation jsonb;
    answer record;
    room bigint := 67108864;
BEGIN
    IF atomic THEN
        -- A check that a key is absent has no row to lock. These locks, taken in order before any row's,
        -- make mutations of the same keys take turns; a hash of 64 bounds how many one of them holds.
        PERFORM pg_advisory_xact_lock(hashtext(tidings.current_organization()::text), slot.hash)
        FROM (SELECT DISTINCT hashtext(o.item ->> 'key') & 63 AS hash
              FROM jsonb_array_elements(operations) AS o (item) ORDER BY 1) AS slot;
        -- Rows are locked in key order too, so that what was read stays until the commit.
        PERFORM 1 FROM tidings.kv_store AS s
        WHERE s.organization_id = tidings.current_organization()
          AND s.key = ANY (ARRAY(SELECT o.item ->> 'key' FROM jsonb_array_elements(operations) AS o (item)))
        ORDER BY s.key FOR UPDATE;
    END IF;
    -- Operations on different keys do not see each other, so key order gives the same answers as the order asked.
    FOR n, operation IN
        SELECT o.n - 1, o.item FROM jsonb_array_elements(operations) WITH ORDINALITY AS o (item, n)
        ORDER BY (o.item ->> 'key') COLLATE "C", o.n
    LOOP
        failure := NULL;
        message := NULL;
        IF atomic THEN
            SELECT * INTO answer FROM tidings.kv_operate_v1(operation);
        ELSE
            BEGIN
                SELECT * INTO answer FROM tidings.kv_operate_v1(operation);
            EXCEPTION WHEN SQLSTATE 'TD400' OR SQLSTATE 'TD403' OR SQLSTATE 'TD412' OR insufficient_privilege THEN
                failure := CASE SQLSTATE WHEN '42501' THEN 'TD403' ELSE SQLSTATE END;
                message := CASE SQLSTATE WHEN '42501' THEN 'Your role may not write this key.' ELSE SQLERRM END;
                SELECT false AS present, NULL::jsonb AS value, NULL::bigint AS version, NULL::timestamptz AS expires_at
                INTO answer;
            END;
        END IF;
        present := answer.present;
        value := answer.value::text;
        version := answer.version;
        expires_at := answer.expires_at;
        IF operation ->> 'op' = 'get' THEN
            room := room - coalesce(octet_length(value), 0);
            IF room < 0 THEN
                failure := 'TD400';
                message := 'The values read at once are more than 64 MiB; read fewer keys.';
                IF atomic THEN
                    RAISE EXCEPTION USING MESSAGE = message, ERRCODE = failure;
                END IF;
                present := false;
                value := NULL;
                version := NULL;
                expires_at := NULL;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tidings.kv_mutate_v1(jsonb, boolean) IS
    'Runs operations (see kv_operate_v1) and answers each by its place n. Atomic: all or none, and what is checked or read holds until the commit. Else each for itself, with its failure in its row. Reads at most 64 MiB of values.';

-- Passwords --------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION tidings.set_password_v1(session uuid, checked_hash text, new_hash text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
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
    -- Who holds one could choose another password with it.
    UPDATE tidings.sign_in_links AS l SET used_at = tidings.now()
    WHERE l.user_id = tidings.acting_user() AND l.used_at IS NULL;
    DELETE FROM tidings.sign_in_failures WHERE bucket = tidings.password_bucket_v1();
END
$$;
COMMENT ON FUNCTION tidings.set_password_v1(uuid, text, text) IS
    'Sets the acting person''s password when the current one was checked, and ends all their other sessions and sign-in links, in every organization.';

-- One newest summary -----------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION tidings.complete_engagement_v1(
    p_domain text, p_run_id uuid, p_change jsonb, p_retention interval
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    prefix text COLLATE "C" := 'engagement:' || p_domain || ':';
    newest text COLLATE "C";
BEGIN
    -- Of two that end at once the second sees the first, and both mean the same newest one.
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(
        pg_catalog.concat_ws('/', 'engagement ends', tidings.current_organization(), p_domain), 0));
    UPDATE tidings.kv_store k
       SET value = k.value || p_change
     WHERE k.organization_id = tidings.current_organization() AND k.key = prefix || p_run_id::text
       AND k.value ->> 'status' = 'processing';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT max(k.key) INTO newest
      FROM tidings.kv_store k
     WHERE k.organization_id = tidings.current_organization()
       AND k.key >= prefix AND k.key < 'engagement:' || p_domain || ';'
       AND k.value ->> 'status' = 'complete';
    UPDATE tidings.kv_store k
       SET expires_at = CASE WHEN k.key = newest THEN NULL ELSE tidings.now() + p_retention END
     WHERE k.organization_id = tidings.current_organization()
       AND k.key >= prefix AND k.key < 'engagement:' || p_domain || ';'
       AND k.value ->> 'status' = 'complete'
       AND (k.expires_at IS NULL) <> (k.key = newest);
    RETURN true;
END
$$;
