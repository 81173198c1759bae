"""The schema, brought up to date: numbered SQL files, forward only, each in one transaction.

Any number of processes may start at once: one migrates, the others wait for it. Processes of the version before go on
while it happens, and may even start anew afterwards. Therefore the rule for a migration:

- Add, never rename, never change what is there: the code before must read and write the new schema as if it were the
  old one. A new column has a default or may be NULL; a new index is made on a new table, or by hand beforehand
  (`CREATE INDEX CONCURRENTLY`, and `IF NOT EXISTS` in the migration), because building it here stops all writes.
- What no code uses any more is removed by a later version, whose migration says `-- oldest: N`: the number of the
  oldest schema whose code can still work. Older code refuses to start from then on.
- A migration that is released is never changed.
"""

import re
from pathlib import Path

from runstead.store.postgres.connection import PostgresSession
from runstead.wire.error import RunsteadError

__all__ = ["migrate"]

_FOLDER = Path(__file__).parents[1] / "migrations" / "postgres"
_OLDEST = re.compile(r"^-- oldest: (\d+)$", re.MULTILINE)

_ALONE = "SELECT pg_advisory_lock(hashtext('runstead.migrations'), hashtext(:schema))"
_KNOWN = """
SELECT to_regclass('schema_version') IS NOT NULL,
       EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = :schema),
       EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace(:schema))
"""
_FIRST = """
CREATE TABLE schema_version (applied integer NOT NULL, oldest integer NOT NULL);
INSERT INTO schema_version VALUES (0, 0);
"""


async def migrate(session: PostgresSession, schema: str) -> None:
    """Apply what is not applied yet. Refuses the schema of a version too new, and that of another program.

    Changes settings of the session, which is to be closed afterwards.
    """
    files = sorted(_FOLDER.glob("*.sql"))
    await session.script("SET statement_timeout = 0")
    await session.row(_ALONE, schema=schema)
    # Behind a migration that waits for a table everyone else waits for it, too: rather fail, and be started again.
    await session.script("SET lock_timeout = '10s'")
    applied, oldest = await _state(session, schema)
    if oldest > len(files):
        raise RunsteadError(
            f"the schema {schema} serves newer versions of Runstead only "
            f"(schema {oldest} and up; this version knows {len(files)})"
        )
    for number, file in enumerate(files[applied:], applied + 1):
        script = file.read_text(encoding="utf-8")
        named = _OLDEST.search(script)
        oldest = int(named[1]) if named else oldest
        done = f"UPDATE schema_version SET applied = {number}, oldest = {oldest};"  # noqa: S608 - two numbers
        await session.script(f"BEGIN;\n{script}\n{done}\nCOMMIT;")


async def _state(session: PostgresSession, schema: str) -> tuple[int, int]:
    """The number of the last migration applied, and of the oldest schema whose code can still work."""
    versioned, exists, used = await session.row(_KNOWN, schema=schema) or (False, False, False)
    if not versioned:
        if used:
            raise RunsteadError(f"the schema {schema} is used by another program")
        make = "" if exists else f"CREATE SCHEMA {schema};"
        await session.script(f"BEGIN;\n{make}\n{_FIRST}\nCOMMIT;")
    applied, oldest = await session.row("SELECT applied, oldest FROM schema_version") or (0, 0)
    return applied, oldest
