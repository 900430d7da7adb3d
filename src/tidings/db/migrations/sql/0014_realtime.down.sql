DROP FUNCTION tidings.hold_bridge_v1(text, text, interval, bigint);
DROP TABLE tidings.bridges;
DO $$
DECLARE
    relation text;
    operation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['meetings', 'companies', 'organization_members', 'api_keys'] LOOP
        FOREACH operation IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
            EXECUTE format('DROP TRIGGER %I ON tidings.%I', 'changes_' || operation, relation);
        END LOOP;
    END LOOP;
END
$$;
DROP FUNCTION tidings.announce_updates();
DROP FUNCTION tidings.announce_rows();
DROP FUNCTION tidings.publish_rows_v1(uuid, text, text, jsonb[]);
DROP FUNCTION tidings.pick_columns(jsonb, text[]);
DROP FUNCTION tidings.topic_events_v1(text[], bigint, integer, bigint);
DROP FUNCTION tidings.renew_presences_v1(uuid, uuid[], text[], interval);
DROP TABLE tidings.presences;
DROP FUNCTION tidings.announce_presence();
DROP TRIGGER announce_person ON tidings.users;
DROP FUNCTION tidings.announce_person();
DROP TRIGGER announce_access ON tidings.sessions;
DROP TRIGGER announce_access ON tidings.api_keys;
DROP TRIGGER announce_end ON tidings.organization_members;
DROP TRIGGER announce_access ON tidings.organization_members;
DROP FUNCTION tidings.announce_access();
DROP FUNCTION tidings.publish_access_v1(uuid, uuid);
