-- A key for messages alone must not become one for everything.
UPDATE tidings.api_keys SET
    revoked_at = coalesce(revoked_at, tidings.now()), scopes = array_replace(scopes, 'messages', 'meetings')
WHERE 'messages' = ANY (scopes);
ALTER TABLE tidings.api_keys
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_scopes_check
        CHECK (scopes <@ ARRAY['read', 'write', 'kv', 'meetings', 'engagement', 'admin']);
DROP FUNCTION tidings.search_messages_v1(text, regconfig, uuid, timestamptz, uuid, integer);
DROP FUNCTION tidings.find_message_hook_v1(bytea);
DROP TABLE tidings.message_hooks;
DROP FUNCTION tidings.forget_secret();
REVOKE DELETE ON tidings.organization_secrets FROM tidings_system;
DROP TABLE tidings.messages;
DROP TABLE tidings.threads;
-- The policies of both ask the function, and the function reads the members.
DROP POLICY member_select ON tidings.channels;
DROP POLICY member_update ON tidings.channels;
DROP POLICY member_select ON tidings.channel_members;
DROP POLICY member_insert ON tidings.channel_members;
DROP FUNCTION tidings.my_channels();
DROP TABLE tidings.channel_members;
DROP TABLE tidings.channels;
DROP FUNCTION tidings.join_own_channel();
