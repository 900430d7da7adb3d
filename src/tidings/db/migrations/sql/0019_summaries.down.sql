UPDATE tidings.api_keys SET revoked_at = coalesce(revoked_at, tidings.now()), scopes = array_remove(scopes, 'summaries')
WHERE 'summaries' = ANY (scopes);
ALTER TABLE tidings.api_keys
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_scopes_check CHECK (scopes <@ ARRAY[
        'read', 'write', 'kv', 'meetings', 'messages', 'engagement', 'approvals', 'admin']);
DROP FUNCTION tidings.erase_member_v1(uuid);
ALTER TABLE tidings.meeting_hooks DROP CONSTRAINT meeting_hooks_user_id_fkey,
    ADD CONSTRAINT meeting_hooks_user_id_fkey FOREIGN KEY (user_id) REFERENCES tidings.users (id);
DROP FUNCTION tidings.start_due_digests_v1(text, integer, interval, integer);
DROP FUNCTION tidings.local_time(text, timestamptz);
DROP TABLE tidings.digest_schedules;
DROP FUNCTION tidings.cleanup_expired_summaries(integer);
DROP FUNCTION tidings.get_cached_summary(text);
DROP FUNCTION tidings.cache_summary(text, uuid, jsonb, uuid, interval);
DROP FUNCTION tidings.plan_summary(text, uuid, uuid, timestamptz, timestamptz, text);
DROP FUNCTION tidings.summary_spans(text, uuid, uuid, timestamptz, timestamptz);
DROP TABLE tidings.summary_cache;
DROP TABLE tidings.conversation_summaries;
