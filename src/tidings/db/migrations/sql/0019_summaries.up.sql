-- Summaries of conversations, and the cache in front of them. Written by the services alone; of a
-- thread or channel they are its members', a digest or a catch-up is its owner's.

CREATE TABLE tidings.conversation_summaries (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    type text NOT NULL CHECK (type IN ('thread', 'channel', 'daily_digest', 'catch_up')),
    channel_id uuid,
    thread_id uuid,
    user_id uuid,
    reference uuid GENERATED ALWAYS AS (coalesce(thread_id, channel_id)) STORED,
    channel_ids uuid[] NOT NULL DEFAULT '{}',
    local_date date,
    timezone text CHECK (char_length(timezone) BETWEEN 1 AND 64),
    since timestamptz,
    from_at timestamptz,
    until_at timestamptz,
    summary_text text NOT NULL,
    summary_sentences jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(summary_sentences) = 'array'),
    key_points jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(key_points) = 'array'),
    action_items jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(action_items) = 'array'),
    decisions jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(decisions) = 'array'),
    open_questions jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(open_questions) = 'array'),
    participants jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(participants) = 'array'),
    highlights jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(highlights) = 'array'),
    message_count integer NOT NULL DEFAULT 0 CHECK (message_count >= 0),
    messages_left_out integer NOT NULL DEFAULT 0 CHECK (messages_left_out >= 0),
    evidence jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(evidence) = 'object'),
    unverified jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(unverified) = 'array'),
    quotes_checked integer NOT NULL DEFAULT 0 CHECK (quotes_checked >= 0),
    engine text NOT NULL CHECK (char_length(engine) BETWEEN 1 AND 200),
    edition text NOT NULL DEFAULT '' CHECK (char_length(edition) <= 400),
    run_id uuid,
    generated_at timestamptz NOT NULL DEFAULT tidings.now(),
    expires_at timestamptz NOT NULL DEFAULT tidings.now() + interval '30 days',
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, thread_id) REFERENCES tidings.threads (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id)
        REFERENCES tidings.organization_members (organization_id, user_id) ON DELETE CASCADE,
    CONSTRAINT conversation_summaries_of CHECK (CASE type
        WHEN 'thread' THEN channel_id IS NOT NULL AND thread_id IS NOT NULL AND user_id IS NULL
        WHEN 'channel' THEN channel_id IS NOT NULL AND thread_id IS NULL AND user_id IS NULL
        WHEN 'catch_up' THEN user_id IS NOT NULL AND thread_id IS NULL
        ELSE user_id IS NOT NULL AND channel_id IS NULL AND thread_id IS NULL
            AND local_date IS NOT NULL AND timezone IS NOT NULL END),
    CONSTRAINT conversation_summaries_span CHECK (from_at IS NULL OR until_at IS NULL OR from_at <= until_at)
);
CREATE INDEX conversation_summaries_shared ON tidings.conversation_summaries (organization_id, id DESC)
    WHERE user_id IS NULL;
CREATE INDEX conversation_summaries_by_reference ON tidings.conversation_summaries (organization_id, reference, id DESC)
    WHERE reference IS NOT NULL;
CREATE INDEX conversation_summaries_by_channel ON tidings.conversation_summaries (organization_id, channel_id)
    WHERE channel_id IS NOT NULL;
CREATE INDEX conversation_summaries_by_thread ON tidings.conversation_summaries (organization_id, thread_id)
    WHERE thread_id IS NOT NULL;
