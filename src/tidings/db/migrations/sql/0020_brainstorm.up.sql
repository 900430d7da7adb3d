-- Brainstorms: a board of ideas on one topic, its owner's and the collaborators' alone. Every change of a board
-- takes the next number of its session (`version`) and is written down as an operation, by triggers: whoever
-- edits says up to which number they have read, and is refused only when the same field changed since.

CREATE TABLE tidings.brainstorm_sessions (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    topic text NOT NULL CHECK (char_length(topic) BETWEEN 1 AND 300),
    description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 4000),
    framework text NOT NULL DEFAULT 'free_form' CHECK (framework IN ('scamper', 'six_hats', 'free_form')),
    human_first smallint NOT NULL DEFAULT 0 CHECK (human_first BETWEEN 0 AND 20),
    timer_ends_at timestamptz,
    context_message_ids uuid[] NOT NULL DEFAULT '{}' CHECK (cardinality(context_message_ids) <= 200),
    owner_id uuid NOT NULL,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, owner_id)
        REFERENCES tidings.organization_members (organization_id, user_id) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX brainstorm_sessions_by_time ON tidings.brainstorm_sessions (organization_id, updated_at DESC, id DESC);
CREATE INDEX brainstorm_sessions_by_owner ON tidings.brainstorm_sessions (organization_id, owner_id);
CREATE INDEX brainstorm_sessions_human_first ON tidings.brainstorm_sessions (organization_id) WHERE human_first > 0;
COMMENT ON TABLE tidings.brainstorm_sessions IS
    'Brainstorms: topic, framework and the number of the last change of everything on the board. Of a member who leaves, the editor who was there first takes it over; where there is none it goes. Retention: kept until its owner deletes it.';
COMMENT ON COLUMN tidings.brainstorm_sessions.human_first IS
    'Ideas that the owner and every editor must have added before anybody sees an engine''s; 0: they are seen at once.';
COMMENT ON COLUMN tidings.brainstorm_sessions.context_message_ids IS
    'Messages it was started from: each of a channel that who started it was a member of. Shown to who may read them.';
COMMENT ON COLUMN tidings.brainstorm_sessions.version IS
    'Number of the last change, of whatever part of the board; the version of a part is the number of its last change.';

CREATE TABLE tidings.brainstorm_collaborators (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL DEFAULT 'viewer' CHECK (role IN ('viewer', 'editor')),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, session_id, user_id),
    FOREIGN KEY (organization_id, session_id)
        REFERENCES tidings.brainstorm_sessions (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id)
        REFERENCES tidings.organization_members (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX brainstorm_collaborators_by_user ON tidings.brainstorm_collaborators (organization_id, user_id, session_id);
COMMENT ON TABLE tidings.brainstorm_collaborators IS
    'Who a brainstorm is shared with: viewers read, editors write. Retention: goes with the brainstorm or the membership of the organization.';

CREATE TABLE tidings.brainstorm_clusters (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    position numeric NOT NULL DEFAULT 0,
    origin text NOT NULL DEFAULT 'person' CHECK (origin IN ('person', 'engine')),
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, session_id, id),
    FOREIGN KEY (organization_id, session_id)
        REFERENCES tidings.brainstorm_sessions (organization_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE tidings.brainstorm_clusters IS
    'Groups of a brainstorm''s ideas, made by people or by an engine. Retention: goes with the brainstorm.';

CREATE TABLE tidings.brainstorm_ideas (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    id uuid NOT NULL,
    text text NOT NULL CHECK (char_length(text) BETWEEN 1 AND 2000),
    status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'discussed', 'selected', 'rejected')),
    priority text NOT NULL DEFAULT 'medium' CHECK (priority IN ('low', 'medium', 'high')),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
    cluster_id uuid,
    position numeric NOT NULL DEFAULT 0,
    origin text NOT NULL DEFAULT 'person' CHECK (origin IN ('person', 'engine')),
    author_id uuid,
    details jsonb CHECK (jsonb_typeof(details) = 'object'),
    scores jsonb CHECK (jsonb_typeof(scores) = 'object'),
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, session_id, id),
    FOREIGN KEY (organization_id, session_id)
        REFERENCES tidings.brainstorm_sessions (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, session_id, cluster_id)
        REFERENCES tidings.brainstorm_clusters (organization_id, session_id, id) ON DELETE SET NULL (cluster_id)
) WITH (fillfactor = 80);
CREATE INDEX brainstorm_ideas_by_position ON tidings.brainstorm_ideas (organization_id, session_id, position, id);
CREATE INDEX brainstorm_ideas_by_author ON tidings.brainstorm_ideas (organization_id, session_id, author_id)
    WHERE origin = 'person';
CREATE INDEX brainstorm_ideas_by_cluster ON tidings.brainstorm_ideas (organization_id, session_id, cluster_id)
    WHERE cluster_id IS NOT NULL;
COMMENT ON TABLE tidings.brainstorm_ideas IS
    'Ideas on a board. Retention: goes with the brainstorm.';
COMMENT ON COLUMN tidings.brainstorm_ideas.position IS 'Its place among all of the board; halved between two neighbours, so never used up.';
COMMENT ON COLUMN tidings.brainstorm_ideas.origin IS 'person, or engine: written by a service for who asked.';
COMMENT ON COLUMN tidings.brainstorm_ideas.details IS
    'What an engine expanded it to: description, benefits, challenges with mitigations, next steps.';
COMMENT ON COLUMN tidings.brainstorm_ideas.scores IS
    'What a provider gave it: feasibility, impact, innovation, alignment, overall (0 to 100), with reasons.';

