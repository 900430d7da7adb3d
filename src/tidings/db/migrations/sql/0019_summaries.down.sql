UPDATE tidings.api_keys SET revoked_at = coalesce(revoked_at, tidings.now()), scopes = array_remove(scopes, 'summaries')
WHERE 'summaries' = ANY (scopes);
ALTER TABLE tidings.api_keys
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_scopes_check CHECK (scopes <@ ARRAY[
        'read', 'write', 'kv', 'meetings', 'messages', 'engagement', 'approvals', 'admin']);
DROP FUNCTION tidings.cleanup_expired_summaries(integer);
DROP FUNCTION tidings.get_cached_summary(text);
DROP FUNCTION tidings.cache_summary(text, uuid, jsonb, uuid, interval);
DROP FUNCTION tidings.plan_summary(text, uuid, uuid, timestamptz, timestamptz, text);
DROP FUNCTION tidings.summary_spans(text, uuid, uuid, timestamptz, timestamptz);
DROP TABLE tidings.summary_cache;
DROP TABLE tidings.conversation_summaries;
