-- name: roles
-- The four roles: what they may do beside their grants, and which of the others each belongs to.
SELECT 'role' AS kind, r.rolname::text AS name,
    concat_ws(', ',
        CASE WHEN r.rolsuper THEN 'superuser' ELSE 'no superuser' END,
        CASE WHEN r.rolbypassrls THEN 'bypasses row security' ELSE 'obeys row security' END,
        CASE WHEN r.rolcreaterole THEN 'creates roles' END,
        CASE WHEN r.rolcreatedb THEN 'creates databases' END,
        'member of ' || (
            SELECT string_agg(g.rolname::text, ' ' ORDER BY g.rolname)
            FROM pg_catalog.pg_auth_members AS m JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
            WHERE m.member = r.oid
                AND g.rolname IN ('tidings_owner', 'tidings_app', 'tidings_system', 'tidings_readonly'))) AS definition
FROM pg_catalog.pg_roles AS r
WHERE r.rolname IN ('tidings_owner', 'tidings_app', 'tidings_system', 'tidings_readonly')

-- name: relations
-- Tables, views and sequences: owner, persistence, row security and storage options.
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' ELSE 'table' END AS kind,
    c.relname::text AS name,
    concat_ws(', ',
        'owner ' || pg_catalog.pg_get_userbyid(c.relowner),
        CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
        CASE WHEN c.relrowsecurity THEN 'row security on' END,
        CASE WHEN c.relforcerowsecurity THEN 'forced' END,
        CASE c.relkind WHEN 'f' THEN 'foreign' WHEN 'p' THEN 'partitioned' END,
        array_to_string(c.reloptions, ' '),
        (SELECT concat_ws(' ', pg_catalog.format_type(s.seqtypid, NULL), 'from', s.seqstart, 'by', s.seqincrement,
             CASE WHEN s.seqcycle THEN 'cycle' END)
         FROM pg_catalog.pg_sequence AS s WHERE s.seqrelid = c.oid),
        CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END) AS definition
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'tidings' AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')

-- name: columns
-- Columns: type, collation, nullability, default, identity.
SELECT 'column' AS kind, c.relname || '.' || a.attname AS name,
    concat_ws(' ',
        pg_catalog.format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || co.collname END,
        CASE WHEN a.attnotnull THEN 'not null' END,
        CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
        CASE WHEN a.attgenerated <> '' THEN 'generated' END,
        'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)) AS definition
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = a.attcollation
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname = 'tidings' AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped

-- name: constraints
-- Keys, foreign keys and checks; NOT NULL is told by the column, on every release of PostgreSQL.
SELECT 'constraint' AS kind, coalesce(c.relname, t.typname) || '.' || k.conname AS name,
    pg_catalog.pg_get_constraintdef(k.oid) AS definition
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
WHERE n.nspname = 'tidings' AND k.contype NOT IN ('n', 't')

-- name: indexes
-- Indexes that no constraint made.
SELECT 'index' AS kind, c.relname::text AS name,
    concat_ws(', ', pg_catalog.pg_get_indexdef(i.indexrelid), CASE WHEN NOT i.indisvalid THEN 'invalid' END) AS definition
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'tidings'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
                    WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))

-- name: functions
-- Functions: arguments, result, how they run, who owns them, and a hash of the body.
SELECT 'function' AS kind, p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS name,
    concat_ws(', ',
        'takes (' || pg_catalog.pg_get_function_arguments(p.oid) || ')',
        'returns ' || pg_catalog.pg_get_function_result(p.oid),
        l.lanname::text,
        CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
        'parallel ' || CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END,
        CASE WHEN p.proisstrict THEN 'strict' END,
        CASE WHEN p.proleakproof THEN 'leakproof' END,
        CASE WHEN p.prosecdef THEN 'security definer' END,
        array_to_string(p.proconfig, ' '),
        'owner ' || pg_catalog.pg_get_userbyid(p.proowner),
        'body ' || left(encode(sha256(convert_to(
            -- Each release of PostgreSQL sets the parentheses of a body in standard SQL its own way.
            coalesce(regexp_replace(pg_catalog.pg_get_function_sqlbody(p.oid), '[\s()]', '', 'g'),
                     replace(p.prosrc, E'\r', '')), 'UTF8')), 'hex'), 16)) AS definition
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
WHERE n.nspname = 'tidings'