CREATE INDEX conversation_summaries_by_owner ON tidings.conversation_summaries
    (organization_id, user_id, id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX conversation_summaries_actions ON tidings.conversation_summaries USING gin (action_items jsonb_path_ops);
CREATE INDEX conversation_summaries_expiry ON tidings.conversation_summaries (expires_at);
COMMENT ON TABLE tidings.conversation_summaries IS
    'What a thread, a channel, a day or the time away said, with its sources. Retention: 30 days; before that it goes with its channel or thread, a digest and a catch-up with their owner''s membership.';
COMMENT ON COLUMN tidings.conversation_summaries.user_id IS 'Whose digest or catch-up this is; null for what every member of the channel may read.';
COMMENT ON COLUMN tidings.conversation_summaries.reference IS 'The thread, else the channel; null when it is about all channels of its owner.';
COMMENT ON COLUMN tidings.conversation_summaries.channel_ids IS
    'Every channel it was read from: who is no longer a member of one no longer sees what was made of it.';
COMMENT ON COLUMN tidings.conversation_summaries.from_at IS 'When the first message that was read was sent; until_at: the last.';
COMMENT ON COLUMN tidings.conversation_summaries.summary_sentences IS 'summary_text in its sentences, so that each has its evidence.';
COMMENT ON COLUMN tidings.conversation_summaries.messages_left_out IS 'Older messages of what was asked for that were not read, because there are too many.';
COMMENT ON COLUMN tidings.conversation_summaries.evidence IS
    'By list (summary, key_points, action_items, decisions, open_questions) one list per entry: [{message_id, channel_id, quote, sender, at}].';
COMMENT ON COLUMN tidings.conversation_summaries.unverified IS '[{list, text}]: lines whose quotes were not found; never shown as fact.';
COMMENT ON COLUMN tidings.conversation_summaries.highlights IS 'Of a digest and a catch-up, by channel: [{channel_id, channel, message_count, key_points}].';
COMMENT ON COLUMN tidings.conversation_summaries.edition IS 'The versions of the prompts that wrote it.';

CREATE TABLE tidings.summary_cache (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL CHECK (key ~ '^[0-9a-f]{64}$'),
    kind text NOT NULL CHECK (kind IN ('summary', 'window')),
    summary_id uuid,
    channel_id uuid,
    value jsonb,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key),
    FOREIGN KEY (organization_id, summary_id)
        REFERENCES tidings.conversation_summaries (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT summary_cache_of CHECK (CASE kind
        WHEN 'summary' THEN summary_id IS NOT NULL AND value IS NULL
        ELSE summary_id IS NULL AND value IS NOT NULL END)
);
CREATE INDEX summary_cache_expiry ON tidings.summary_cache (expires_at);
CREATE INDEX summary_cache_by_summary ON tidings.summary_cache (organization_id, summary_id) WHERE summary_id IS NOT NULL;
CREATE INDEX summary_cache_by_channel ON tidings.summary_cache (organization_id, channel_id) WHERE channel_id IS NOT NULL;
COMMENT ON TABLE tidings.summary_cache IS
    'Which summary answers a question again, and what was read of each window of messages. Retention: 10 minutes for a summary, 30 days for a window; deleted within an hour after.';
COMMENT ON COLUMN tidings.summary_cache.key IS
    'SHA-256, of a summary: over organization, type, reference, viewer where it matters, engine and prompts, and how far was read; of a window: over channel, engine, prompt and words.';

DO $$
DECLARE
    held text;
    ours CONSTANT text := 'organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service())';
BEGIN
    FOREACH held IN ARRAY ARRAY['conversation_summaries', 'summary_cache'] LOOP
        PERFORM tidings.protect(format('tidings.%I', held)::regclass);
        EXECUTE format('CREATE POLICY system_all ON tidings.%I TO tidings_system USING (true) WITH CHECK (true)', held);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON tidings.%I TO tidings_app', held);
        EXECUTE format('GRANT SELECT, UPDATE, DELETE ON tidings.%I TO tidings_system', held);
        EXECUTE format('CREATE POLICY service_insert ON tidings.%I FOR INSERT TO tidings_app WITH CHECK (%s)', held, ours);
        EXECUTE format('CREATE POLICY service_delete ON tidings.%I FOR DELETE TO tidings_app USING (%s)', held, ours);
    END LOOP;
    -- A summary is never changed once written; an entry of the cache is.
    GRANT UPDATE ON tidings.summary_cache TO tidings_app;
    EXECUTE format('CREATE POLICY service_update ON tidings.summary_cache FOR UPDATE TO tidings_app USING (%1$s) WITH CHECK (%1$s)', ours);
END
$$;

CREATE POLICY reader_select ON tidings.conversation_summaries FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service())
            OR ((user_id IS NULL OR user_id = (SELECT tidings.acting_user()))
                AND channel_ids <@ (SELECT tidings.my_channels()))));
