"""The catalog of a migrated database keeps the rules; a table that breaks one is named."""

import psycopg
import pytest

from contract.catalog import RULES, broken_rules


def test_the_migrated_schema_keeps_every_rule(schema: psycopg.Connection) -> None:
    assert list(broken_rules(schema)) == []


BREAKS = {
    "row security is enabled and forced": ("CREATE TABLE tidings.bad (id int)"),
    "the owner has a USING (true) policy, or backfills touch nothing": (
        "DROP POLICY owner_all ON tidings.meetings"
    ),
    "a policy names its roles, never PUBLIC, and only the four": (
        "CREATE POLICY everyone ON tidings.meetings FOR SELECT USING (false)"
    ),
    "only the owner and the system see past the tenant": (
        "CREATE POLICY leak ON tidings.meetings FOR SELECT TO tidings_app USING (true)"
    ),
    "a policy that lets the service change rows has USING and WITH CHECK": (
        "CREATE POLICY half ON tidings.meetings FOR UPDATE TO tidings_app USING "
        "(organization_id = (SELECT tidings.current_organization()))"
    ),
    "a tenant policy of the service compares organization_id with the current organization": (
        "CREATE POLICY own ON tidings.meetings FOR SELECT TO tidings_app USING (id = "
        "(SELECT tidings.acting_user()))"
    ),
    "a policy calls our functions in a sub-select, once a statement and not once a row": (
        "CREATE POLICY slow ON tidings.meetings FOR SELECT TO tidings_app USING "
        "(organization_id = (SELECT tidings.current_organization()) AND "
        "tidings.may_write())"
    ),
    "what is granted has a policy that lets it happen": (
        "GRANT DELETE ON tidings.token_usage TO tidings_app"
    ),
    "a table has an organization, or a reason in NOT_OF_A_TENANT": (
        "CREATE TABLE tidings.bad (id int)"
    ),
    "organization_id is NOT NULL and leads the primary key": (
        "CREATE TABLE tidings.bad (id int, organization_id uuid, PRIMARY KEY (id, organization_id))"
    ),
    "a tenant table goes with its organization": (
        "CREATE TABLE tidings.bad (organization_id uuid PRIMARY KEY)"
    ),
    "a foreign key between tenant tables starts with organization_id on both sides": (
        "CREATE UNIQUE INDEX turned ON tidings.meetings (id, organization_id); ALTER "
        "TABLE tidings.companies ADD meeting_id uuid, ADD CONSTRAINT turned FOREIGN KEY "
        "(meeting_id, organization_id) REFERENCES tidings.meetings (id, organization_id)"
    ),
    "no foreign key reaches into a tenant table from outside": (
        "ALTER TABLE tidings.cron_ticks ADD organization_id_ uuid, ADD meeting uuid, ADD "
        "FOREIGN KEY (organization_id_, meeting) REFERENCES tidings.meetings "
        "(organization_id, id)"
    ),
    "a table has a COMMENT that ends with `Retention: ….`": (
        "COMMENT ON TABLE tidings.meetings IS 'Meetings.'"
    ),
    "a function has a COMMENT": ("COMMENT ON FUNCTION tidings.now() IS NULL"),
    "SECURITY DEFINER is owned by tidings_system with search_path = ''": (
        "ALTER FUNCTION tidings.now() SECURITY DEFINER"
    ),
    "what tidings_system owns is SECURITY DEFINER": (
        "ALTER FUNCTION tidings.now() OWNER TO tidings_system"
    ),
    "no function is open to PUBLIC": ("GRANT EXECUTE ON FUNCTION tidings.now() TO PUBLIC"),
    "the service may not hand out what it was given": (
        "GRANT SELECT ON tidings.meetings TO tidings_app WITH GRANT OPTION"
    ),
    "a table is owned by tidings_owner, anything else by it or by tidings_system": (
        "ALTER TABLE tidings.meetings OWNER TO tidings_app"
    ),
    "tidings_app and tidings_readonly own nothing": (
        "CREATE TABLE public.stray (id int); ALTER TABLE public.stray OWNER TO tidings_app"
    ),
    "none of the four roles is a superuser, bypasses row security or makes roles or databases": (
        "ALTER ROLE tidings_app BYPASSRLS"
    ),
    "tidings_system cannot log in": ("ALTER ROLE tidings_system LOGIN"),
    "only tidings_owner is a member of another of the four, of tidings_system": (
        "GRANT tidings_owner TO tidings_app"
    ),
    "nobody but the owner may make things in the schema": (
        "GRANT CREATE ON SCHEMA tidings TO tidings_system"
    ),
    "an index is valid and a constraint is validated": (
        "ALTER TABLE tidings.meetings ADD CHECK (title <> 'x') NOT VALID"
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_notices_what_breaks_it(schema: psycopg.Connection, rule: str) -> None:
    schema.execute(BREAKS[rule].encode())
    assert list(broken_rules(schema, rule))