CREATE TABLE tidings.brainstorm_votes (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    idea_id uuid NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, session_id, idea_id, user_id),
    FOREIGN KEY (organization_id, session_id, idea_id)
        REFERENCES tidings.brainstorm_ideas (organization_id, session_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id)
        REFERENCES tidings.organization_members (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX brainstorm_votes_by_user ON tidings.brainstorm_votes (organization_id, user_id);
COMMENT ON TABLE tidings.brainstorm_votes IS
    'Votes: one for each person and idea. Retention: goes with the idea or the membership of the organization.';

CREATE TABLE tidings.brainstorm_operations (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    version bigint NOT NULL,
    action text NOT NULL CHECK (char_length(action) BETWEEN 1 AND 63),
    subject_id uuid NOT NULL,
    fields text[] NOT NULL DEFAULT '{}',
    changes jsonb,
    user_id uuid,
    by_engine boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, session_id, version),
    FOREIGN KEY (organization_id, session_id)
        REFERENCES tidings.brainstorm_sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX brainstorm_operations_by_subject ON tidings.brainstorm_operations (organization_id, session_id, subject_id, version);
COMMENT ON TABLE tidings.brainstorm_operations IS
    'Every change of a board in its order, written by triggers alone. Retention: goes with the brainstorm.';
COMMENT ON COLUMN tidings.brainstorm_operations.subject_id IS 'The idea, cluster, person or session that changed.';
COMMENT ON COLUMN tidings.brainstorm_operations.changes IS
    'Of a change {field: [before, after]}, of a deletion the row that went: nothing is lost by being overwritten.';

CREATE TABLE tidings.brainstorm_results (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    operation text NOT NULL CHECK (char_length(operation) BETWEEN 1 AND 63),
    engine text NOT NULL CHECK (char_length(engine) BETWEEN 1 AND 200),
    answer jsonb NOT NULL CHECK (jsonb_typeof(answer) = 'object'),
    idea_ids uuid[] NOT NULL DEFAULT '{}',
    from_cache boolean NOT NULL DEFAULT false,
    asked_by uuid,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, session_id)
        REFERENCES tidings.brainstorm_sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX brainstorm_results_by_session ON tidings.brainstorm_results (organization_id, session_id, id DESC);
COMMENT ON TABLE tidings.brainstorm_results IS
    'What engines answered about a board, by run. Retention: goes with the brainstorm.';
COMMENT ON COLUMN tidings.brainstorm_results.idea_ids IS 'The ideas that it put on the board.';

CREATE TABLE tidings.brainstorm_ai_cache (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    key text NOT NULL CHECK (key ~ '^[0-9a-f]{64}$'),
    operation text NOT NULL CHECK (char_length(operation) BETWEEN 1 AND 63),
    engine text NOT NULL CHECK (char_length(engine) BETWEEN 1 AND 200),
    answer jsonb NOT NULL CHECK (jsonb_typeof(answer) = 'object'),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key)
);
CREATE INDEX brainstorm_ai_cache_expiry ON tidings.brainstorm_ai_cache (expires_at);
COMMENT ON TABLE tidings.brainstorm_ai_cache IS
    'Answers of engines by a hash of operation, engine, prompt version and the texts themselves. Services alone read it. Retention: 24 hours, then cleanup_expired_brainstorm_cache.';

-- Who sees what ---------------------------------------------------------------------------------

CREATE FUNCTION tidings.my_brainstorms(wanted text) RETURNS uuid[]
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(array_agg(s.id), '{}')
    FROM (
        SELECT o.id FROM tidings.brainstorm_sessions AS o
        WHERE o.organization_id = tidings.current_organization() AND o.owner_id = tidings.acting_user()
        UNION ALL
        SELECT c.session_id FROM tidings.brainstorm_collaborators AS c
        WHERE c.organization_id = tidings.current_organization() AND c.user_id = tidings.acting_user()
            AND (wanted = 'view' OR (wanted = 'edit' AND c.role = 'editor'))
    ) AS s
$$;
SELECT tidings.run_as_system('tidings.my_brainstorms(text)');
COMMENT ON FUNCTION tidings.my_brainstorms(text) IS
    'The brainstorms that the acting user may view, edit or own (the word says which): what policies ask once a statement.';

CREATE FUNCTION tidings.brainstorms_hiding_ai() RETURNS uuid[]
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(array_agg(s.id), '{}')
    FROM tidings.brainstorm_sessions AS s
    WHERE s.organization_id = tidings.current_organization() AND s.human_first > 0
        AND (tidings.is_service() OR s.id = ANY ((SELECT tidings.my_brainstorms('view'))::uuid[]))
        AND EXISTS (
            SELECT FROM (
                SELECT s.owner_id AS user_id
                UNION ALL
                SELECT c.user_id FROM tidings.brainstorm_collaborators AS c
                WHERE c.organization_id = s.organization_id AND c.session_id = s.id AND c.role = 'editor'
            ) AS p
            WHERE (SELECT count(*) FROM tidings.brainstorm_ideas AS i
                   WHERE i.organization_id = s.organization_id AND i.session_id = s.id
                     AND i.author_id = p.user_id AND i.origin = 'person') < s.human_first)
$$;
SELECT tidings.run_as_system('tidings.brainstorms_hiding_ai()');
COMMENT ON FUNCTION tidings.brainstorms_hiding_ai() IS
    'The brainstorms of the acting user whose engine ideas nobody sees yet: somebody who writes there has not added enough of their own.';

DO $$
DECLARE
    held text;
    ours CONSTANT text := 'organization_id = (SELECT tidings.current_organization())';
    seen CONSTANT text := '((SELECT tidings.is_service()) OR %s = ANY ((SELECT tidings.my_brainstorms(''view''))::uuid[]))';
    edits CONSTANT text := '(SELECT tidings.may_write()) AND ((SELECT tidings.is_service()) '
        'OR %s = ANY ((SELECT tidings.my_brainstorms(''edit''))::uuid[]))';
    shown CONSTANT text := '((SELECT tidings.is_service()) OR session_id <> ALL ((SELECT tidings.brainstorms_hiding_ai())::uuid[]))';
    owned CONSTANT text := '(SELECT tidings.may_write()) AND session_id = ANY ((SELECT tidings.my_brainstorms(''own''))::uuid[])';