-- An entry is worth what it leads to: who may not read the summary does not find it here either.
CREATE POLICY reader_select ON tidings.summary_cache FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service())
            OR (kind = 'summary' AND EXISTS (SELECT FROM tidings.conversation_summaries AS s
                WHERE s.organization_id = summary_cache.organization_id AND s.id = summary_cache.summary_id))));

-- What there is to read ----------------------------------------------------------------------------

CREATE FUNCTION tidings.summary_spans(
    p_type text, p_channel uuid, p_thread uuid, p_from timestamptz, p_until timestamptz
) RETURNS TABLE (channel_id uuid, after_position bigint, last_position bigint, is_empty boolean)
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
DECLARE
    organization uuid := tidings.current_organization();
BEGIN
    IF p_type = 'thread' THEN
        RETURN QUERY SELECT t.channel_id, 0::bigint, coalesce(m.last, 0), m.last IS NULL
          FROM tidings.threads AS t
         CROSS JOIN LATERAL (
               SELECT max(s.position) AS last FROM tidings.messages AS s
                WHERE s.organization_id = organization AND s.thread_id = t.id) AS m
         WHERE t.organization_id = organization AND t.id = p_thread;
    ELSIF p_type = 'channel' THEN
        RETURN QUERY SELECT c.id, 0::bigint, c.last_position,
               c.last_position = 0 OR coalesce(c.last_message_at < p_from, false)
          FROM tidings.channels AS c
         WHERE c.organization_id = organization AND c.id = p_channel
           AND (tidings.is_service() OR c.id = ANY ((SELECT tidings.my_channels())::uuid[]));
    ELSIF p_type = 'catch_up' THEN
        RETURN QUERY SELECT c.id, CASE WHEN p_from IS NULL THEN r.read_position ELSE 0 END, c.last_position, e.is_empty
          FROM tidings.channel_members AS r
          JOIN tidings.channels AS c ON c.organization_id = organization AND c.id = r.channel_id
         CROSS JOIN LATERAL (
               SELECT CASE WHEN p_from IS NULL THEN c.last_position <= r.read_position
                           ELSE coalesce(c.last_message_at < p_from, true) END AS is_empty) AS e
         WHERE r.organization_id = organization AND r.user_id = tidings.acting_user()
           AND (p_channel IS NULL AND NOT e.is_empty OR c.id = p_channel);
    ELSE
        -- While the day is the channel's last one, any message may be of it. Of a day that is past only
        -- its own count: they are looked at, so that today's do not make yesterday's digest anew.
        RETURN QUERY SELECT c.id, 0::bigint,
               CASE WHEN c.last_message_at < p_until THEN c.last_position ELSE (
                   SELECT max(s.position) FROM tidings.messages AS s
                    WHERE s.organization_id = organization AND s.channel_id = c.id
                      AND s.sent_at >= p_from AND s.sent_at < p_until) END,
               false
          FROM tidings.channel_members AS r
          JOIN tidings.channels AS c ON c.organization_id = organization AND c.id = r.channel_id
         WHERE r.organization_id = organization AND r.user_id = tidings.acting_user() AND c.last_message_at >= p_from
           AND EXISTS (
               SELECT FROM tidings.messages AS s
                WHERE s.organization_id = organization AND s.channel_id = c.id
                  AND s.sent_at >= p_from AND s.sent_at < p_until);
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.summary_spans(text, uuid, uuid, timestamptz, timestamptz) IS
    'What a summary of that kind would read now, by channel: messages after one position up to another. No row for a thread or channel that the acting user may not read; of a digest and a catch-up always the acting user''s channels.';
