"""What the catalog must say of every table, policy and function: one query per rule.

Each query lists what breaks its rule. `NOT_OF_A_TENANT` is every table without an organization,
with the reason.
"""
# ruff: noqa: E501 - SQL reads better in its own lines

from collections.abc import Iterator

import psycopg

GOES_WITH_LANE = ["jobs", "finished_jobs"]
"""Of these a trigger of their organization's lane takes the rows along: a foreign key costs each row
of a bulk enqueue as much as all its indexes (docs/decisions/0011)."""

NOT_OF_A_TENANT = {
    "bridges": "one process forwards the events of every organization",
    "cron_ticks": "schedules belong to the installation",
    "kv_owned_prefixes": "the same in every organization, changed by migrations alone",
    "organizations": "is the tenant itself",
    "queue_listeners": "worker processes serve every organization",
    "relay_lease": "one relay serves every organization",
    "request_counts": "counted by credential before the tenant is known",
    "schema_version": "alembic's own",
    "sign_in_failures": "counted before anybody is known",
    "user_passwords": "people are known once, whatever organizations they belong to",
    "users": "people are known once, whatever organizations they belong to",
}

WITHOUT_ROW_SECURITY = {"schema_version": "holds the revision alone, and alembic makes it"}

OWNERS = ["tidings_owner", "tidings_system"]
ROLES = [*OWNERS, "tidings_app", "tidings_readonly"]

_TABLES = """
    tables AS (
        SELECT c.oid, c.relname::text AS name, c.relrowsecurity, c.relforcerowsecurity,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                       AND a.attname = 'organization_id' AND NOT a.attisdropped) AS has_organization
        FROM pg_class c
        WHERE c.relnamespace = 'tidings'::regnamespace AND c.relkind IN ('r', 'p', 'f')
          AND c.relname <> ALL (%(unprotected)s)),
    tenant_tables AS (SELECT * FROM tables WHERE has_organization),
    policies AS (
        SELECT t.name || '.' || p.polname AS name, t.oid, t.has_organization, p.polroles, p.polcmd,
               pg_get_expr(p.polqual, p.polrelid) AS shows,
               pg_get_expr(p.polwithcheck, p.polrelid) AS lets_in,
               'tidings_app'::regrole = ANY (p.polroles) AS is_of_app
        FROM pg_policy p JOIN tables t ON t.oid = p.polrelid),
    functions AS (
        SELECT p.oid, p.oid::regprocedure::text AS name, p.proowner::regrole::text AS owner,
               p.prosecdef, p.proconfig, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl
        FROM pg_proc p WHERE p.pronamespace = 'tidings'::regnamespace)
"""