BEGIN
    FOREACH held IN ARRAY ARRAY['sessions', 'collaborators', 'clusters', 'ideas', 'votes', 'operations', 'results', 'ai_cache'] LOOP
        PERFORM tidings.protect(format('tidings.brainstorm_%s', held)::regclass);
        EXECUTE format('CREATE POLICY system_all ON tidings.brainstorm_%s TO tidings_system USING (true) WITH CHECK (true)', held);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.brainstorm_%s TO tidings_system', held);
    END LOOP;

    -- Sessions: who may write makes their own; editors change them; nobody can make themselves owner, because
    -- the column is not theirs to change; the owner alone deletes.
    EXECUTE format('CREATE POLICY member_select ON tidings.brainstorm_sessions FOR SELECT TO tidings_app USING (%s AND (owner_id = (SELECT tidings.acting_user()) OR %s))', ours, format(seen, 'id'));
    EXECUTE format('CREATE POLICY own_insert ON tidings.brainstorm_sessions FOR INSERT TO tidings_app WITH CHECK (%s '
        'AND (SELECT tidings.may_write()) AND owner_id = (SELECT tidings.acting_user()) '
        'AND NOT EXISTS (SELECT FROM unnest(context_message_ids) AS given (id) WHERE NOT EXISTS '
        '(SELECT FROM tidings.messages AS m WHERE m.organization_id = brainstorm_sessions.organization_id AND m.id = given.id)))', ours);
    EXECUTE format('CREATE POLICY editor_update ON tidings.brainstorm_sessions FOR UPDATE TO tidings_app USING (%s AND %s) WITH CHECK (%1$s AND %2$s)', ours, format(edits, 'id'));
    EXECUTE format('CREATE POLICY owner_delete ON tidings.brainstorm_sessions FOR DELETE TO tidings_app USING (%s AND (SELECT tidings.may_write()) AND owner_id = (SELECT tidings.acting_user()))', ours);

    -- Collaborators: the owner shares; anybody may leave.
    EXECUTE format('CREATE POLICY member_select ON tidings.brainstorm_collaborators FOR SELECT TO tidings_app USING (%s AND %s)', ours, format(seen, 'session_id'));
    EXECUTE format('CREATE POLICY owner_insert ON tidings.brainstorm_collaborators FOR INSERT TO tidings_app WITH CHECK (%s AND %s)', ours, owned);
    EXECUTE format('CREATE POLICY owner_update ON tidings.brainstorm_collaborators FOR UPDATE TO tidings_app USING (%s AND %s) WITH CHECK (%1$s AND %2$s)', ours, owned);
    EXECUTE format('CREATE POLICY owner_or_own_delete ON tidings.brainstorm_collaborators FOR DELETE TO tidings_app USING (%s AND ((%s) OR user_id = (SELECT tidings.acting_user())))', ours, owned);

    -- Clusters and ideas: viewers read, editors and services write. Only services write as an engine.
    FOREACH held IN ARRAY ARRAY['clusters', 'ideas'] LOOP
        EXECUTE format('CREATE POLICY member_select ON tidings.brainstorm_%s FOR SELECT TO tidings_app USING (%s AND %s%s)', held, ours, format(seen, 'session_id'),
            CASE held WHEN 'ideas' THEN ' AND (origin = ''person'' OR ' || shown || ')' ELSE '' END);
        EXECUTE format('CREATE POLICY editor_insert ON tidings.brainstorm_%s FOR INSERT TO tidings_app WITH CHECK (%s AND %s AND %s)', held, ours, format(edits, 'session_id'),
            CASE held WHEN 'ideas' THEN '((SELECT tidings.is_service()) OR (origin = ''person'' AND author_id = (SELECT tidings.acting_user()) AND details IS NULL AND scores IS NULL))'
                ELSE '((SELECT tidings.is_service()) OR origin = ''person'')' END);
        EXECUTE format('CREATE POLICY editor_update ON tidings.brainstorm_%s FOR UPDATE TO tidings_app USING (%s AND %s) WITH CHECK (%2$s AND %3$s)', held, ours, format(edits, 'session_id'));
        EXECUTE format('CREATE POLICY editor_delete ON tidings.brainstorm_%s FOR DELETE TO tidings_app USING (%s AND %s)', held, ours, format(edits, 'session_id'));
    END LOOP;

    -- Votes: one's own.
    EXECUTE format('CREATE POLICY member_select ON tidings.brainstorm_votes FOR SELECT TO tidings_app USING (%s AND %s)', ours, format(seen, 'session_id'));
    EXECUTE format('CREATE POLICY own_insert ON tidings.brainstorm_votes FOR INSERT TO tidings_app WITH CHECK (%s AND (SELECT tidings.may_write()) AND user_id = (SELECT tidings.acting_user()) AND session_id = ANY ((SELECT tidings.my_brainstorms(''edit''))::uuid[]))', ours);
    EXECUTE format('CREATE POLICY own_delete ON tidings.brainstorm_votes FOR DELETE TO tidings_app USING (%s AND (SELECT tidings.may_write()) AND user_id = (SELECT tidings.acting_user()) AND session_id = ANY ((SELECT tidings.my_brainstorms(''edit''))::uuid[]))', ours);

    -- Written by triggers and services alone.
    EXECUTE format('CREATE POLICY member_select ON tidings.brainstorm_operations FOR SELECT TO tidings_app USING (%s AND %s)', ours, format(seen, 'session_id'));
    EXECUTE format('CREATE POLICY member_select ON tidings.brainstorm_results FOR SELECT TO tidings_app USING (%s AND %s AND %s)', ours, format(seen, 'session_id'), shown);
    EXECUTE format('CREATE POLICY service_insert ON tidings.brainstorm_results FOR INSERT TO tidings_app WITH CHECK (%s AND (SELECT tidings.is_service()))', ours);
    EXECUTE format('CREATE POLICY service_all ON tidings.brainstorm_ai_cache TO tidings_app USING (%s AND (SELECT tidings.is_service())) WITH CHECK (%1$s AND (SELECT tidings.is_service()))', ours);
END
$$;
-- Who is at a board: seen, and shown, by its people alone. Other rooms are the whole organization's.
CREATE POLICY board_people ON tidings.presences AS RESTRICTIVE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND (topic NOT LIKE 'brainstorm:%' OR substr(topic, 12) = ANY ((SELECT tidings.my_brainstorms('view'))::text[])))
    WITH CHECK (organization_id = (SELECT tidings.current_organization())
        AND (topic NOT LIKE 'brainstorm:%' OR substr(topic, 12) = ANY ((SELECT tidings.my_brainstorms('view'))::text[])));

GRANT SELECT, INSERT, DELETE ON tidings.brainstorm_sessions, tidings.brainstorm_collaborators,
    tidings.brainstorm_clusters, tidings.brainstorm_ideas, tidings.brainstorm_votes TO tidings_app;
GRANT UPDATE (topic, description, framework, human_first, timer_ends_at) ON tidings.brainstorm_sessions TO tidings_app;
GRANT UPDATE (role) ON tidings.brainstorm_collaborators TO tidings_app;
GRANT UPDATE (name, position) ON tidings.brainstorm_clusters TO tidings_app;
GRANT UPDATE (text, status, priority, tags, cluster_id, position, details, scores) ON tidings.brainstorm_ideas TO tidings_app;
GRANT SELECT ON tidings.brainstorm_operations TO tidings_app;
GRANT SELECT, INSERT ON tidings.brainstorm_results TO tidings_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.brainstorm_ai_cache TO tidings_app;

-- Every change is an operation ------------------------------------------------------------------

CREATE FUNCTION tidings.note_brainstorm_operation_v1(
    organization uuid, session uuid, action text, subject uuid, fields text[], changes jsonb
) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    number bigint;
    engine boolean := tidings.is_service();
