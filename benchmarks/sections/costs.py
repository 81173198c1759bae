"""Costs of one run in a cluster, and of an idle cluster: statements, transactions and messages.

A statement outside of BEGIN and COMMIT is a transaction too. Transactions are therefore counted by the server: those
that write or lock rows by the numbers that they take, and all of them by its statistics.
"""

import asyncio
from http.client import HTTPConnection
from time import perf_counter
from typing import Any, NamedTuple

import msgspec

from benchmarks import processes
from benchmarks.installation import Installation, engines, installation
from benchmarks.load import connections
from benchmarks.plan import Plan
from benchmarks.processes import HOST
from benchmarks.report import Findings
from benchmarks.sections.cluster import target_of
from benchmarks.targets import Cluster

APIS, WORKERS = 1, 2
IDLE = 5.0
"""Seconds."""
SETTLING = 11.0
"""Seconds after which PostgreSQL has counted the transactions of connections that lie idle."""
WARM_UP = 50
COUNTED = """
SELECT (sum(calls) FILTER (WHERE query NOT LIKE '%pg_stat%'))::bigint AS "statements, BEGIN and COMMIT included",
       txid_snapshot_xmax(txid_current_snapshot()) AS "transactions that write or lock",
       (SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database())
           AS "transactions, those of one statement included",
       pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS "bytes of WAL",
       (SELECT sum(pg_total_relation_size(oid)) FROM pg_class
         WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r')::bigint AS "bytes of tables and indexes"
  FROM pg_stat_statements
"""


class Varz(msgspec.Struct):
    """Messages that NATS has received and sent."""

    in_msgs: int
    out_msgs: int
    in_bytes: int
    out_bytes: int


class Spent(NamedTuple):
    """Counters of all servers over a number of seconds."""

    seconds: float
    amounts: dict[str, float]


async def measure(plan: Plan) -> Findings:
    with (
        processes.small_server("fake_model") as model,
        engines(plan.disk, shared_preload_libraries="pg_stat_statements") as on,
        installation(on, model, plan.disk / "costs", apis=APIS, workers=WORKERS) as here,
    ):
        sql = await here.sql()
        await sql.execute("CREATE EXTENSION pg_stat_statements SCHEMA public")
        target = await target_of(here)
        await runs(target, WARM_UP, 16)
        await asyncio.sleep(SETTLING)  # what was offered and is done already is cleared away, too
        idle = await spent(here, sql, asyncio.sleep(IDLE))
        one_by_one = await spent(here, sql, runs(target, plan.counted, 1))
        together = await spent(here, sql, runs(target, plan.counted, 16))
        await sql.close()
    found = Findings(
        f"What a run costs, with {APIS} api and {WORKERS} workers", ("", "a run at 1", "a run at 16", "idle, a second")
    )
    for name, at_rest in idle.amounts.items():
        rest = at_rest / idle.seconds
        found.row(
            name, *((one.amounts[name] - rest * one.seconds) / plan.counted for one in (one_by_one, together)), rest
        )
    return found


async def runs(target: Cluster, count: int, at_once: int) -> None:
    """So many runs, every one of them checked."""
    async with connections(target.ports, at_once) as opened, asyncio.timeout(120):
        free = asyncio.Queue[Any]()
        for connection in opened:
            free.put_nowait(connection)

        async def work() -> None:
            connection = await free.get()
            target.check_run(await target.run(connection))
            free.put_nowait(connection)

        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(work())


async def spent(here: Installation, sql: Any, work: Any) -> Spent:
    """The costs of the work."""
    before, started = await amounts(here, sql), perf_counter()
    await work
    await asyncio.sleep(SETTLING)
    after, seconds = await amounts(here, sql), perf_counter() - started
    return Spent(seconds, {name: after[name] - before[name] for name in after})


async def amounts(here: Installation, sql: Any) -> dict[str, float]:
    """The counters so far."""
    counted = {f"PostgreSQL: {name}": float(value or 0) for name, value in (await sql.fetchrow(COUNTED)).items()}
    told = varz(here.engines.monitor)
    counted |= {f"NATS: messages {way}": getattr(told, f"{way}_msgs") for way in ("in", "out")}
    counted |= {f"NATS: bytes {way}": getattr(told, f"{way}_bytes") for way in ("in", "out")}
    return counted | {f"CPU: ms of {part}": 1000 * seconds for part, seconds in here.cpu().items()}


def varz(port: int) -> Varz:
    asking = HTTPConnection(HOST, port, timeout=5)
    asking.request("GET", "/varz")
    answer = asking.getresponse().read()
    asking.close()
    return msgspec.json.decode(answer, type=Varz)