RULES = {
    "row security is enabled and forced": """
        SELECT name FROM tables WHERE NOT (relrowsecurity AND relforcerowsecurity)""",
    "the owner has a USING (true) policy, or backfills touch nothing": """
        SELECT name FROM tables t WHERE NOT EXISTS (
            SELECT FROM policies p WHERE p.oid = t.oid AND p.polcmd = '*' AND p.shows = 'true'
              AND p.lets_in = 'true' AND p.polroles = ARRAY['tidings_owner'::regrole::oid])""",
    "a policy names its roles, never PUBLIC, and only the four": """
        SELECT name FROM policies p WHERE EXISTS (
            SELECT FROM unnest(p.polroles) r
            WHERE r = 0 OR r::regrole::text <> ALL (%(roles)s))""",
    "only the owner and the system see past the tenant": """
        SELECT name FROM policies
        WHERE has_organization AND (shows = 'true' OR lets_in = 'true')
          AND polroles && ARRAY['tidings_app'::regrole::oid, 'tidings_readonly'::regrole::oid]""",
    "a policy that lets the service change rows has USING and WITH CHECK": """
        SELECT name FROM policies WHERE is_of_app AND (
            (polcmd IN ('w', '*') AND (shows IS NULL OR lets_in IS NULL))
            OR (polcmd IN ('r', 'd') AND shows IS NULL) OR (polcmd = 'a' AND lets_in IS NULL))""",
    "a tenant policy of the service compares organization_id with the current organization": r"""
        SELECT name FROM policies p
        WHERE has_organization AND NOT p.polroles <@ ARRAY(SELECT r::regrole::oid FROM unnest(%(owners)s::text[]) r)
          AND EXISTS (SELECT FROM (VALUES (shows), (lets_in)) AS e (clause) WHERE clause IS NOT NULL
              AND clause !~ 'organization_id = \( SELECT (tidings\.)?current_organization\(\)')""",
    "a policy calls our functions in a sub-select, once a statement and not once a row": r"""
        SELECT name FROM policies CROSS JOIN LATERAL (VALUES (shows), (lets_in)) AS e (clause)
        WHERE regexp_replace(clause, 'SELECT [a-z_.(]*\(\)', '', 'g')
            ~ '(current_organization|acting_user|acting_role|may_write|may_administer|is_service)\(\)'""",
    "what is granted has a policy that lets it happen": """
        SELECT t.name || ': ' || g.privilege || ' to ' || g.role
        FROM tables t CROSS JOIN LATERAL (
            SELECT r.role, v.privilege, v.command FROM unnest(%(roles)s::text[]) AS r (role),
                (VALUES ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd')) AS v (privilege, command)
            WHERE r.role <> 'tidings_owner' AND (has_table_privilege(r.role, t.oid, v.privilege)
               OR (v.privilege <> 'DELETE' AND has_any_column_privilege(r.role, t.oid, v.privilege)))) g
        WHERE NOT EXISTS (SELECT FROM policies p WHERE p.oid = t.oid
            AND g.role::regrole = ANY (p.polroles) AND p.polcmd::text IN (g.command, '*'))""",
    "a table has an organization, or a reason in NOT_OF_A_TENANT": """
        SELECT name FROM tables WHERE NOT has_organization AND name <> ALL (%(global)s)
        UNION ALL
        SELECT g || ' (no longer an exception)' FROM unnest(%(global)s::text[]) AS g
        WHERE g <> ALL (%(unprotected)s) AND NOT EXISTS (SELECT FROM tables t WHERE t.name = g AND NOT t.has_organization)""",
    "organization_id is NOT NULL and leads the primary key": """
        SELECT t.name FROM tenant_tables t
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'organization_id'
        WHERE NOT a.attnotnull OR NOT EXISTS (SELECT FROM pg_constraint k
            WHERE k.conrelid = t.oid AND k.contype = 'p' AND k.conkey[1] = a.attnum)""",
    "a tenant table goes with its organization": """
        SELECT t.name FROM tenant_tables t
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'organization_id'
        WHERE t.name <> ALL (%(with_lane)s) AND NOT EXISTS (SELECT FROM pg_constraint k
            WHERE k.conrelid = t.oid AND k.contype = 'f'
            AND k.confrelid = 'tidings.organizations'::regclass AND k.confdeltype = 'c'
            AND k.conkey = ARRAY[a.attnum])
        UNION ALL
        SELECT w FROM unnest(%(with_lane)s::text[]) AS w
        WHERE NOT EXISTS (SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
            WHERE g.tgrelid = 'tidings.queue_lanes'::regclass AND p.proname = 'close_lane'
            AND p.prosrc LIKE '%%DELETE FROM tidings.' || w || ' %%')""",
    "a foreign key between tenant tables starts with organization_id on both sides": """
        SELECT t.name || '.' || k.conname FROM pg_constraint k
        JOIN tenant_tables t ON t.oid = k.conrelid JOIN tenant_tables o ON o.oid = k.confrelid
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
        WHERE k.contype = 'f' AND (a.attname, b.attname) <> ('organization_id', 'organization_id')""",
    "no foreign key reaches into a tenant table from outside": """
        SELECT t.name || '.' || k.conname FROM pg_constraint k
        JOIN tables t ON t.oid = k.conrelid AND NOT t.has_organization
        JOIN tenant_tables o ON o.oid = k.confrelid WHERE k.contype = 'f'""",
    "a table has a COMMENT that ends with `Retention: ….`": r"""
        SELECT name FROM tables WHERE coalesce(obj_description(oid, 'pg_class'), '') !~ 'Retention: [^:]+\.$'""",
    "a function has a COMMENT": """
        SELECT name FROM functions WHERE coalesce(obj_description(oid, 'pg_proc'), '') = ''""",
    "SECURITY DEFINER is owned by tidings_system with search_path = ''": """
        SELECT name FROM functions WHERE prosecdef
          AND (owner <> 'tidings_system' OR NOT coalesce(proconfig, '{}') @> ARRAY['search_path=""'])""",
    "what tidings_system owns is SECURITY DEFINER": """
        SELECT name FROM functions WHERE owner = 'tidings_system' AND NOT prosecdef""",
    "no function is open to PUBLIC": """
        SELECT f.name FROM functions f, aclexplode(f.acl) x WHERE x.grantee = 0""",
    "the service may not hand out what it was given": """
        SELECT f.name FROM functions f, aclexplode(f.acl) x WHERE x.is_grantable AND x.grantee::regrole::text <> ALL (%(owners)s)
        UNION ALL
        SELECT t.name FROM tables t JOIN pg_class c ON c.oid = t.oid, aclexplode(c.relacl) x
        WHERE x.is_grantable AND x.grantee::regrole::text <> ALL (%(owners)s)""",
    "a table is owned by tidings_owner, anything else by it or by tidings_system": """
        SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'tidings'::regnamespace
          AND c.relkind <> 'i' AND c.relowner <> 'tidings_owner'::regrole
        UNION ALL
        SELECT name FROM functions WHERE owner <> ALL (%(owners)s)
        UNION ALL
        SELECT t.typname::text FROM pg_type t WHERE t.typnamespace = 'tidings'::regnamespace
          AND t.typowner::regrole::text <> ALL (%(owners)s)
        UNION ALL
        SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = 'tidings' AND nspowner <> 'tidings_owner'::regrole""",
    "tidings_app and tidings_readonly own nothing": """
        SELECT pg_describe_object(s.classid, s.objid, 0) FROM pg_shdepend s
        WHERE s.deptype = 'o' AND s.refclassid = 'pg_authid'::regclass
          AND s.refobjid IN ('tidings_app'::regrole, 'tidings_readonly'::regrole)""",
    "none of the four roles is a superuser, bypasses row security or makes roles or databases": """
        SELECT rolname::text FROM pg_roles WHERE rolname = ANY (%(roles)s)
          AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)""",
    "tidings_system cannot log in": """
        SELECT rolname::text FROM pg_roles WHERE rolname = 'tidings_system' AND rolcanlogin""",
    "only tidings_owner is a member of another of the four, of tidings_system": """
        SELECT m.member::regrole || ' in ' || m.roleid::regrole FROM pg_auth_members m
        WHERE m.member::regrole::text = ANY (%(roles)s)
          AND (m.member::regrole::text, m.roleid::regrole::text) <> ('tidings_owner', 'tidings_system')""",
    "nobody but the owner may make things in the schema": """
        SELECT r FROM unnest(%(roles)s::text[]) r WHERE r <> 'tidings_owner' AND has_schema_privilege(r, 'tidings', 'CREATE')""",
    "an index is valid and a constraint is validated": """
        SELECT i.indexrelid::regclass::text FROM pg_index i JOIN tables t ON t.oid = i.indrelid WHERE NOT i.indisvalid
        UNION ALL
        SELECT k.conname::text FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid WHERE NOT k.convalidated""",
}


def broken_rules(connection: psycopg.Connection, only: str | None = None) -> Iterator[str]:
    """`rule: object` for each object that breaks a rule of the catalog, or `only` that rule."""
    params = {
        "unprotected": list(WITHOUT_ROW_SECURITY),
        "global": list(NOT_OF_A_TENANT),
        "with_lane": GOES_WITH_LANE,
        "owners": OWNERS,
        "roles": ROLES,
    }
    for rule, query in RULES.items():
        if only not in (None, rule):
            continue
        for (name,) in connection.execute(f"WITH {_TABLES} {query} ORDER BY 1", params):
            yield f"{rule}: {name}"