GRANT EXECUTE ON FUNCTION tidings.summary_spans(text, uuid, uuid, timestamptz, timestamptz) TO tidings_app;

CREATE FUNCTION tidings.plan_summary(
    p_type text, p_channel uuid, p_thread uuid, p_from timestamptz, p_until timestamptz, p_edition text
) RETURNS TABLE (key text, spans jsonb)
LANGUAGE sql STABLE
AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
               tidings.current_organization(), p_type, p_channel, p_thread,
               CASE WHEN p_type IN ('daily_digest', 'catch_up') THEN tidings.acting_user() END,
               p_from, p_until, p_edition, read.spans)::text, 'UTF8')), 'hex'),
           read.spans
      FROM (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.channel_id), '[]') AS spans
              FROM tidings.summary_spans(p_type, p_channel, p_thread, p_from, p_until) AS s) AS read
$$;
COMMENT ON FUNCTION tidings.plan_summary(text, uuid, uuid, timestamptz, timestamptz, text) IS
    'What a summary would read now, and the key of the answer: another one as soon as there is a message more, another viewer, engine or prompt.';
GRANT EXECUTE ON FUNCTION tidings.plan_summary(text, uuid, uuid, timestamptz, timestamptz, text) TO tidings_app;

-- The cache ----------------------------------------------------------------------------------------

CREATE FUNCTION tidings.cache_summary(
    p_key text, p_summary uuid, p_value jsonb DEFAULT NULL, p_channel uuid DEFAULT NULL,
    p_ttl interval DEFAULT '10 minutes'
) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO tidings.summary_cache AS c (organization_id, key, kind, summary_id, channel_id, value, created_at, expires_at)
    VALUES (tidings.current_organization(), p_key, CASE WHEN p_summary IS NULL THEN 'window' ELSE 'summary' END,
            p_summary, p_channel, p_value, tidings.now(), tidings.now() + p_ttl)
    ON CONFLICT (organization_id, key) DO UPDATE
       SET summary_id = excluded.summary_id, value = excluded.value, created_at = excluded.created_at,
           expires_at = excluded.expires_at
$$;
COMMENT ON FUNCTION tidings.cache_summary(text, uuid, jsonb, uuid, interval) IS
    'Keeps which summary answers a key, or, without a summary, what was read of a window. For the services.';
GRANT EXECUTE ON FUNCTION tidings.cache_summary(text, uuid, jsonb, uuid, interval) TO tidings_app;

CREATE FUNCTION tidings.get_cached_summary(p_key text) RETURNS uuid
LANGUAGE sql STABLE
AS $$
    SELECT c.summary_id
      FROM tidings.summary_cache AS c
     WHERE c.organization_id = tidings.current_organization() AND c.key = p_key AND c.kind = 'summary'
       AND c.expires_at > tidings.now()
$$;
COMMENT ON FUNCTION tidings.get_cached_summary(text) IS
    'The summary that answers a key; null when there is none, it is too old, or the acting user may not read it.';
GRANT EXECUTE ON FUNCTION tidings.get_cached_summary(text) TO tidings_app;