BEGIN
    -- Nothing is noted when the session or the organization itself goes.
    UPDATE tidings.brainstorm_sessions AS s SET version = s.version + 1, updated_at = tidings.now()
    FROM tidings.organizations AS o
    WHERE s.organization_id = organization AND s.id = session AND o.id = organization
    RETURNING s.version INTO number;
    IF number IS NULL THEN
        RETURN 1;
    END IF;
    INSERT INTO tidings.brainstorm_operations (organization_id, session_id, version, action, subject_id, fields, changes, user_id, by_engine)
    VALUES (organization, session, number, action, subject, fields, changes, tidings.acting_user(), engine);
    PERFORM tidings.publish_for_v1(organization, 'brainstorm:' || session, 'operation', pg_catalog.jsonb_build_object(
        'version', number, 'action', action, 'subject_id', subject, 'fields', fields,
        'user_id', tidings.acting_user(), 'by_engine', engine));
    RETURN number;
END
$$;
COMMENT ON FUNCTION tidings.note_brainstorm_operation_v1(uuid, uuid, text, uuid, text[], jsonb) IS
    'Gives a change of a board its number, writes it down and publishes it; for triggers of tidings_system alone.';
GRANT EXECUTE ON FUNCTION tidings.note_brainstorm_operation_v1(uuid, uuid, text, uuid, text[], jsonb) TO tidings_system;

