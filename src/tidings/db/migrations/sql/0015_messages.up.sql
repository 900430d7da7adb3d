-- Channels hold messages; a message may belong to a thread. A person sees the channels they are a member of.

CREATE TABLE tidings.channels (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    kind text NOT NULL CHECK (kind IN ('email', 'chat', 'sms', 'whatsapp', 'telegram', 'slack', 'web', 'other')),
    timezone text NOT NULL DEFAULT 'UTC' CHECK (char_length(timezone) BETWEEN 1 AND 64),
    business_hours jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(business_hours) = 'array'),
    holidays date[] NOT NULL DEFAULT '{}' CHECK (cardinality(holidays) <= 400),
    last_position bigint NOT NULL DEFAULT 0 CHECK (last_position >= 0),
    last_message_at timestamptz,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    archived_at timestamptz,
    PRIMARY KEY (organization_id, id)
) WITH (fillfactor = 70);
CREATE INDEX channels_by_time ON tidings.channels (organization_id, last_message_at DESC NULLS LAST, id DESC)
    WHERE archived_at IS NULL;
COMMENT ON TABLE tidings.channels IS
    'Where messages come from: a mailbox, a chat room, a number. Its members see it, admins see that it is there. Retention: kept until the organization deletes it, its messages with it.';
COMMENT ON COLUMN tidings.channels.business_hours IS
    'Open hours in the channel''s zone: [{days: [1–7, Monday first], start: "HH:MM", end: "HH:MM"}], start inclusive, end exclusive. Empty: always open.';
COMMENT ON COLUMN tidings.channels.holidays IS 'Local dates on which it is closed all day.';
COMMENT ON COLUMN tidings.channels.last_position IS
    'Position of the message taken in last. Taken under this row''s lock, so whoever read up to it has missed nothing.';
COMMENT ON COLUMN tidings.channels.version IS 'Counts what people change (name, hours, members'' defaults); messages do not count.';

CREATE TABLE tidings.channel_members (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL,
    user_id uuid NOT NULL,
    read_position bigint NOT NULL DEFAULT 0 CHECK (read_position >= 0),
    read_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, channel_id, user_id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id)
        REFERENCES tidings.organization_members (organization_id, user_id) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX channel_members_by_user ON tidings.channel_members (organization_id, user_id, channel_id);
COMMENT ON TABLE tidings.channel_members IS
    'Who sees a channel, and how far they have read. Retention: goes with the channel or the membership of the organization.';
COMMENT ON COLUMN tidings.channel_members.read_position IS 'Everything up to this position was read; what is after it is unread.';

CREATE FUNCTION tidings.my_channels() RETURNS uuid[]
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(array_agg(m.channel_id), '{}')
    FROM tidings.channel_members AS m
    WHERE m.organization_id = tidings.current_organization() AND m.user_id = tidings.acting_user()
$$;
SELECT tidings.run_as_system('tidings.my_channels()');
COMMENT ON FUNCTION tidings.my_channels() IS
    'The channels that the acting user is a member of: what the policies of everything in a channel ask, once a statement.';