CREATE FUNCTION tidings.cleanup_expired_summaries(p_most integer DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    moment timestamptz := tidings.now();
    removed bigint;
    total bigint := 0;
BEGIN
    DELETE FROM tidings.summary_cache WHERE ctid = ANY (ARRAY(
        SELECT c.ctid FROM tidings.summary_cache AS c WHERE c.expires_at <= moment
        ORDER BY c.expires_at LIMIT p_most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM tidings.conversation_summaries WHERE ctid = ANY (ARRAY(
        SELECT s.ctid FROM tidings.conversation_summaries AS s WHERE s.expires_at <= moment
        ORDER BY s.expires_at LIMIT p_most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN total + removed;
END
$$;
COMMENT ON FUNCTION tidings.cleanup_expired_summaries(integer) IS
    'Deletes summaries and cache entries that have expired, up to p_most of each; returns how many rows.';
SELECT tidings.run_as_system('tidings.cleanup_expired_summaries(integer)');

-- Digests by themselves ------------------------------------------------------------------------------

CREATE TABLE tidings.digest_schedules (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    hour smallint DEFAULT 6 CHECK (hour BETWEEN 0 AND 23),
    digested_on date,
    PRIMARY KEY (organization_id, user_id),
    FOREIGN KEY (organization_id, user_id)
        REFERENCES tidings.organization_members (organization_id, user_id) ON DELETE CASCADE
);
SELECT tidings.protect('tidings.digest_schedules');
COMMENT ON TABLE tidings.digest_schedules IS
    'When the digest of the day before is made for a member, and of which day there was one last; no row: at the usual hour. Retention: goes with the membership.';
COMMENT ON COLUMN tidings.digest_schedules.hour IS 'The local hour from which it is made; null: not at all.';
COMMENT ON COLUMN tidings.digest_schedules.digested_on IS
    'The last local date that was looked at: none is made twice, nor one of before, whatever zone its owner is in.';
CREATE POLICY system_all ON tidings.digest_schedules TO tidings_system USING (true) WITH CHECK (true);
CREATE POLICY own_all ON tidings.digest_schedules TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()));
GRANT SELECT, INSERT (organization_id, user_id, hour), UPDATE (hour) ON tidings.digest_schedules TO tidings_app;
GRANT SELECT, INSERT, UPDATE ON tidings.digest_schedules TO tidings_system;

CREATE FUNCTION tidings.local_time(zone text, moment timestamptz) RETURNS timestamp
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN moment AT TIME ZONE zone;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.local_time(text, timestamptz) IS 'What a clock in that zone shows; null for no zone of this server.';
GRANT EXECUTE ON FUNCTION tidings.local_time(text, timestamptz) TO tidings_app, tidings_system;

CREATE FUNCTION tidings.start_due_digests_v1(p_kind text, p_hour integer, p_deadline interval, p_most integer)
RETURNS TABLE (looked_at bigint, started bigint)
LANGUAGE plpgsql
AS $$
DECLARE
    one record;
BEGIN
    looked_at := 0;
    started := 0;
    FOR one IN
        WITH zones AS MATERIALIZED (
            SELECT z.name, tidings.local_time(z.name, tidings.now()) AS clock
              FROM (SELECT u.time_zone AS name FROM tidings.users AS u WHERE u.time_zone IS NOT NULL
                    UNION SELECT o.time_zone FROM tidings.organizations AS o) AS z
        ), due AS MATERIALIZED (
            SELECT m.organization_id, m.user_id, z.name AS zone,
                   (z.clock - pg_catalog.make_interval(hours => coalesce(d.hour, p_hour)))::date - 1 AS day
              FROM tidings.organization_members AS m
              JOIN tidings.users AS u ON u.id = m.user_id AND u.disabled_at IS NULL
              JOIN tidings.organizations AS o ON o.id = m.organization_id AND o.ai_mode <> 'off'
              LEFT JOIN tidings.digest_schedules AS d ON d.organization_id = m.organization_id AND d.user_id = m.user_id
              JOIN zones AS z ON z.name = coalesce(u.time_zone, o.time_zone) AND z.clock IS NOT NULL
             WHERE (d.user_id IS NULL OR d.hour IS NOT NULL)
               AND (d.digested_on IS NULL
                    OR d.digested_on < (z.clock - pg_catalog.make_interval(hours => coalesce(d.hour, p_hour)))::date - 1)
               AND EXISTS (SELECT FROM tidings.channel_members AS r
                            WHERE r.organization_id = m.organization_id AND r.user_id = m.user_id)
             LIMIT p_most
        ), marked AS (
            INSERT INTO tidings.digest_schedules AS d (organization_id, user_id, hour, digested_on)
            SELECT due.organization_id, due.user_id, p_hour, due.day FROM due
            ON CONFLICT (organization_id, user_id) DO UPDATE SET digested_on = excluded.digested_on
             WHERE d.digested_on IS NULL OR d.digested_on < excluded.digested_on
            RETURNING d.organization_id, d.user_id
        )
        SELECT due.*, EXISTS (
                   SELECT FROM tidings.channel_members AS r
                     JOIN tidings.channels AS c ON c.organization_id = r.organization_id AND c.id = r.channel_id
                    WHERE r.organization_id = due.organization_id AND r.user_id = due.user_id
                      AND c.last_message_at >= due.day::timestamp AT TIME ZONE due.zone
                      AND EXISTS (
                          SELECT FROM tidings.messages AS s
                           WHERE s.organization_id = c.organization_id AND s.channel_id = c.id
                             AND s.sent_at >= due.day::timestamp AT TIME ZONE due.zone
                             AND s.sent_at < (due.day + 1)::timestamp AT TIME ZONE due.zone)) AS has_messages
          FROM due JOIN marked USING (organization_id, user_id)
    LOOP
        looked_at := looked_at + 1;
        CONTINUE WHEN NOT one.has_messages;
        -- Each run is its owner's: only they, and whoever works for them, may read what it reads.
        PERFORM pg_catalog.set_config('tidings.organization_id', one.organization_id::text, true),
                pg_catalog.set_config('tidings.user_id', one.user_id::text, true),
                pg_catalog.set_config('tidings.role', 'service', true);
        PERFORM tidings.start_run_v1(
            tidings.uuid7(), p_kind, pg_catalog.concat_ws(':', 'daily_digest', one.user_id, one.day),
            pg_catalog.jsonb_build_object('engine', NULL, 'question', pg_catalog.jsonb_build_object(
                'type', 'daily_digest', 'local_date', one.day, 'timezone', one.zone)),
            true, p_deadline, 5);
        started := started + 1;
    END LOOP;
    PERFORM pg_catalog.set_config('tidings.organization_id', '', true),
            pg_catalog.set_config('tidings.user_id', '', true), pg_catalog.set_config('tidings.role', '', true);
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION tidings.start_due_digests_v1(text, integer, interval, integer) IS
    'For the schedule: starts the digest of the day before for each member whose hour has come, once per local date and only where something was written; how many members it looked at, and how many runs it made.';
SELECT tidings.run_as_system('tidings.start_due_digests_v1(text, integer, interval, integer)');

-- Forgetting a person -------------------------------------------------------------------------------

-- Addresses that post as somebody go with them.
ALTER TABLE tidings.meeting_hooks DROP CONSTRAINT meeting_hooks_user_id_fkey,
    ADD CONSTRAINT meeting_hooks_user_id_fkey FOREIGN KEY (user_id) REFERENCES tidings.users (id) ON DELETE CASCADE;

CREATE FUNCTION tidings.erase_member_v1(member uuid) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    -- Says who may, hands their brainstorms over, and takes what else is theirs here with it.
    PERFORM tidings.remove_member_v1(member);
    PERFORM tidings.erase_audit_v1('user:' || member);
    DELETE FROM tidings.users AS u WHERE u.id = member
        AND NOT EXISTS (SELECT FROM tidings.organization_members AS m WHERE m.user_id = member);
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION tidings.erase_member_v1(uuid) IS
    'Removes a member with what is theirs here and empties what the audit log says of them; the person too, when they belong nowhere else. Whether the person is gone. What they wrote in channels and on boards of others stays, under a bare id.';
SELECT tidings.run_as_system('tidings.erase_member_v1(uuid)');

-- Keys may be for summaries alone.
ALTER TABLE tidings.api_keys
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_scopes_check CHECK (scopes <@ ARRAY[
        'read', 'write', 'kv', 'meetings', 'messages', 'engagement', 'approvals', 'summaries', 'admin']);