-- name: triggers
-- Triggers, and whether they are switched on.
SELECT 'trigger' AS kind, c.relname || '.' || t.tgname AS name,
    concat_ws(', ', pg_catalog.pg_get_triggerdef(t.oid),
        CASE t.tgenabled WHEN 'O' THEN NULL WHEN 'D' THEN 'disabled' ELSE 'enabled ' || t.tgenabled::text END) AS definition
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'tidings' AND NOT t.tgisinternal

-- name: policies
-- Row security policies: command, roles, which rows they show and which they let in.
SELECT 'policy' AS kind, c.relname || '.' || p.polname AS name,
    concat_ws(' ',
        CASE WHEN NOT p.polpermissive THEN 'restrictive' END,
        CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
        'to',
        (SELECT string_agg(u.role, ' ' ORDER BY u.role) FROM (
            SELECT CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(r)::text END AS role
            FROM unnest(p.polroles) AS r) AS u),
        'using ' || pg_catalog.pg_get_expr(p.polqual, p.polrelid),
        'check ' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)) AS definition
FROM pg_catalog.pg_policy AS p
JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'tidings'

-- name: types
-- Types of their own: enums, domains and ranges.
SELECT 'type' AS kind, t.typname::text AS name,
    concat_ws(', ',
        'owner ' || pg_catalog.pg_get_userbyid(t.typowner),
        CASE t.typtype WHEN 'd' THEN 'domain over ' || pg_catalog.format_type(t.typbasetype, t.typtypmod) WHEN 'r' THEN 'range' END,
        (SELECT string_agg(e.enumlabel::text, ' ' ORDER BY e.enumsortorder)
         FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid)) AS definition
FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
WHERE n.nspname = 'tidings' AND t.typtype IN ('d', 'e', 'r')

-- name: grants
-- What each role beside the owner was granted; a function that nobody restricted is open to PUBLIC.
WITH objects AS (
    SELECT 'schema' AS what, n.nspname::text AS name, n.nspowner AS owner, n.nspacl AS acl
    FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'tidings'
    UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, c.relname::text, c.relowner, c.relacl
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'tidings' AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    UNION ALL
    SELECT 'column', c.relname || '.' || a.attname, c.relowner, a.attacl
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'tidings' AND a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'function', p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
        p.proowner, coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = 'tidings'
)
SELECT 'grant' AS kind,
    o.what || ' ' || o.name || ' to '
        || CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(x.grantee)::text END AS name,
    string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END, ', '
        ORDER BY x.privilege_type) AS definition
FROM objects AS o CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) AS x
WHERE x.grantee <> o.owner
GROUP BY o.what, o.name, x.grantee

-- name: defaults
-- Default privileges of the owning roles: with an entry here new functions are not open to PUBLIC.
SELECT 'default' AS kind,
    concat_ws(' ', 'privileges of', pg_catalog.pg_get_userbyid(d.defaclrole), 'for', d.defaclobjtype::text,
        'in ' || n.nspname) AS name,
    array_to_string(d.defaclacl, ' ') AS definition
FROM pg_catalog.pg_default_acl AS d LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
WHERE pg_catalog.pg_get_userbyid(d.defaclrole) IN ('tidings_owner', 'tidings_system')

-- name: comments
-- What is said of each object.
SELECT 'comment' AS kind,
    CASE o.type WHEN 'table column' THEN 'column ' ELSE o.type || ' ' END || o.identity AS name,
    regexp_replace(d.description, '\s+', ' ', 'g') AS definition
FROM pg_catalog.pg_description AS d
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) AS o
WHERE o.schema = 'tidings' OR starts_with(o.identity, 'tidings.')
    OR position(' on tidings.' IN o.identity) > 0