CREATE TABLE tidings.threads (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    channel_id uuid NOT NULL,
    external_id text NOT NULL CHECK (char_length(external_id) BETWEEN 1 AND 500),
    subject text NOT NULL DEFAULT '' CHECK (char_length(subject) <= 500),
    messages_count bigint NOT NULL DEFAULT 0 CHECK (messages_count >= 0),
    first_message_at timestamptz NOT NULL,
    last_message_at timestamptz NOT NULL,
    last_position bigint NOT NULL CHECK (last_position > 0),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, external_id, channel_id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX threads_by_time ON tidings.threads (organization_id, channel_id, last_message_at DESC, id DESC);
COMMENT ON TABLE tidings.threads IS
    'Messages that belong together: as their source says, else by their reply headers. Retention: goes with its channel.';
COMMENT ON COLUMN tidings.threads.external_id IS
    'The source''s thread id; where it has none, the external id of the first message.';
COMMENT ON COLUMN tidings.threads.last_position IS 'Position in the channel of its message taken in last.';

CREATE TABLE tidings.messages (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    channel_id uuid NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    external_id text NOT NULL CHECK (char_length(external_id) BETWEEN 1 AND 500),
    thread_id uuid,
    reply_to text CHECK (char_length(reply_to) BETWEEN 1 AND 500),
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    sender_id text NOT NULL CHECK (char_length(sender_id) BETWEEN 1 AND 320),
    sender_name text NOT NULL DEFAULT '' CHECK (char_length(sender_name) <= 200),
    sender_email text CHECK (char_length(sender_email) BETWEEN 3 AND 320),
    answer_to text CHECK (char_length(answer_to) BETWEEN 3 AND 320),
    subject text NOT NULL DEFAULT '' CHECK (char_length(subject) <= 500),
    body text NOT NULL CHECK (char_length(body) <= 200000),
    attachments jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(attachments) = 'array'),
    automatic text CHECK (automatic IN ('reply', 'list', 'bounce', 'own')),
    sent_at timestamptz NOT NULL,
    search tsvector NOT NULL,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, external_id, channel_id),
    UNIQUE (organization_id, channel_id, position),
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX messages_by_time ON tidings.messages (organization_id, channel_id, sent_at DESC, id DESC);
CREATE INDEX messages_alone ON tidings.messages (organization_id, channel_id, sent_at DESC, id DESC) WHERE thread_id IS NULL;
CREATE INDEX messages_by_thread ON tidings.messages (organization_id, thread_id, sent_at, id) WHERE thread_id IS NOT NULL;
CREATE INDEX messages_search ON tidings.messages USING gin (search);
COMMENT ON TABLE tidings.messages IS
    'What was written in a channel; never changed once taken in. Retention: kept until the organization deletes the channel.';
COMMENT ON COLUMN tidings.messages.position IS
    'Its place in the order of taking in, 1, 2, 3 … in each channel without gaps; sent_at may be out of order.';
COMMENT ON COLUMN tidings.messages.external_id IS 'The id at the source; a repeat is no second message.';
COMMENT ON COLUMN tidings.messages.thread_id IS 'The thread, in the same channel; null for a message by itself.';
COMMENT ON COLUMN tidings.messages.reply_to IS 'The external id of the message that it answers, which may be unknown here.';
COMMENT ON COLUMN tidings.messages.sender_id IS 'Who wrote it, as the source names them; the lower-case address in email.';
COMMENT ON COLUMN tidings.messages.answer_to IS
    'Where its sender wants answers, if not where it came from: mail''s Reply-To.';
COMMENT ON COLUMN tidings.messages.automatic IS
    'Why no machine may answer it (RFC 3834): another automatic reply, a mailing list, a bounce, or our own; null when a person wrote it.';
COMMENT ON COLUMN tidings.messages.attachments IS 'What was attached, as metadata: [{name, media_type, bytes}].';

DO $$
DECLARE
    held text;
BEGIN
    FOREACH held IN ARRAY ARRAY['channels', 'channel_members', 'threads', 'messages'] LOOP
        PERFORM tidings.protect(format('tidings.%I', held)::regclass);
        EXECUTE format('CREATE POLICY system_all ON tidings.%I TO tidings_system USING (true) WITH CHECK (true)', held);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON tidings.%I TO tidings_app', held);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.%I TO tidings_system', held);
    END LOOP;
END
$$;
-- Whose a row is and where it belongs is said once, when it is made; a message itself never changes.
GRANT UPDATE (name, kind, timezone, business_hours, holidays, last_position, last_message_at, version, updated_at, archived_at)
    ON tidings.channels TO tidings_app;
GRANT UPDATE (read_position, read_at) ON tidings.channel_members TO tidings_app;
GRANT UPDATE (subject, messages_count, first_message_at, last_message_at, last_position) ON tidings.threads TO tidings_app;
GRANT UPDATE (thread_id) ON tidings.messages TO tidings_app;

-- Channels: seen by members and admins, changed by members who may write, made by anyone who may write.
CREATE POLICY member_select ON tidings.channels FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service()) OR (SELECT tidings.may_administer())
            OR id = ANY ((SELECT tidings.my_channels())::uuid[])));
CREATE POLICY writer_insert ON tidings.channels FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write()));
CREATE POLICY member_update ON tidings.channels FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write())
        AND ((SELECT tidings.is_service()) OR (SELECT tidings.may_administer())
            OR id = ANY ((SELECT tidings.my_channels())::uuid[])))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY admin_delete ON tidings.channels FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service()) OR (SELECT tidings.may_administer())));

