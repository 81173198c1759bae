"""Failures of a transaction, by their remedy.

Failure
├── Overtaken     another transaction was first: everything is undone, run it again
├── Lost          the connection is closed, or there is none: everything is undone, run it again when there is one
├── Unsure        the connection was lost during a commit: it may be done or not, so it cannot be run again
├── Overloaded    too many wait, or there is no room: everything is undone, and a later try may succeed
│   └── Full      the server's disk or memory is full
└── Rejected      the database refuses: an error for the caller
"""

import asyncpg

__all__ = [
    "DATABASE_ERRORS",
    "Failure",
    "Full",
    "Lost",
    "Overloaded",
    "Overtaken",
    "Rejected",
    "Unsure",
    "failure",
    "is_read_only",
    "waited_too_long",
]

DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""Errors of asyncpg, and of the sockets below it. (A timeout is an `OSError`.)"""

_OVERTAKEN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    OSError,
)
_FULL = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError, asyncpg.PostgresSystemError)


class Failure(Exception):
    """A statement, or the transaction as a whole, failed."""


class Overtaken(Failure):
    """Another transaction was first."""


class Lost(Failure):
    """The connection is closed, or there is none."""


class Unsure(Failure):
    """The connection was lost during a commit."""


class Overloaded(Failure):
    """Too many transactions wait: a connection or a lock was not free in time."""


class Full(Overloaded):
    """The server's disk or memory is full, or fails."""


class Rejected(Failure):
    """The database refuses."""


def failure(error: BaseException, *, closed: bool = False) -> Failure:
    """Classify an error. `closed` says whether its connection is closed."""
    if isinstance(error, _OVERTAKEN):
        return Overtaken(error)
    if closed or isinstance(error, _LOST):
        return Lost(error)
    if isinstance(error, _FULL) or _is_over_quota(error):
        return Full(error)
    if isinstance(error, asyncpg.QueryCanceledError):  # by `statement_timeout`
        return Overloaded(error)
    return Rejected(error)


def _is_over_quota(error: BaseException) -> bool:
    """A quota or another limit of the file system: PostgreSQL has no code for it, and gives this hint."""
    return isinstance(error, asyncpg.InternalServerError) and "free disk space" in (error.hint or "")


def is_read_only(error: Failure) -> bool:
    """A statement that writes was sent to a server, or a role, that only reads."""
    return isinstance(error.__cause__, asyncpg.ReadOnlySQLTransactionError)


def waited_too_long(error: Failure) -> bool:
    """A statement stopped waiting for the lock of another transaction."""
    return isinstance(error.__cause__, asyncpg.LockNotAvailableError)
