"""A run of many tool rounds: a round costs no more the longer the run is."""

from pathlib import Path

from runstead.domain.chat import prompt, tokens
from runstead.domain.run import usage
from runstead.domain.run.journal import StepLog, StepRow, fold
from runstead.engine.execution.journal import Journal
from runstead.engine.execution.journal_cache import JournalCache
from runstead.llm.scripted import Turn, call
from runstead.store.sqlite import SqliteStore
from runstead.wire.run import Usage
from tests.domain.things import call as call_of
from tests.domain.things import calls_step, message, text_step
from tests.store.things import step_row
from tests.support.worlds import WEATHER, world

ROUNDS = 40
ALL_STEPS = "SELECT body, journal FROM steps WHERE run_id = "


async def test_a_late_round_reads_few_steps(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "runstead.db")
    turns: list[Turn] = [*[call("weather", city="Rome")] * ROUNDS, "Sunny."]
    async with world(turns, store=store) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        statements: list[str] = []
        assert store._reader is not None
        assert store._writer is not None
        for number in range(1, ROUNDS + 1):
            if number == ROUNDS - 5:
                for connection in (store._reader._connection, store._writer._connection):
                    connection.set_trace_callback(statements.append)
            run = await here.ended(await here.submit(run))
        assert run.status == "completed"
        assert not [each for each in statements if each.startswith(ALL_STEPS) and "LIMIT" not in each]
        assert [each for each in statements if each.startswith(ALL_STEPS) and "LIMIT" in each]
        assert len(here.model.requests[-1].messages) == 1 + 2 * ROUNDS
        stored = await here.adapters.store.read(lambda tx: tx.steps.of_run(run.id))
        assert run.usage == usage.total(stored)
        assert run.usage == await here.adapters.store.read(lambda tx: tx.steps.spent(run.id))


def test_ended_steps_are_added_up_once() -> None:
    seen: list[str] = []

    def add(count: int, row: StepRow) -> int:
        seen.append(row.id)
        return count + 1

    log = StepLog()
    for number in range(5):
        log.append(step_row(f"step_{number}", status="completed"))
        assert fold(log, "number", 0, add) == fold(list(log), "number", 0, lambda count, _: count + 1) == number + 1
    assert seen == [f"step_{number}" for number in range(5)]


def test_an_open_step_is_added_anew() -> None:
    log = StepLog([step_row(usage=Usage(total_tokens=3))])
    assert usage.total(log).total_tokens == 3
    log[0] = step_row(usage=Usage(total_tokens=5), status="completed")
    log.append(step_row("step_2", usage=Usage(total_tokens=7)))
    assert usage.total(log).total_tokens == 12


def test_a_prompt_that_grows_is_the_one_made_at_once() -> None:
    turns = [text_step("msg_1"), calls_step(call_of("a", "1")), calls_step(call_of("b", "2")), text_step("msg_2")]
    written = {each.id: each for each in (message("One.", id="msg_1"), message("Two.", id="msg_2"))}
    log = StepLog()
    for turn in turns:
        log.append(turn)
        grown, made = prompt.own_turns(log, written), prompt.own_turns(list(log), written)
        assert (grown.messages, grown.carried, grown.tokens) == (made.messages, made.carried, made.tokens)
        assert grown.tokens == tokens.of_messages(grown.messages)


def journal(steps: int) -> Journal:
    return Journal(step_row(f"step_{number}", status="completed") for number in range(steps))


def test_only_long_journals_are_kept_and_only_some() -> None:
    cache = JournalCache(max_size=250_000)
    cache.keep("short", journal(31))
    assert cache.take("short") is None
    first, second, third = journal(50), journal(50), journal(50)
    for name, each in (("first", first), ("second", second), ("third", third)):
        cache.keep(name, each)
    assert cache.take("first") is None, "it made room"
    assert cache.take("third") is third
    assert cache.take("third") is None, "it is kept until it is taken"
    assert cache.take("second") is second