-- Members: seen by each other and by admins. Members and admins bring others in; who makes a channel is its first.
CREATE POLICY member_select ON tidings.channel_members FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service()) OR (SELECT tidings.may_administer())
            OR channel_id = ANY ((SELECT tidings.my_channels())::uuid[])));
CREATE POLICY member_insert ON tidings.channel_members FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write())
        AND ((SELECT tidings.is_service()) OR (SELECT tidings.may_administer())
            OR channel_id = ANY ((SELECT tidings.my_channels())::uuid[])));
CREATE POLICY own_update ON tidings.channel_members FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service()) OR user_id = (SELECT tidings.acting_user())))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY member_delete ON tidings.channel_members FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service()) OR (SELECT tidings.may_administer())
            OR user_id = (SELECT tidings.acting_user())));

CREATE FUNCTION tidings.join_own_channel() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.created_by IS NOT NULL THEN
        INSERT INTO tidings.channel_members (organization_id, channel_id, user_id)
        VALUES (NEW.organization_id, NEW.id, NEW.created_by);
    END IF;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.join_own_channel()');
COMMENT ON FUNCTION tidings.join_own_channel() IS 'Who makes a channel is its first member.';
CREATE TRIGGER join_own_channel AFTER INSERT ON tidings.channels
    FOR EACH ROW EXECUTE FUNCTION tidings.join_own_channel();

-- Threads and messages: seen by members of their channel alone, written by those of them who may write.
DO $$
DECLARE
    held text;
    rule CONSTANT text := 'organization_id = (SELECT tidings.current_organization()) AND ((SELECT tidings.is_service()) '
        'OR channel_id = ANY ((SELECT tidings.my_channels())::uuid[]))';
BEGIN
    FOREACH held IN ARRAY ARRAY['threads', 'messages'] LOOP
        EXECUTE format('CREATE POLICY member_select ON tidings.%I FOR SELECT TO tidings_app USING (%s)', held, rule);
        EXECUTE format(
            'CREATE POLICY member_insert ON tidings.%I FOR INSERT TO tidings_app WITH CHECK (%s AND (SELECT tidings.may_write()))',
            held, rule);
        EXECUTE format(
            'CREATE POLICY member_update ON tidings.%1$I FOR UPDATE TO tidings_app USING (%2$s AND (SELECT tidings.may_write())) WITH CHECK (%2$s)',
            held, rule);
        EXECUTE format(
            'CREATE POLICY service_delete ON tidings.%I FOR DELETE TO tidings_app USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service()))',
            held);
    END LOOP;
END
$$;

-- Who leaves a channel, or is removed, has their open connections checked anew.
CREATE TRIGGER announce_end AFTER DELETE ON tidings.channel_members
    FOR EACH ROW EXECUTE FUNCTION tidings.announce_access();

-- Newest first: a rare word is found by its index, a common one by the time index, which stops at the page's end.
-- Runs as the system because row security would keep the text index from being used.
CREATE FUNCTION tidings.search_messages_v1(
    p_query text, p_language regconfig, p_channel uuid, p_before timestamptz, p_before_id uuid, p_max integer)
