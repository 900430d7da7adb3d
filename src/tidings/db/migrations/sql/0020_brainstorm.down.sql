UPDATE tidings.api_keys SET scopes = array_remove(scopes, 'brainstorm'), revoked_at = coalesce(revoked_at, tidings.now())
WHERE 'brainstorm' = ANY (scopes);
ALTER TABLE tidings.api_keys
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_scopes_check CHECK (scopes <@ ARRAY[
        'read', 'write', 'kv', 'meetings', 'messages', 'engagement', 'approvals', 'summaries', 'admin']);
DROP TRIGGER hand_over_brainstorms ON tidings.organization_members;
DROP FUNCTION tidings.hand_over_brainstorms();
DROP FUNCTION tidings.cleanup_expired_brainstorm_cache();
DROP FUNCTION tidings.restore_brainstorm_part_v1(uuid, uuid);
DROP FUNCTION tidings.share_brainstorm_v1(uuid, uuid, text);
DROP FUNCTION tidings.cluster_brainstorm_v1(uuid, uuid[], text[], uuid[], integer[]);
DROP FUNCTION tidings.delete_brainstorm_cluster_v1(uuid, uuid);
DROP FUNCTION tidings.save_brainstorm_cluster_v1(uuid, uuid, text, bigint, boolean);
DROP FUNCTION tidings.vote_brainstorm_idea_v1(uuid, uuid, boolean);
DROP FUNCTION tidings.delete_brainstorm_idea_v1(uuid, uuid, bigint);
DROP FUNCTION tidings.change_brainstorm_idea_v1(uuid, uuid, jsonb, bigint);
DROP FUNCTION tidings.add_brainstorm_ideas_v1(uuid, uuid[], text[], jsonb, uuid);
DROP FUNCTION tidings.change_brainstorm_v1(uuid, jsonb, bigint);
DROP FUNCTION tidings.require_brainstorm_cluster_v1(uuid, uuid);
DROP FUNCTION tidings.brainstorm_position_v1(uuid, uuid, uuid);
DROP FUNCTION tidings.check_brainstorm_version_v1(uuid, uuid, bigint, text[]);
DROP FUNCTION tidings.lock_brainstorm_v1(uuid);
DROP TABLE tidings.brainstorm_ai_cache;
DROP TABLE tidings.brainstorm_results;
DROP TABLE tidings.brainstorm_operations;
DROP TABLE tidings.brainstorm_votes;
DROP TABLE tidings.brainstorm_ideas;
DROP TABLE tidings.brainstorm_clusters;
DROP POLICY board_people ON tidings.presences;
-- The policies of both ask the function, and the function reads both.
DROP POLICY member_select ON tidings.brainstorm_sessions;
DROP POLICY editor_update ON tidings.brainstorm_sessions;
DROP POLICY member_select ON tidings.brainstorm_collaborators;
DROP POLICY owner_insert ON tidings.brainstorm_collaborators;
DROP POLICY owner_update ON tidings.brainstorm_collaborators;
DROP POLICY owner_or_own_delete ON tidings.brainstorm_collaborators;
DROP FUNCTION tidings.brainstorms_hiding_ai();
DROP FUNCTION tidings.my_brainstorms(text);
DROP TABLE tidings.brainstorm_collaborators;
DROP TABLE tidings.brainstorm_sessions;
DROP FUNCTION tidings.announce_brainstorm();
DROP FUNCTION tidings.count_brainstorm_session();
DROP FUNCTION tidings.count_brainstorm_collaborator();
DROP FUNCTION tidings.count_brainstorm_vote();
DROP FUNCTION tidings.count_brainstorm_part();
DROP FUNCTION tidings.brainstorm_difference(jsonb, jsonb);
DROP FUNCTION tidings.note_brainstorm_operation_v1(uuid, uuid, text, uuid, text[], jsonb);
