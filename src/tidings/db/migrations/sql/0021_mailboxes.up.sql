-- A channel's mailbox: its server, and the point up to which mail was taken in. The password is a stored secret.

CREATE TABLE tidings.mailboxes (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL,
    host text NOT NULL CHECK (char_length(host) BETWEEN 1 AND 255),
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    tls text NOT NULL CHECK (tls IN ('implicit', 'starttls', 'never')),
    username text NOT NULL CHECK (char_length(username) BETWEEN 1 AND 320),
    folder text NOT NULL DEFAULT 'INBOX' CHECK (char_length(folder) BETWEEN 1 AND 300),
    own_addresses text[] NOT NULL DEFAULT '{}' CHECK (cardinality(own_addresses) <= 50),
    since timestamptz,
    uid_validity bigint CHECK (uid_validity >= 0),
    last_uid bigint NOT NULL DEFAULT 0 CHECK (last_uid >= 0),
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    refusals integer NOT NULL DEFAULT 0 CHECK (refusals >= 0),
    last_error text CHECK (char_length(last_error) BETWEEN 1 AND 1000),
    last_checked_at timestamptz,
    next_check_at timestamptz NOT NULL DEFAULT tidings.now(),
    paused_at timestamptz,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, channel_id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX mailboxes_due ON tidings.mailboxes (next_check_at) WHERE paused_at IS NULL;
SELECT tidings.protect('tidings.mailboxes');
COMMENT ON TABLE tidings.mailboxes IS
    'Where the mail of a channel is fetched over IMAP. Its members see it, admins change it. Retention: goes with its channel, its password too.';
COMMENT ON COLUMN tidings.mailboxes.own_addresses IS 'Lower-case addresses of our side beside the user''s: what comes from them went out.';
COMMENT ON COLUMN tidings.mailboxes.since IS 'Mail that the server took before is passed over; null: all of it comes in.';
COMMENT ON COLUMN tidings.mailboxes.uid_validity IS 'What last_uid counts in (RFC 3501); when the server''s differs, it is read from the beginning and repeats are no second messages.';
COMMENT ON COLUMN tidings.mailboxes.last_uid IS 'Everything up to it was looked at; moved in the transaction that takes the messages in.';
COMMENT ON COLUMN tidings.mailboxes.refusals IS 'How often in a row user or password were refused; at the third it is paused.';
COMMENT ON COLUMN tidings.mailboxes.last_error IS 'What went wrong at the last check, for a person; null when nothing did.';
COMMENT ON COLUMN tidings.mailboxes.version IS 'Counts changes by people; a check of an older version writes nothing.';

CREATE POLICY system_all ON tidings.mailboxes TO tidings_system USING (true) WITH CHECK (true);
CREATE POLICY member_select ON tidings.mailboxes FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service()) OR (SELECT tidings.may_administer())
            OR channel_id = ANY ((SELECT tidings.my_channels())::uuid[])));
CREATE POLICY admin_insert ON tidings.mailboxes FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY admin_update ON tidings.mailboxes FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service()) OR (SELECT tidings.may_administer())))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY admin_delete ON tidings.mailboxes FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
GRANT SELECT, INSERT, DELETE ON tidings.mailboxes TO tidings_app;
GRANT UPDATE (host, port, tls, username, folder, own_addresses, since, uid_validity, last_uid, failures, refusals, last_error,
    last_checked_at, next_check_at, paused_at, version, updated_at) ON tidings.mailboxes TO tidings_app;
GRANT SELECT, UPDATE ON tidings.mailboxes TO tidings_system;
CREATE TRIGGER forget_secret AFTER DELETE ON tidings.mailboxes
    FOR EACH ROW EXECUTE FUNCTION tidings.forget_secret('mailbox_password', 'channel_id');

CREATE FUNCTION tidings.due_mailboxes_v1(most integer, lease interval)
RETURNS TABLE (organization_id uuid, channel_id uuid, user_id uuid)
LANGUAGE sql
AS $$
    UPDATE tidings.mailboxes AS b SET next_check_at = tidings.now() + lease
    FROM (
        SELECT m.organization_id, m.channel_id FROM tidings.mailboxes AS m
        WHERE m.paused_at IS NULL AND m.next_check_at <= tidings.now()
        ORDER BY m.next_check_at LIMIT most FOR UPDATE SKIP LOCKED) AS due
    JOIN tidings.channels AS c ON c.organization_id = due.organization_id AND c.id = due.channel_id
    WHERE b.organization_id = due.organization_id AND b.channel_id = due.channel_id
    RETURNING b.organization_id, CASE WHEN c.archived_at IS NULL AND c.kind = 'email' THEN b.channel_id END, b.created_by
$$;
COMMENT ON FUNCTION tidings.due_mailboxes_v1(integer, interval) IS
    'For the schedule: takes mailboxes of every organization that are due, and puts them off until their check says when they are next. Null where the channel takes no mail.';
SELECT tidings.run_as_system('tidings.due_mailboxes_v1(integer, interval)');
