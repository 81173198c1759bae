"""The index in PostgreSQL: its approximate index, its extension, its connections."""

import asyncio
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from runstead.retrieval.index.port import Query, Vectors
from runstead.retrieval.index.postgres import PostgresIndex
from runstead.store.postgres.upgrade import upgrade
from runstead.wire.error import Closed, RunsteadError, Unreachable
from runstead.wire.filter import Filter, LessFilter
from tests.contract.index.passages import NO_VECTORS, chunks_of, entry, fill, found
from tests.support.postgres import place, server
from tests.support.waiting import until

MIGRATION = Path(__file__).parents[3] / "src/runstead/store/migrations/postgres/0022_index.sql"
PER_FILE, FILES, DIMENSION = 100, 12, 384


def clustered(count: int, seed: int) -> Vectors:
    """Vectors around 100 centres, as those of texts about 100 subjects."""
    centres = np.random.default_rng(0).normal(size=(100, DIMENSION))
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(count, DIMENSION))
    return (centres[generator.integers(0, 100, count)] + 0.7 * noise).astype(np.float32)


async def similar(index: PostgresIndex, vector: Vectors, filters: Filter | None = None) -> set[str]:
    query = Query(project="proj_1", store_ids=["vs_1"], text="", vector=vector, limit=10, filters=filters)
    return {hit.chunk.text for hit in await index.search(query)}


async def test_the_approximate_index_finds_the_passages_of_a_scan(tmp_path: Path) -> None:
    schema = place(tmp_path)
    await upgrade(server().url, schema, check=False)
    scanning, asking = PostgresIndex(server().url, schema=schema), PostgresIndex(server().url, schema=schema, exact=0)
    await scanning.start()
    await asking.start()
    for number in range(FILES):
        texts = [f"passage {number} {part}" for part in range(PER_FILE)]
        await scanning.add(entry(f"file_{number}"), chunks_of(texts), clustered(PER_FILE, number))
        await scanning.publish(entry(f"file_{number}"), {"number": number})
    for filters in (None, LessFilter(key="number", value=10), LessFilter(key="number", value=1)):
        pairs = [
            (await similar(scanning, vector, filters), await similar(asking, vector, filters))
            for vector in clustered(20, 1000)
        ]
        assert np.mean([len(exact & approximate) / 10 for exact, approximate in pairs]) >= 0.98

    connection = await asyncpg.connect(server().url, server_settings={"search_path": f"{schema}, public"})
    await connection.execute("SET enable_sort = off; SET enable_bitmapscan = off; SET enable_seqscan = off")
    plan = await connection.fetch(
        "EXPLAIN SELECT id FROM index_vectors WHERE entry = ANY($1) AND dimension = 384 "
        f"ORDER BY embedding::halfvec(384) <#> '{[1] * 384}'::halfvec LIMIT 50",
        list(range(1, FILES)),
    )
    assert any("index_vectors_384" in row[0] for row in plan)

    await scanning.remove_store("proj_1", "vs_1")
    counted = "SELECT (SELECT count(*) FROM index_chunks) + (SELECT count(*) FROM index_vectors)"

    async def empty() -> bool:
        return bool(await connection.fetchval(counted) == 0)

    await until(empty)
    await connection.close()
    await scanning.stop()
    await asking.stop()


async def test_the_error_of_a_missing_extension_names_its_package() -> None:
    script = MIGRATION.read_text().partition("CREATE TABLE")[0]
    connection = await asyncpg.connect(server().url)
    with pytest.raises(
        asyncpg.RaiseError, match=r"install the package postgresql-\d+-pgvector on it, or use the image"
    ):
        await connection.execute(script.replace("'vector'", "'no_such_extension'"))

    await connection.execute("CREATE ROLE plain LOGIN PASSWORD 'pl41n'")
    await connection.execute("CREATE DATABASE plain")
    await connection.execute("REVOKE ALL ON DATABASE plain FROM public; GRANT CONNECT ON DATABASE plain TO plain")
    plain = f"postgresql://plain:pl41n@/plain?host={server().folder}"
    owner = await asyncpg.connect(server().url, database="plain")
    await owner.execute("CREATE SCHEMA runstead AUTHORIZATION plain")
    with pytest.raises(
        RunsteadError, match="an administrator has to run CREATE EXTENSION vector in the database plain"
    ):
        await upgrade(plain, "runstead", check=False)

    # Wherever the administrator creates it.
    await owner.execute('CREATE SCHEMA "my extensions"; GRANT USAGE ON SCHEMA "my extensions" TO plain')
    await owner.execute('CREATE EXTENSION vector SCHEMA "my extensions"')
    assert "0022_index" in await upgrade(plain, "runstead", check=False)
    index = PostgresIndex(plain)
    await index.start()
    await fill(index, entry("file_1"), ["a lark"], seeds=["lark"])
    assert await found(index, "lark", seed="lark") == ["a lark"]
    await index.stop()
    await owner.close()
    await connection.execute("DROP DATABASE plain")
    await connection.execute("DROP ROLE plain")
    await connection.close()


async def test_a_schema_without_the_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunsteadError, match="lacks the tables of the search index: migrate it"):
        await PostgresIndex(server().url, schema=place(tmp_path)).start()
    with pytest.raises(RunsteadError, match="a schema is named in lower case"):
        PostgresIndex(server().url, schema="Not a name")
    with pytest.raises(Unreachable, match="cannot open the search index") as refused:
        await PostgresIndex("postgresql://user:s3cret@127.0.0.1:1/none").start()
    assert "s3cret" not in str(refused.value)
    with pytest.raises(RunsteadError) as invalid:
        await PostgresIndex("postgresql://user:s3cret@127.0.0.1:port/none").start()
    assert "s3cret" not in str(invalid.value)
    with pytest.raises(Closed):
        await PostgresIndex(server().url).size("proj_1", "vs_1")


async def test_attempts_of_two_processes_on_one_file_have_one_winner(tmp_path: Path) -> None:
    schema = place(tmp_path)
    await upgrade(server().url, schema, check=False)
    indexes = [PostgresIndex(server().url, schema=schema) for _ in range(3)]
    for index in indexes:
        await index.start()

    async def attempt(number: int) -> None:
        index = indexes[number % 3]
        what = entry("file_1", str(number))
        try:
            for part in range(3):
                await index.add(what, chunks_of([f"quail {number} {part}"], part), NO_VECTORS)
            await index.publish(what, {"number": number})
        except RunsteadError as error:
            assert "the index has no entry" in str(error)  # noqa: PT017 - another attempt was faster

    async with asyncio.TaskGroup() as tasks:
        for number in range(12):
            tasks.create_task(attempt(number))
    texts = set(await found(indexes[0], "quail"))
    ((_, winner),) = (await indexes[1].published("proj_1", "vs_1")).items()
    assert texts == {f"quail {winner} {part}" for part in range(3)}
    for index in indexes:
        await index.stop()