CREATE FUNCTION tidings.brainstorm_difference(old_row jsonb, new_row jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
    SELECT pg_catalog.jsonb_object_agg(n.key, pg_catalog.jsonb_build_array(old_row -> n.key, n.value))
    FROM pg_catalog.jsonb_each(new_row) AS n
    WHERE n.value IS DISTINCT FROM old_row -> n.key AND n.key NOT IN ('version', 'updated_at')
$$;
COMMENT ON FUNCTION tidings.brainstorm_difference(jsonb, jsonb) IS
    'The fields of a row that differ, each with before and after; null when none does.';
GRANT EXECUTE ON FUNCTION tidings.brainstorm_difference(jsonb, jsonb) TO tidings_system;

CREATE FUNCTION tidings.count_brainstorm_part() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    changes jsonb;
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- With what goes or comes loose along with it, so that it can be put back.
        PERFORM tidings.note_brainstorm_operation_v1(OLD.organization_id, OLD.session_id, TG_ARGV[0] || '.deleted', OLD.id, '{}',
            pg_catalog.to_jsonb(OLD) - 'organization_id' - 'session_id' || CASE TG_ARGV[0]
                WHEN 'idea' THEN pg_catalog.jsonb_build_object('votes', ARRAY(
                    SELECT v.user_id FROM tidings.brainstorm_votes AS v
                    WHERE v.organization_id = OLD.organization_id AND v.session_id = OLD.session_id AND v.idea_id = OLD.id))
                ELSE pg_catalog.jsonb_build_object('ideas', ARRAY(
                    SELECT i.id FROM tidings.brainstorm_ideas AS i
                    WHERE i.organization_id = OLD.organization_id AND i.session_id = OLD.session_id AND i.cluster_id = OLD.id))
                END);
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        changes := tidings.brainstorm_difference(pg_catalog.to_jsonb(OLD), pg_catalog.to_jsonb(NEW));
        IF changes IS NULL THEN
            RETURN NULL;
        END IF;
        NEW.updated_at := tidings.now();
    END IF;
    NEW.version := tidings.note_brainstorm_operation_v1(NEW.organization_id, NEW.session_id,
        TG_ARGV[0] || CASE TG_OP WHEN 'INSERT' THEN '.added' ELSE '.changed' END, NEW.id,
        ARRAY(SELECT pg_catalog.jsonb_object_keys(changes)), changes);
    RETURN NEW;
END
$$;
SELECT tidings.run_as_system('tidings.count_brainstorm_part()');
COMMENT ON FUNCTION tidings.count_brainstorm_part() IS
    'Numbers and notes what was added, changed or deleted on a board; an update that changes nothing is none.';
CREATE TRIGGER count_part BEFORE INSERT OR UPDATE ON tidings.brainstorm_ideas
    FOR EACH ROW EXECUTE FUNCTION tidings.count_brainstorm_part('idea');
CREATE TRIGGER count_end BEFORE DELETE ON tidings.brainstorm_ideas
    FOR EACH ROW EXECUTE FUNCTION tidings.count_brainstorm_part('idea');
CREATE TRIGGER count_part BEFORE INSERT OR UPDATE ON tidings.brainstorm_clusters
    FOR EACH ROW EXECUTE FUNCTION tidings.count_brainstorm_part('cluster');
CREATE TRIGGER count_end BEFORE DELETE ON tidings.brainstorm_clusters
    FOR EACH ROW EXECUTE FUNCTION tidings.count_brainstorm_part('cluster');

CREATE FUNCTION tidings.count_brainstorm_vote() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    one tidings.brainstorm_votes := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    -- Votes that go with their idea, or come back with it, are part of that.
    IF (TG_OP = 'INSERT' AND one.user_id IS DISTINCT FROM tidings.acting_user())
        OR (TG_OP = 'DELETE' AND NOT EXISTS (
            SELECT FROM tidings.brainstorm_ideas AS i
            WHERE i.organization_id = one.organization_id AND i.session_id = one.session_id AND i.id = one.idea_id)) THEN
        RETURN NULL;
    END IF;
    PERFORM tidings.note_brainstorm_operation_v1(one.organization_id, one.session_id,
        CASE TG_OP WHEN 'DELETE' THEN 'vote.removed' ELSE 'vote.added' END, one.idea_id, '{votes}', NULL);
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.count_brainstorm_vote()');
COMMENT ON FUNCTION tidings.count_brainstorm_vote() IS 'Numbers and notes a vote given or taken back.';
CREATE TRIGGER count_vote AFTER INSERT OR DELETE ON tidings.brainstorm_votes
    FOR EACH ROW EXECUTE FUNCTION tidings.count_brainstorm_vote();

CREATE FUNCTION tidings.count_brainstorm_collaborator() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    one tidings.brainstorm_collaborators := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM tidings.note_brainstorm_operation_v1(one.organization_id, one.session_id,
        'collaborator.' || CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END,
        one.user_id, '{role}', NULL);
    IF TG_OP = 'DELETE' THEN
        -- Open streams of who was removed end, and cannot come back; nor are they seen there any more.
        PERFORM tidings.publish_access_v1(one.organization_id, one.user_id);
        DELETE FROM tidings.presences AS p
        WHERE p.organization_id = one.organization_id AND p.topic = 'brainstorm:' || one.session_id AND p.user_id = one.user_id
            AND NOT EXISTS (SELECT FROM tidings.brainstorm_sessions AS s
                            WHERE s.organization_id = one.organization_id AND s.id = one.session_id AND s.owner_id = one.user_id);
    END IF;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.count_brainstorm_collaborator()');
COMMENT ON FUNCTION tidings.count_brainstorm_collaborator() IS
    'Numbers and notes who a board is shared with, and ends the streams of who was removed.';
CREATE TRIGGER count_collaborator AFTER INSERT OR UPDATE OR DELETE ON tidings.brainstorm_collaborators
    FOR EACH ROW EXECUTE FUNCTION tidings.count_brainstorm_collaborator();

CREATE FUNCTION tidings.count_brainstorm_session() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    changes jsonb := tidings.brainstorm_difference(pg_catalog.to_jsonb(OLD), pg_catalog.to_jsonb(NEW));
BEGIN
    IF changes IS NULL THEN
        RETURN NULL;
    END IF;
    IF NEW.human_first <> OLD.human_first AND tidings.acting_user() IS DISTINCT FROM OLD.owner_id THEN
        RAISE EXCEPTION 'Only the owner decides when ideas of an engine are seen.' USING ERRCODE = 'TD403';
    END IF;
    PERFORM tidings.note_brainstorm_operation_v1(NEW.organization_id, NEW.id, 'session.changed', NEW.id,
        ARRAY(SELECT pg_catalog.jsonb_object_keys(changes)), changes);
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.count_brainstorm_session()');
COMMENT ON FUNCTION tidings.count_brainstorm_session() IS
    'Numbers and notes a change of the session itself; what the owner alone decides is refused to others.';
CREATE TRIGGER count_session AFTER UPDATE OF topic, description, framework, human_first, timer_ends_at, owner_id
    ON tidings.brainstorm_sessions FOR EACH ROW EXECUTE FUNCTION tidings.count_brainstorm_session();

CREATE FUNCTION tidings.announce_brainstorm() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    -- Nobody is told when the organization itself goes.
    IF TG_TABLE_NAME = 'brainstorm_results' THEN
        PERFORM tidings.publish_for_v1(o.id, 'brainstorm:' || NEW.session_id, 'result',
            pg_catalog.jsonb_build_object('result_id', NEW.id, 'operation', NEW.operation))
        FROM tidings.organizations AS o WHERE o.id = NEW.organization_id;
    ELSE
        PERFORM tidings.publish_for_v1(o.id, 'brainstorm:' || OLD.id, 'deleted', '{}')
        FROM tidings.organizations AS o WHERE o.id = OLD.organization_id;
        DELETE FROM tidings.presences AS p
        WHERE p.organization_id = OLD.organization_id AND p.topic = 'brainstorm:' || OLD.id;
    END IF;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.announce_brainstorm()');
COMMENT ON FUNCTION tidings.announce_brainstorm() IS
    'Tells who looks at a board that an engine answered, without what, or that the board is gone.';
CREATE TRIGGER announce_result AFTER INSERT ON tidings.brainstorm_results
    FOR EACH ROW EXECUTE FUNCTION tidings.announce_brainstorm();
CREATE TRIGGER announce_end AFTER DELETE ON tidings.brainstorm_sessions
    FOR EACH ROW EXECUTE FUNCTION tidings.announce_brainstorm();

CREATE FUNCTION tidings.hand_over_brainstorms() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    handed record;
BEGIN
    FOR handed IN
        SELECT s.id, c.user_id AS heir
        FROM tidings.brainstorm_sessions AS s JOIN tidings.organizations AS o ON o.id = s.organization_id
        CROSS JOIN LATERAL (
            SELECT e.user_id FROM tidings.brainstorm_collaborators AS e
            WHERE e.organization_id = s.organization_id AND e.session_id = s.id AND e.role = 'editor'
            ORDER BY e.created_at, e.user_id LIMIT 1) AS c
        WHERE s.organization_id = OLD.organization_id AND s.owner_id = OLD.user_id
    LOOP
        UPDATE tidings.brainstorm_sessions AS s SET owner_id = handed.heir
        WHERE s.organization_id = OLD.organization_id AND s.id = handed.id;
        DELETE FROM tidings.brainstorm_collaborators AS c
        WHERE c.organization_id = OLD.organization_id AND c.session_id = handed.id AND c.user_id = handed.heir;
    END LOOP;
    RETURN OLD;
END
$$;
SELECT tidings.run_as_system('tidings.hand_over_brainstorms()');
COMMENT ON FUNCTION tidings.hand_over_brainstorms() IS
    'Before a member goes: their brainstorms become those of the editor who was there first.';
CREATE TRIGGER hand_over_brainstorms BEFORE DELETE ON tidings.organization_members
    FOR EACH ROW EXECUTE FUNCTION tidings.hand_over_brainstorms();

-- The doors: each locks the session first, so that changes of a board queue up and none waits for another's row.

CREATE FUNCTION tidings.lock_brainstorm_v1(session uuid) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    number bigint;
BEGIN
    SELECT s.version INTO number FROM tidings.brainstorm_sessions AS s
    WHERE s.organization_id = tidings.current_organization() AND s.id = session FOR NO KEY UPDATE;
    IF number IS NOT NULL THEN
        RETURN number;
    END IF;
    IF EXISTS (SELECT FROM tidings.brainstorm_sessions AS s
               WHERE s.organization_id = tidings.current_organization() AND s.id = session) THEN
        RAISE EXCEPTION 'You may read this brainstorm, not change it.' USING ERRCODE = 'TD403';
    END IF;
    RAISE EXCEPTION 'There is no such brainstorm here.' USING ERRCODE = 'TD404';
END
$$;
COMMENT ON FUNCTION tidings.lock_brainstorm_v1(uuid) IS
    'Waits for one''s turn at a board and answers its version; refuses who may not write there.';

CREATE FUNCTION tidings.check_brainstorm_version_v1(session uuid, subject uuid, seen bigint, given text[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF seen IS NOT NULL AND EXISTS (
        SELECT FROM tidings.brainstorm_operations AS o
        WHERE o.organization_id = tidings.current_organization() AND o.session_id = session
            AND o.subject_id = subject AND o.version > seen AND (given IS NULL OR o.fields && given)) THEN
        RAISE EXCEPTION 'Somebody changed the same since you read it; read it again and repeat your change.' USING ERRCODE = 'TD412';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.check_brainstorm_version_v1(uuid, uuid, bigint, text[]) IS
    'Refuses a change whose fields (null: any) others changed after the number that was read; null: whatever it is now.';

CREATE FUNCTION tidings.brainstorm_position_v1(session uuid, after uuid, moved uuid) RETURNS numeric
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    low numeric;
    high numeric;
BEGIN
    IF after IS NOT NULL THEN
        SELECT i.position INTO low FROM tidings.brainstorm_ideas AS i
        WHERE i.organization_id = tidings.current_organization() AND i.session_id = session AND i.id = after;
        IF low IS NULL THEN
            RAISE EXCEPTION 'There is no such idea to stand after.' USING ERRCODE = 'TD404';
        END IF;
    END IF;
    SELECT min(i.position) INTO high FROM tidings.brainstorm_ideas AS i
    WHERE i.organization_id = tidings.current_organization() AND i.session_id = session AND i.id <> moved
        AND (low IS NULL OR i.position > low);
    RETURN CASE WHEN low IS NULL AND high IS NULL THEN 0 WHEN low IS NULL THEN high - 1
        WHEN high IS NULL THEN low + 1 ELSE (low + high) * 0.5 END;
END
$$;
COMMENT ON FUNCTION tidings.brainstorm_position_v1(uuid, uuid, uuid) IS
    'The place right after an idea, or before all of them.';

CREATE FUNCTION tidings.require_brainstorm_cluster_v1(session uuid, cluster uuid) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF cluster IS NOT NULL AND NOT EXISTS (
        SELECT FROM tidings.brainstorm_clusters AS c
        WHERE c.organization_id = tidings.current_organization() AND c.session_id = session AND c.id = cluster) THEN
        RAISE EXCEPTION 'There is no such cluster here.' USING ERRCODE = 'TD404';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.require_brainstorm_cluster_v1(uuid, uuid) IS
    'Refuses a cluster that the board does not have; null is none.';

CREATE FUNCTION tidings.change_brainstorm_v1(session uuid, change jsonb, seen bigint) RETURNS SETOF tidings.brainstorm_sessions
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.lock_brainstorm_v1(session);
    PERFORM tidings.check_brainstorm_version_v1(session, session, seen,
        CASE WHEN change <> '{}' THEN ARRAY(SELECT jsonb_object_keys(change)) END);
    UPDATE tidings.brainstorm_sessions AS s SET
        topic = CASE WHEN change ? 'topic' THEN change ->> 'topic' ELSE s.topic END,
        description = CASE WHEN change ? 'description' THEN change ->> 'description' ELSE s.description END,
        framework = CASE WHEN change ? 'framework' THEN change ->> 'framework' ELSE s.framework END,
        human_first = CASE WHEN change ? 'human_first' THEN (change ->> 'human_first')::smallint ELSE s.human_first END,
        timer_ends_at = CASE WHEN change ? 'timer_ends_at' THEN (change ->> 'timer_ends_at')::timestamptz ELSE s.timer_ends_at END
    WHERE s.organization_id = tidings.current_organization() AND s.id = session;
    RETURN QUERY SELECT s.* FROM tidings.brainstorm_sessions AS s
    WHERE s.organization_id = tidings.current_organization() AND s.id = session;
END
$$;
COMMENT ON FUNCTION tidings.change_brainstorm_v1(uuid, jsonb, bigint) IS
    'Changes the fields that are named, unless others changed one of them after the number that was read.';

CREATE FUNCTION tidings.add_brainstorm_ideas_v1(
    session uuid, ids uuid[], texts text[], more jsonb, after uuid
) RETURNS SETOF tidings.brainstorm_ideas
LANGUAGE plpgsql
AS $$
DECLARE
    held bigint;
    last numeric;
BEGIN
    PERFORM tidings.lock_brainstorm_v1(session);
    SELECT count(*), max(i.position) INTO held, last FROM tidings.brainstorm_ideas AS i
    WHERE i.organization_id = tidings.current_organization() AND i.session_id = session;
    IF held + cardinality(ids) > 1000 THEN
        RAISE EXCEPTION 'A brainstorm holds at most 1,000 ideas.' USING ERRCODE = 'TD409';
    END IF;
    PERFORM tidings.require_brainstorm_cluster_v1(session, (more ->> 'cluster_id')::uuid);
    RETURN QUERY INSERT INTO tidings.brainstorm_ideas (organization_id, session_id, id, text, status, priority, tags, cluster_id, position, origin, author_id)
    SELECT tidings.current_organization(), session, n.id, n.text, coalesce(more ->> 'status', 'new'),
        coalesce(more ->> 'priority', 'medium'),
        CASE WHEN jsonb_typeof(more -> 'tags' -> (n.place - 1)::integer) = 'array'
            THEN ARRAY(SELECT jsonb_array_elements_text(more -> 'tags' -> (n.place - 1)::integer)) ELSE '{}' END,
        (more ->> 'cluster_id')::uuid,
        CASE WHEN after IS NULL THEN coalesce(last, 0) + n.place ELSE tidings.brainstorm_position_v1(session, after, n.id) END,
        CASE WHEN tidings.is_service() THEN 'engine' ELSE 'person' END, tidings.acting_user()
    FROM unnest(ids, texts) WITH ORDINALITY AS n (id, text, place) ORDER BY n.place
    RETURNING brainstorm_ideas.*;
END
$$;
COMMENT ON FUNCTION tidings.add_brainstorm_ideas_v1(uuid, uuid[], text[], jsonb, uuid) IS
    'Adds ideas behind the others, or one after another: a person''s, or an engine''s when a service acts.';

CREATE FUNCTION tidings.change_brainstorm_idea_v1(session uuid, idea uuid, change jsonb, seen bigint) RETURNS SETOF tidings.brainstorm_ideas
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.lock_brainstorm_v1(session);
    PERFORM tidings.check_brainstorm_version_v1(session, idea, seen,
        ARRAY(SELECT CASE k WHEN 'after' THEN 'position' ELSE k END FROM jsonb_object_keys(change) AS k));
    PERFORM tidings.require_brainstorm_cluster_v1(session, (change ->> 'cluster_id')::uuid);
    UPDATE tidings.brainstorm_ideas AS i SET
        text = CASE WHEN change ? 'text' THEN change ->> 'text' ELSE i.text END,
        status = CASE WHEN change ? 'status' THEN change ->> 'status' ELSE i.status END,
        priority = CASE WHEN change ? 'priority' THEN change ->> 'priority' ELSE i.priority END,
        tags = CASE WHEN change ? 'tags' THEN ARRAY(SELECT jsonb_array_elements_text(change -> 'tags')) ELSE i.tags END,
        cluster_id = CASE WHEN change ? 'cluster_id' THEN (change ->> 'cluster_id')::uuid ELSE i.cluster_id END,
        position = CASE WHEN change ? 'after'
            THEN tidings.brainstorm_position_v1(session, (change ->> 'after')::uuid, idea) ELSE i.position END
    WHERE i.organization_id = tidings.current_organization() AND i.session_id = session AND i.id = idea;
    RETURN QUERY SELECT i.* FROM tidings.brainstorm_ideas AS i
    WHERE i.organization_id = tidings.current_organization() AND i.session_id = session AND i.id = idea;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such idea here; somebody may have deleted it.' USING ERRCODE = 'TD404';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.change_brainstorm_idea_v1(uuid, uuid, jsonb, bigint) IS
    'Changes the fields that are named (`after` moves it), unless others changed one of them after the number that was read.';

CREATE FUNCTION tidings.delete_brainstorm_idea_v1(session uuid, idea uuid, seen bigint) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.lock_brainstorm_v1(session);
    PERFORM tidings.check_brainstorm_version_v1(session, idea, seen, NULL);
    DELETE FROM tidings.brainstorm_ideas AS i
    WHERE i.organization_id = tidings.current_organization() AND i.session_id = session AND i.id = idea;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such idea here.' USING ERRCODE = 'TD404';
    END IF;
    RETURN tidings.lock_brainstorm_v1(session);
END
$$;
COMMENT ON FUNCTION tidings.delete_brainstorm_idea_v1(uuid, uuid, bigint) IS
    'Deletes an idea, unless others changed it or voted for it after the number that was read; answers the board''s version.';

CREATE FUNCTION tidings.vote_brainstorm_idea_v1(session uuid, idea uuid, wanted boolean) RETURNS integer
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.lock_brainstorm_v1(session);
    IF NOT EXISTS (SELECT FROM tidings.brainstorm_ideas AS i
                   WHERE i.organization_id = tidings.current_organization() AND i.session_id = session AND i.id = idea) THEN
        RAISE EXCEPTION 'There is no such idea here.' USING ERRCODE = 'TD404';
    END IF;
    IF wanted THEN
        INSERT INTO tidings.brainstorm_votes (organization_id, session_id, idea_id, user_id)
        VALUES (tidings.current_organization(), session, idea, tidings.acting_user()) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM tidings.brainstorm_votes AS v
        WHERE v.organization_id = tidings.current_organization() AND v.session_id = session AND v.idea_id = idea
            AND v.user_id = tidings.acting_user();
    END IF;
    RETURN (SELECT count(*) FROM tidings.brainstorm_votes AS v
            WHERE v.organization_id = tidings.current_organization() AND v.session_id = session AND v.idea_id = idea);
END
$$;
COMMENT ON FUNCTION tidings.vote_brainstorm_idea_v1(uuid, uuid, boolean) IS
    'Gives the acting user''s one vote for an idea, or takes it back, and answers how many it has; safe to repeat.';

CREATE FUNCTION tidings.save_brainstorm_cluster_v1(session uuid, cluster uuid, title text, seen bigint, is_new boolean) RETURNS SETOF tidings.brainstorm_clusters
LANGUAGE plpgsql
AS $$
DECLARE
    held bigint;
BEGIN
    PERFORM tidings.lock_brainstorm_v1(session);
    IF is_new THEN
        SELECT count(*) INTO held FROM tidings.brainstorm_clusters AS c
        WHERE c.organization_id = tidings.current_organization() AND c.session_id = session;
        IF held >= 50 THEN
            RAISE EXCEPTION 'A brainstorm holds at most 50 clusters.' USING ERRCODE = 'TD409';
        END IF;
        INSERT INTO tidings.brainstorm_clusters (organization_id, session_id, id, name, position)
        VALUES (tidings.current_organization(), session, cluster, title, held);
    ELSE
        PERFORM tidings.check_brainstorm_version_v1(session, cluster, seen, '{name}');
        UPDATE tidings.brainstorm_clusters AS c SET name = title
        WHERE c.organization_id = tidings.current_organization() AND c.session_id = session AND c.id = cluster;
    END IF;
    RETURN QUERY SELECT c.* FROM tidings.brainstorm_clusters AS c
    WHERE c.organization_id = tidings.current_organization() AND c.session_id = session AND c.id = cluster;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such cluster here.' USING ERRCODE = 'TD404';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.save_brainstorm_cluster_v1(uuid, uuid, text, bigint, boolean) IS
    'Makes a cluster or renames one.';

CREATE FUNCTION tidings.delete_brainstorm_cluster_v1(session uuid, cluster uuid) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.lock_brainstorm_v1(session);
    DELETE FROM tidings.brainstorm_clusters AS c
    WHERE c.organization_id = tidings.current_organization() AND c.session_id = session AND c.id = cluster;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such cluster here.' USING ERRCODE = 'TD404';
    END IF;
    RETURN tidings.lock_brainstorm_v1(session);
END
$$;
COMMENT ON FUNCTION tidings.delete_brainstorm_cluster_v1(uuid, uuid) IS
    'Deletes a cluster; its ideas stay, in none. Answers the board''s version.';

CREATE FUNCTION tidings.cluster_brainstorm_v1(session uuid, ids uuid[], names text[], ideas uuid[], places integer[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.lock_brainstorm_v1(session);
    DELETE FROM tidings.brainstorm_clusters AS c
    WHERE c.organization_id = tidings.current_organization() AND c.session_id = session AND c.origin = 'engine';
    INSERT INTO tidings.brainstorm_clusters (organization_id, session_id, id, name, position, origin)
    SELECT tidings.current_organization(), session, n.id, n.name, 1000 + n.place, 'engine'
    FROM unnest(ids, names) WITH ORDINALITY AS n (id, name, place);
    UPDATE tidings.brainstorm_ideas AS i SET cluster_id = ids[n.place]
    FROM unnest(ideas, places) AS n (id, place)
    WHERE i.organization_id = tidings.current_organization() AND i.session_id = session AND i.id = n.id
        AND i.cluster_id IS NULL;
END
$$;
COMMENT ON FUNCTION tidings.cluster_brainstorm_v1(uuid, uuid[], text[], uuid[], integer[]) IS
    'Puts an engine''s clusters in the place of its earlier ones; what people sorted themselves stays where it is.';

CREATE FUNCTION tidings.share_brainstorm_v1(session uuid, person uuid, wanted text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.lock_brainstorm_v1(session);
    IF NOT session = ANY (tidings.my_brainstorms('own')) THEN
        RAISE EXCEPTION 'Only the owner shares a brainstorm.' USING ERRCODE = 'TD403';
    END IF;
    IF person = tidings.acting_user() THEN
        RAISE EXCEPTION 'It is yours already.' USING ERRCODE = 'TD409';
    END IF;
    IF NOT EXISTS (SELECT FROM tidings.organization_members AS m
                   WHERE m.organization_id = tidings.current_organization() AND m.user_id = person) THEN
        RAISE EXCEPTION 'There is no such member in this organization.' USING ERRCODE = 'TD404';
    END IF;
    INSERT INTO tidings.brainstorm_collaborators AS c (organization_id, session_id, user_id, role)
    VALUES (tidings.current_organization(), session, person, wanted)
    ON CONFLICT (organization_id, session_id, user_id) DO UPDATE SET role = EXCLUDED.role WHERE c.role <> EXCLUDED.role;
END
$$;
COMMENT ON FUNCTION tidings.share_brainstorm_v1(uuid, uuid, text) IS
    'The owner brings in a member, or gives one another role; safe to repeat.';

GRANT EXECUTE ON FUNCTION tidings.lock_brainstorm_v1(uuid), tidings.check_brainstorm_version_v1(uuid, uuid, bigint, text[]),
    tidings.brainstorm_position_v1(uuid, uuid, uuid), tidings.require_brainstorm_cluster_v1(uuid, uuid), tidings.change_brainstorm_v1(uuid, jsonb, bigint),
    tidings.add_brainstorm_ideas_v1(uuid, uuid[], text[], jsonb, uuid), tidings.change_brainstorm_idea_v1(uuid, uuid, jsonb, bigint),
    tidings.delete_brainstorm_idea_v1(uuid, uuid, bigint), tidings.vote_brainstorm_idea_v1(uuid, uuid, boolean),
    tidings.save_brainstorm_cluster_v1(uuid, uuid, text, bigint, boolean), tidings.delete_brainstorm_cluster_v1(uuid, uuid),
    tidings.cluster_brainstorm_v1(uuid, uuid[], text[], uuid[], integer[]), tidings.share_brainstorm_v1(uuid, uuid, text)
TO tidings_app;
GRANT EXECUTE ON FUNCTION tidings.lock_brainstorm_v1(uuid) TO tidings_system;

CREATE FUNCTION tidings.restore_brainstorm_part_v1(session uuid, subject uuid) RETURNS text
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    organization CONSTANT uuid := tidings.current_organization();
    kind text;
    gone jsonb;
BEGIN
    IF NOT session = ANY (tidings.my_brainstorms('view')) THEN
        RAISE EXCEPTION 'There is no such brainstorm here.' USING ERRCODE = 'TD404';
    END IF;
    IF NOT tidings.may_write() OR NOT session = ANY (tidings.my_brainstorms('edit')) THEN
        RAISE EXCEPTION 'You may read this brainstorm, not change it.' USING ERRCODE = 'TD403';
    END IF;
    PERFORM tidings.lock_brainstorm_v1(session);
    SELECT pg_catalog.split_part(o.action, '.', 1), o.changes INTO kind, gone
    FROM tidings.brainstorm_operations AS o
    WHERE o.organization_id = organization AND o.session_id = session AND o.subject_id = subject
        AND o.action IN ('idea.deleted', 'cluster.deleted')
    ORDER BY o.version DESC LIMIT 1;
    IF kind IS NULL THEN
        RAISE EXCEPTION 'Nothing of that was deleted here.' USING ERRCODE = 'TD404';
    END IF;
    IF EXISTS (SELECT FROM tidings.brainstorm_ideas AS i
               WHERE i.organization_id = organization AND i.session_id = session AND i.id = subject)
        OR EXISTS (SELECT FROM tidings.brainstorm_clusters AS c
                   WHERE c.organization_id = organization AND c.session_id = session AND c.id = subject) THEN
        RETURN kind;
    END IF;
    IF (kind = 'idea' AND (SELECT count(*) FROM tidings.brainstorm_ideas AS i
                           WHERE i.organization_id = organization AND i.session_id = session) >= 1000)
        OR (kind = 'cluster' AND (SELECT count(*) FROM tidings.brainstorm_clusters AS c
                                  WHERE c.organization_id = organization AND c.session_id = session) >= 50) THEN
        RAISE EXCEPTION 'The brainstorm is full: it holds 1,000 ideas and 50 clusters.' USING ERRCODE = 'TD409';
    END IF;
    IF kind = 'cluster' THEN
        INSERT INTO tidings.brainstorm_clusters (organization_id, session_id, id, name, position, origin, created_at)
        SELECT organization, session, c.id, c.name, c.position, c.origin, c.created_at
        FROM pg_catalog.jsonb_populate_record(NULL::tidings.brainstorm_clusters, gone) AS c;
        -- Ideas that were sorted elsewhere meanwhile stay there.
        UPDATE tidings.brainstorm_ideas AS i SET cluster_id = subject
        WHERE i.organization_id = organization AND i.session_id = session AND i.cluster_id IS NULL
            AND gone -> 'ideas' ? i.id::text;
        RETURN kind;
    END IF;
    INSERT INTO tidings.brainstorm_ideas (organization_id, session_id, id, text, status, priority, tags, cluster_id, position, origin,
        author_id, details, scores, created_at)
    SELECT organization, session, i.id, i.text, i.status, i.priority, i.tags,
        (SELECT c.id FROM tidings.brainstorm_clusters AS c
         WHERE c.organization_id = organization AND c.session_id = session AND c.id = i.cluster_id),
        i.position, i.origin, i.author_id, i.details, i.scores, i.created_at
    FROM pg_catalog.jsonb_populate_record(NULL::tidings.brainstorm_ideas, gone) AS i;
    INSERT INTO tidings.brainstorm_votes (organization_id, session_id, idea_id, user_id)
    SELECT organization, session, subject, m.user_id FROM tidings.organization_members AS m
    WHERE m.organization_id = organization AND gone -> 'votes' ? m.user_id::text ON CONFLICT DO NOTHING;
    RETURN kind;
END
$$;
SELECT tidings.run_as_system('tidings.restore_brainstorm_part_v1(uuid, uuid)');
COMMENT ON FUNCTION tidings.restore_brainstorm_part_v1(uuid, uuid) IS
    'Puts an idea back with its votes, or a cluster with those of its ideas that are in none; safe to repeat. Answers which of both it was.';

CREATE FUNCTION tidings.cleanup_expired_brainstorm_cache() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM tidings.brainstorm_ai_cache AS c WHERE c.expires_at <= tidings.now();
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
SELECT tidings.run_as_system('tidings.cleanup_expired_brainstorm_cache()');
COMMENT ON FUNCTION tidings.cleanup_expired_brainstorm_cache() IS
    'Deletes the answers about brainstorms that are older than 24 hours, of every organization; answers how many.';

-- Keys may be for brainstorms alone.
ALTER TABLE tidings.api_keys
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_scopes_check CHECK (scopes <@ ARRAY[
        'read', 'write', 'kv', 'meetings', 'messages', 'engagement', 'approvals', 'summaries', 'brainstorm', 'admin']);
