"""The schema, brought up to date: numbered SQL files, forward only, each in one transaction.

Any number of processes may start at once: one migrates, the others wait for it. Processes of the version before run
on meanwhile, and may even start afterwards. So these rules hold for a migration:

- Add, never rename, never change what exists: the code before must read and write the new schema as if it were the
  old one. A new column has a default or may be NULL.
- One file changes one existing table: writers lock two tables in either order, and would deadlock with it.
- A new index on an existing table is made in a file of its own, which says `-- concurrently` and has nothing but
  `CREATE INDEX CONCURRENTLY IF NOT EXISTS …;` and `DROP INDEX CONCURRENTLY IF EXISTS …;`. It is applied outside of
  transactions, while others write; an index that a killed migration left unfinished is built again. Code may
  need an index for speed alone. The file that adds an index drops the one that it replaces: writers never pay for both.
- A file that changes many rows says `-- rows`. It commits by itself, often, and can be applied again after it was
  killed. A new schema has no rows, so there the file is left out.
- What no code uses any more is removed by a later version, whose migration says `-- oldest: N`: the number of the
  oldest schema whose code can still work. Older code refuses to start from then on.
- A migration that is released is never changed.
"""

import asyncio
import logging
import re
from pathlib import Path

from runstead.store.postgres.connection import PostgresSession
from runstead.store.postgres.failure import Rejected, waited_too_long
from runstead.wire.error import RunsteadError

__all__ = ["Migration", "migrate", "missing"]

_log = logging.getLogger("runstead.store")

_FOLDER = Path(__file__).parents[1] / "migrations" / "postgres"
_OLDEST = re.compile(r"^-- oldest: (\d+)$", re.MULTILINE)
_BESIDE = re.compile(r"^-- concurrently$", re.MULTILINE)
_ROWS = re.compile(r"^-- rows$", re.MULTILINE)
_INDEX = re.compile(r"(?:CREATE INDEX CONCURRENTLY IF NOT EXISTS (\w+)\s+ON|DROP INDEX CONCURRENTLY IF EXISTS) [^;]+;")

_PAUSE = 0.1
"""Seconds between two checks whether the migrating process is done."""

# Polled: a session that waited for the lock in the server would be one more that the building of an index waits for.
_ALONE = "SELECT pg_try_advisory_lock(hashtext('runstead.migrations'), hashtext(:schema))"
_KNOWN = """
SELECT to_regclass('schema_version') IS NOT NULL,
       EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = :schema),
       EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace(:schema)),
       (SELECT NOT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = :schema)
"""
_FIRST = """
CREATE TABLE schema_version (applied integer NOT NULL, oldest integer NOT NULL);
INSERT INTO schema_version VALUES (0, 0);
"""
_HALF_DONE = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid"


class Migration:
    """One file."""

    def __init__(self, file: Path) -> None:
        self.name = file.stem
        self.number = int(file.name[:4])
        self.script = file.read_text(encoding="utf-8")

    @property
    def beside(self) -> bool:
        """It builds indexes while others write."""
        return _BESIDE.search(self.script) is not None

    @property
    def rows(self) -> bool:
        """It changes rows that are there, and commits by itself."""
        return _ROWS.search(self.script) is not None

    @property
    def done(self) -> str:
        """The statement that says that it is applied."""
        oldest = _OLDEST.search(self.script)
        set_oldest = f", oldest = {int(oldest[1])}" if oldest else ""
        return f"UPDATE schema_version SET applied = {self.number}{set_oldest};"  # noqa: S608 - two numbers


async def migrate(session: PostgresSession, schema: str) -> list[Migration]:
    """Apply what is not applied yet, and return it. Refuses as `missing` does.

    Changes settings of the session, which is to be closed afterwards.
    """
    await session.script("SET statement_timeout = 0")
    while await missing(session, schema) and not await _alone(session, schema):  # noqa: ASYNC110 - there is no notification
        await asyncio.sleep(_PAUSE)
    lacking = await missing(session, schema)  # another one may have applied some before it let go
    new = bool(lacking) and lacking[0].number == 1
    if new:
        await _make(session, schema)
    for migration in lacking:
        _log.info("migrating", extra={"schema": schema, "migration": migration.name})
        await _apply(session, schema, migration, new)
    return lacking


async def missing(session: PostgresSession, schema: str) -> list[Migration]:
    """The migrations that are not applied yet. Refuses the schema of a version too new, and that of another program."""
    migrations = [Migration(file) for file in sorted(_FOLDER.glob("*.sql"))]
    versioned, _, used, closed = await session.row(_KNOWN, schema=schema) or (False, False, False, False)
    if not versioned:
        if closed:
            raise RunsteadError(f"the database's user may not use the schema {schema}: GRANT USAGE ON SCHEMA {schema}")
        if used:
            raise RunsteadError(f"the schema {schema} is used by another program")
        return migrations
    applied, oldest = await session.row("SELECT applied, oldest FROM schema_version") or (0, 0)
    if oldest > len(migrations):
        raise RunsteadError(
            f"the schema {schema} serves newer versions of Runstead only "
            f"(schema {oldest} and up; this version has {len(migrations)})"
        )
    return [migration for migration in migrations if migration.number > applied]


async def _alone(session: PostgresSession, schema: str) -> bool:
    """Be the one that migrates; it ends with the session."""
    row = await session.row(_ALONE, schema=schema)
    return row is not None and bool(row[0])


async def _make(session: PostgresSession, schema: str) -> None:
    versioned, exists, *_ = await session.row(_KNOWN, schema=schema) or (False, False)
    if not versioned:
        make = "" if exists else f"CREATE SCHEMA {schema};"
        await session.script(f"BEGIN;\n{make}\n{_FIRST}\nCOMMIT;")


async def _apply(session: PostgresSession, schema: str, migration: Migration, new: bool) -> None:
    """Apply a migration. A schema that is `new` has no other writers, and no rows."""
    script = migration.script
    if migration.beside:
        script = script.replace(" CONCURRENTLY ", " ") if new else await _build(session, schema, script)
    # Statements queue behind a migration that waits for a table: so it fails instead, and may be started again.
    await session.script("SET lock_timeout = '3s'")
    try:
        if migration.rows:
            if not new:
                await session.script(script)
            script = ""
        await session.script(f"BEGIN;\n{script}\n{migration.done}\nCOMMIT;")
    except Rejected as error:
        if not waited_too_long(error):
            raise
        raise RunsteadError(
            f"the migration {migration.name} of the schema {schema} needs a table that another transaction holds, "
            f"perhaps a back-up; nothing was changed, try again later ({error})"
        ) from error


async def _build(session: PostgresSession, schema: str, script: str) -> str:
    """Build and drop indexes while others write. Returns what is left for a transaction: an empty script.

    It waits for the transactions that are open now, and no transaction waits for it.
    """
    await session.script("SET lock_timeout = 0")
    for statement in _INDEX.finditer(script):
        if statement[1] is not None:
            name = f"{schema}.{statement[1]}"
            if await session.row(_HALF_DONE, name=name):
                _log.info("dropping an unfinished index", extra={"index": name})
                await session.script(f"DROP INDEX CONCURRENTLY {name}")
            _log.info("building an index", extra={"index": name})
        await session.script(statement[0])
    return ""
