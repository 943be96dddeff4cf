"""What the database is told once: tables, guards and rights, in its own language.

The database recomputes every digest and looks at every link by itself, so that neither a faulty
follower nor anybody else who may insert can put in a record that does not belong there.
"""

from typing import Final

from bot4_core.audit import FORMAT, GENESIS

__all__ = ["CREATED", "GUARDS", "TRIGGERS", "creation", "grants"]

CREATED: Final = "bot4 audit records, schema 1"
"""The comment on the table, by which it is known again."""
TRIGGERS: Final = 2

_DIGEST: Final = """CREATE FUNCTION {schema}.record_digest(sequence bigint, wall_time bigint,
  event_time bigint, run text, kind text, actor text, correlation text, payload text,
  previous bytea) RETURNS bytea LANGUAGE sql STABLE
RETURN sha256('\\x02'::bytea || int2send({format}::smallint) || previous || int8send(sequence)
  || int8send(wall_time) || int8send(event_time)
  || int4send(octet_length(run)) || int4send(octet_length(kind)) || int4send(octet_length(actor))
  || int4send(octet_length(correlation)) || int8send(octet_length(payload)::bigint)
  || convert_to(run || kind || actor || correlation || payload, 'UTF8'))"""

_TABLE: Final = """CREATE TABLE {schema}.records (
  sequence bigint PRIMARY KEY CHECK (sequence > 0),
  wall_time bigint NOT NULL,
  event_time bigint NOT NULL,
  run text NOT NULL,
  kind text NOT NULL,
  actor text NOT NULL,
  correlation text NOT NULL,
  payload text NOT NULL,
  previous bytea NOT NULL CHECK (octet_length(previous) = 32),
  digest bytea NOT NULL,
  CONSTRAINT digest_is_that_of_the_content CHECK (digest = {schema}.record_digest(
    sequence, wall_time, event_time, run, kind, actor, correlation, payload, previous))
)"""

_STAY: Final = (
    """CREATE FUNCTION {schema}.records_stay() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
BEGIN RAISE EXCEPTION 'audit records are append-only'; END $$""",
    """CREATE TRIGGER records_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.records
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.records_stay()""",
    "ALTER TABLE {schema}.records ENABLE ALWAYS TRIGGER records_stay",
)

_CONTINUE: Final = (
    """CREATE FUNCTION {schema}.records_continue() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog SET enable_seqscan = off AS $$
DECLARE misfit bigint;
BEGIN
  SELECT min(added.sequence) INTO misfit FROM added WHERE added.previous IS DISTINCT FROM
    CASE added.sequence WHEN 1 THEN '\\x{genesis}'::bytea
      ELSE (SELECT digest FROM {schema}.records WHERE sequence = added.sequence - 1) END;
  IF misfit IS NOT NULL THEN
    RAISE EXCEPTION 'audit record % does not link to the record before it', misfit
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$""",
    """CREATE TRIGGER records_continue AFTER INSERT ON {schema}.records
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.records_continue()""",
    "ALTER TABLE {schema}.records ENABLE ALWAYS TRIGGER records_continue",
)

_FAULTS: Final = """CREATE VIEW {schema}.faults AS
SELECT sequence, CASE
    WHEN sequence <> before + 1 THEN 'a record is missing before it'
    WHEN previous <> head THEN 'does not link to the record before it'
    ELSE 'content and digest differ' END AS fault
FROM (SELECT *, coalesce(lag(sequence) OVER in_order, 0) AS before,
    coalesce(lag(digest) OVER in_order, '\\x{genesis}'::bytea) AS head
  FROM {schema}.records WINDOW in_order AS (ORDER BY sequence)) AS linked
WHERE sequence <> before + 1 OR previous <> head OR digest <> {schema}.record_digest(
  sequence, wall_time, event_time, run, kind, actor, correlation, payload, previous)"""

_STATEMENTS: Final = (
    "CREATE SCHEMA IF NOT EXISTS {schema}",
    _DIGEST,
    _TABLE,
    *_STAY,
    *_CONTINUE,
    _FAULTS,
    "COMMENT ON TABLE {schema}.records IS '" + CREATED + "'",
)

GUARDS: Final = """SELECT obj_description(oid, 'pg_class'),
  (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid AND tgenabled = 'A'),
  has_table_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE')
    OR has_table_privilege(oid, 'TRUNCATE')
FROM pg_class AS c WHERE oid = $1"""
"""Of the table: its comment, how many triggers cannot be switched off by a session, and whether the
role in force could do more than insert."""


def creation(schema: str) -> list[str]:
    """Return the statements that make a schema for one log."""
    words = {"schema": schema, "format": FORMAT, "genesis": GENESIS.hex()}
    return [statement.format(**words) for statement in _STATEMENTS]


def grants(schema: str, writer: str) -> list[str]:
    """Return the statements that let a role insert and read, and nothing else."""
    return [
        f"GRANT USAGE ON SCHEMA {schema} TO {writer}",
        f"GRANT SELECT, INSERT ON {schema}.records TO {writer}",
        f"GRANT SELECT ON {schema}.faults TO {writer}",
    ]
