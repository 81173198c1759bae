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

Lists are ordered by `seq`, an identity that the database gives at insertion. Messages and runs of a thread, and steps
of a run, are inserted under one lock, so their order is that of the commits. Among writers that share no lock, as those
of two threads, it is not: an object may appear in a list behind one that was seen before.
"""

from runstead.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
