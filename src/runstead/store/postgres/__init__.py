"""The store on PostgreSQL, for many processes at once.

A write is one transaction at READ COMMITTED. What it decides by stays true until it is committed, in one of three
ways:

- Held. `threads.get`, `runs.get` and `runs.load` lock their row. Who adds to a thread got the thread first, so a
  message and a run, or a run and the thread's deletion, come one after the other. Everyone holds in one order: thread,
  run, then what belongs to the run. Another order may deadlock; then one of the two is undone, and run again.
- Guarded. Runs move by their version (`Stale`). Assistants and messages are written back only over the state that was
  read: if someone was first, the work is run again, and holds what it reads this time.
- A fact of the database: one active run per thread (`ThreadBusy`).

A read is one REPEATABLE READ READ ONLY transaction: a snapshot, and it holds nothing.

Identities (`seq`) are given in the order of insertion, which among processes is not the order of commits: an object may
appear in a list behind one that was seen before. Lists are ordered by (created_at, seq) all the same.
"""

from runstead.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
