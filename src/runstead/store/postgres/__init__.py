"""The store on PostgreSQL, for many processes at once.

A write is one transaction at READ COMMITTED. What it decides by stays true until it is committed, in one of three
ways:

- Locked. `threads.get`, `runs.opening`, `runs.get` and `runs.load` lock their row. A writer that adds to a thread locks
  the thread first, so a message and a run, or a run and the thread's deletion, are serialized. All writers lock in one
  order: thread, run, what belongs to the run, the project's limit. Another order may deadlock; then one of the two
  transactions is undone and run again.
- Guarded. Runs change by their version (`Stale`). Assistants and messages are written back only over the state that was
  read: if another writer was first, the work is run again, and locks what it reads this time.
- A fact of the database: one active run per thread (`ThreadBusy`).

A read is one REPEATABLE READ READ ONLY transaction: a snapshot without locks. A work of a single statement, read or
write, runs without BEGIN and COMMIT.

Identities (`seq`) are given in the order of insertion, which among processes is not the order of commits: an object may
appear in a list behind one that was seen before. Lists are ordered by (created_at, seq) all the same.
"""

from runstead.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
