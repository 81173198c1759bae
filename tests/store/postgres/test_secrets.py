"""The password is in the URL, and nowhere else."""

import logging
import traceback
from urllib.parse import quote

import pytest

from runstead.store.postgres import PostgresStore
from runstead.store.postgres.address import Address
from runstead.wire.error import Closed, RunsteadError
from tests.store.things import find_thread
from tests.support.postgres import PASSWORD, server

SECRET = "hunter2/#@:?"


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def hidden(text: str) -> bool:
    return not any(part in text for part in (SECRET, quote(SECRET, safe=""), PASSWORD, quote(PASSWORD), "hunter2"))


async def test_a_store_never_shows_its_password() -> None:
    store = PostgresStore(server().url)
    assert hidden(repr(store) + str(store) + repr(store._address) + str(store._address))
    with pytest.raises(Closed) as closed:
        await store.read(find_thread())
    assert hidden(told(closed.value))


async def test_a_wrong_password_is_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = server().url.replace(quote(PASSWORD, safe=""), quote(SECRET, safe=""))
    with pytest.raises(RunsteadError, match="cannot open .*password authentication failed") as error:
        await PostgresStore(url).start()
    assert hidden(told(error.value) + caplog.text)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@host:port/db",
        "postgresql://me:hunter2/x@host/db",
        "postgresql://me:12345/hunter2@host/db",
        "postgresql://me:hunter2#x@host/db",
        "postgresql://me:12345#hunter2@host/db",
        "postgresql://me:12345?hunter2@host/db",
        "postgresql://me@host/db?password=hunter2",
        "postgresql://me:hunter2@[host/db",
        "mysql://me:hunter2@host/db",
        "hunter2",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(RunsteadError, match="database.s URL") as error:
        PostgresStore(url)
    assert hidden(told(error.value))


@pytest.mark.parametrize("options", ["sslmode=hunter2", "port=hunter2"])
async def test_options_that_make_no_sense_are_an_error(options: str) -> None:
    with pytest.raises(RunsteadError, match="cannot open"):
        await PostgresStore(f"postgresql://me:{quote(SECRET, safe='')}@127.0.0.1:9/db?{options}", patience=0.1).start()


async def test_a_server_that_is_not_there_is_named_without_password(caplog: pytest.LogCaptureFixture) -> None:
    store = PostgresStore(f"postgres://me:{quote(SECRET, safe='')}@127.0.0.1:9/db", patience=0.1)
    with pytest.raises(RunsteadError, match="cannot open postgresql://127.0.0.1:9/db") as error:
        await store.start()
    assert hidden(told(error.value) + caplog.text)


def test_words_of_others_are_cleaned() -> None:
    address = Address(f"postgresql://me:{quote(SECRET, safe='')}@host/db")
    assert address.clean(f"no {SECRET}, no {quote(SECRET, safe='')}") == "no …, no …"


@pytest.mark.parametrize("schema", ["", "Runs", "a b", 'a"; DROP SCHEMA x', "1st", "x" * 64])
def test_a_schema_that_needs_quotes_is_refused(schema: str) -> None:
    with pytest.raises(RunsteadError, match="schema"):
        PostgresStore(server().url, schema=schema)


@pytest.mark.parametrize(
    ("url", "shown"),
    {
        "postgresql://me:secret@host:5432/db": "postgresql://host:5432/db",
        "postgres://me:secret@one:1,two:2/db?target_session_attrs=primary": "postgresql://one:1,two:2/db",
        "postgresql://me:sec:ret@[::1]:5432/db": "postgresql://[::1]:5432/db",
        "postgresql://me@host": "postgresql://host",
        "postgresql:///db?host=/run/postgresql": "postgresql:///db",
    }.items(),
)
def test_a_shown_url_has_the_server_and_the_database(url: str, shown: str) -> None:
    assert str(Address(url)) == shown
