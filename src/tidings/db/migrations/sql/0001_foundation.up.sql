-- The schema itself and the four roles are made by db/roles.py before the first revision.

REVOKE ALL ON SCHEMA tidings FROM PUBLIC;
GRANT USAGE ON SCHEMA tidings TO tidings_app, tidings_system, tidings_readonly;
GRANT SELECT ON tidings.schema_version TO tidings_app, tidings_readonly;
COMMENT ON TABLE tidings.schema_version IS 'The revision this schema is at. Retention: one row.';
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE FUNCTION tidings.now() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.now()
    + coalesce(nullif(pg_catalog.current_setting('tidings.clock_shift', true), ''), '0')::interval;
COMMENT ON FUNCTION tidings.now() IS
    'The time, moved by the setting tidings.clock_shift that only tests set.';

CREATE FUNCTION tidings.uuid7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN encode(
    set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid())
                PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6),
        52, 1), 53, 1),
    'hex')::uuid;
COMMENT ON FUNCTION tidings.uuid7() IS 'A UUID version 7 (RFC 9562), for rows that SQL makes.';

CREATE FUNCTION tidings.current_organization() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    setting text := pg_catalog.current_setting('tidings.organization_id', true);
BEGIN
    IF setting IS NULL OR setting = '' THEN
        RAISE EXCEPTION 'No organization is set for this transaction.' USING ERRCODE = 'TD000';
    END IF;
    RETURN setting::uuid;
END
$$;
COMMENT ON FUNCTION tidings.current_organization() IS
    'The organization this transaction acts for; an error when none is set.';

CREATE FUNCTION tidings.acting_user() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(pg_catalog.current_setting('tidings.user_id', true), '')::uuid;
COMMENT ON FUNCTION tidings.acting_user() IS 'The user this transaction acts as, or null.';

CREATE FUNCTION tidings.acting_role() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(pg_catalog.current_setting('tidings.role', true), ''), 'viewer');
COMMENT ON FUNCTION tidings.acting_role() IS
    'The role this transaction acts in: owner, admin, member, viewer or service.';

CREATE FUNCTION tidings.may_write() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN tidings.acting_role() IN ('owner', 'admin', 'member', 'service');
COMMENT ON FUNCTION tidings.may_write() IS 'Whether the acting role may change rows at all.';

CREATE FUNCTION tidings.may_administer() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN tidings.acting_role() IN ('owner', 'admin');
COMMENT ON FUNCTION tidings.may_administer() IS 'Whether the acting role administers the organization.';

CREATE FUNCTION tidings.is_service() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN tidings.acting_role() = 'service';
COMMENT ON FUNCTION tidings.is_service() IS 'Whether one of the services acts, not a person.';

GRANT EXECUTE ON FUNCTION
    tidings.now(), tidings.uuid7(), tidings.current_organization(), tidings.acting_user(),
    tidings.acting_role(), tidings.may_write(), tidings.may_administer(), tidings.is_service()
TO tidings_app, tidings_system, tidings_readonly;

CREATE FUNCTION tidings.protect(target regclass) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY owner_all ON %s TO tidings_owner USING (true) WITH CHECK (true)', target);
END
$$;
COMMENT ON FUNCTION tidings.protect(regclass) IS
    'For migrations: row security on and forced, open to the owner alone. Each revision adds who else.';

CREATE FUNCTION tidings.protect_tenant(target regclass) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.protect(target);
    EXECUTE format('CREATE POLICY tenant_select ON %s FOR SELECT TO tidings_app, tidings_readonly '
        'USING (organization_id = (SELECT tidings.current_organization()))', target);
    EXECUTE format('CREATE POLICY tenant_insert ON %s FOR INSERT TO tidings_app '
        'WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write()))', target);
    EXECUTE format('CREATE POLICY tenant_update ON %s FOR UPDATE TO tidings_app '
        'USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write())) '
        'WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write()))', target);
    EXECUTE format('CREATE POLICY tenant_delete ON %s FOR DELETE TO tidings_app '
        'USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write()))', target);
END
$$;
COMMENT ON FUNCTION tidings.protect_tenant(regclass) IS
    'For migrations: protect() plus the plain rule: members read, all but viewers write, of their own organization.';

CREATE FUNCTION tidings.run_as_system(target regprocedure) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    GRANT CREATE ON SCHEMA tidings TO tidings_system;
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = ''''', target);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', target);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tidings_app', target);
    EXECUTE format('ALTER FUNCTION %s OWNER TO tidings_system', target);
    REVOKE CREATE ON SCHEMA tidings FROM tidings_system;
END
$$;
COMMENT ON FUNCTION tidings.run_as_system(regprocedure) IS
    'For migrations: makes a function SECURITY DEFINER, owned by tidings_system, callable by tidings_app.';