RETURNS TABLE (message_id uuid, channel_id uuid, thread_id uuid, "position" bigint, sender_name text, subject text,
    direction text, sent_at timestamptz, snippet text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    asked tsquery := pg_catalog.websearch_to_tsquery(p_language, p_query);
    tenant uuid := tidings.current_organization();
    open_to uuid[] := CASE WHEN tidings.is_service()
        THEN ARRAY(SELECT c.id FROM tidings.channels AS c WHERE c.organization_id = tenant)
        ELSE tidings.my_channels() END;
BEGIN
    IF p_channel IS NOT NULL THEN
        open_to := ARRAY(SELECT one FROM pg_catalog.unnest(open_to) AS one WHERE one = p_channel);
    END IF;
    RETURN QUERY
    WITH hits AS MATERIALIZED (
        SELECT h.*
        FROM pg_catalog.unnest(open_to) AS within (id)
        CROSS JOIN LATERAL (
            SELECT m.id, m.channel_id, m.thread_id, m.position, m.sender_name, m.sender_id, m.subject, m.direction,
                m.sent_at, m.body
            FROM tidings.messages AS m
            WHERE m.organization_id = tenant AND m.channel_id = within.id AND m.search @@ asked
                AND (p_before IS NULL OR (m.sent_at, m.id) < (p_before, p_before_id))
            ORDER BY m.sent_at DESC, m.id DESC
            LIMIT p_max) AS h
        ORDER BY h.sent_at DESC, h.id DESC
        LIMIT p_max)
    SELECT h.id, h.channel_id, h.thread_id, h.position, coalesce(nullif(h.sender_name, ''), h.sender_id), h.subject,
        h.direction, h.sent_at,
        -- A snippet comes from the beginning: a headline of a whole book would take a second.
        pg_catalog.ts_headline(p_language,
            pg_catalog.translate(pg_catalog.left(h.body, 10000), chr(57344) || chr(57345), ''), asked,
            'StartSel=' || chr(57344) || ', StopSel=' || chr(57345) || ', MaxFragments=1, MaxWords=28, MinWords=12')
    FROM hits AS h
    ORDER BY h.sent_at DESC, h.id DESC;
END
$$;
SELECT tidings.run_as_system('tidings.search_messages_v1(text, regconfig, uuid, timestamptz, uuid, integer)');
-- Which index is right depends on the words and the channel: no plan for all of them.
ALTER FUNCTION tidings.search_messages_v1(text, regconfig, uuid, timestamptz, uuid, integer)
    SET plan_cache_mode = force_custom_plan;
COMMENT ON FUNCTION tidings.search_messages_v1(text, regconfig, uuid, timestamptz, uuid, integer) IS
    'Full-text search over the messages that the acting user sees, newest first; hits in the snippet stand between U+E000 and U+E001.';

CREATE TABLE tidings.message_hooks (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    channel_id uuid NOT NULL,
    user_id uuid REFERENCES tidings.users (id) ON DELETE SET NULL,
    token_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    revoked_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX message_hooks_by_channel ON tidings.message_hooks (organization_id, channel_id, id);
SELECT tidings.protect('tidings.message_hooks');
CREATE POLICY admins_only ON tidings.message_hooks TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY system_read ON tidings.message_hooks FOR SELECT TO tidings_system USING (true);
GRANT SELECT, INSERT, UPDATE (revoked_at) ON tidings.message_hooks TO tidings_app;
GRANT SELECT ON tidings.message_hooks TO tidings_system;
COMMENT ON TABLE tidings.message_hooks IS
    'Addresses that post messages into a channel; the token is stored hashed. Retention: goes with its channel, revoked ones too.';

CREATE FUNCTION tidings.forget_secret() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM tidings.organization_secrets AS s
    WHERE s.organization_id = OLD.organization_id AND s.name = TG_ARGV[0] || ':' || (to_jsonb(OLD) ->> TG_ARGV[1]);
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.forget_secret()');
GRANT DELETE ON tidings.organization_secrets TO tidings_system;
COMMENT ON FUNCTION tidings.forget_secret() IS
    'The secret of a connection goes with it; its name is the first argument, a colon, and the column that the second names.';
CREATE TRIGGER forget_secret AFTER DELETE ON tidings.message_hooks
    FOR EACH ROW EXECUTE FUNCTION tidings.forget_secret('message_webhook_secret', 'id');
CREATE TRIGGER forget_revoked_secret AFTER UPDATE OF revoked_at ON tidings.message_hooks
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION tidings.forget_secret('message_webhook_secret', 'id');

CREATE FUNCTION tidings.find_message_hook_v1(p_token_hash bytea)
RETURNS TABLE (organization_id uuid, hook_id uuid, channel_id uuid, user_id uuid)
LANGUAGE sql STABLE
AS $$
    SELECT h.organization_id, h.id, h.channel_id, coalesce(h.user_id, h.id)
    FROM tidings.message_hooks AS h
    WHERE h.token_hash = p_token_hash AND h.revoked_at IS NULL
$$;
SELECT tidings.run_as_system('tidings.find_message_hook_v1(bytea)');
COMMENT ON FUNCTION tidings.find_message_hook_v1(bytea) IS
    'Whose address a webhook token is, and into which channel: the look-up that comes before any tenant is known.';

-- A scope of its own: who may post messages need not see meetings.
ALTER TABLE tidings.api_keys
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_scopes_check
        CHECK (scopes <@ ARRAY['read', 'write', 'kv', 'meetings', 'messages', 'engagement', 'admin']);
