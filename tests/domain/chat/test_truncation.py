from collections.abc import Sequence
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runstead.domain.chat import prompt, tokens
from runstead.domain.chat.offer import offers
from runstead.domain.chat.truncation import MAX_HISTORY, History, fixed, history_limit
from runstead.domain.chosen_defaults import NONE_CHOSEN
from runstead.wire.content import Text, TextPart
from runstead.wire.message import Message
from runstead.wire.options import TruncationStrategy
from runstead.wire.run import Run, Usage
from tests.domain.things import call, calls_step, message, run, text_step

EACH = 10
"""Tokens of a message of `plain`."""


def plain(number: int) -> Message:
    return message(f"{number:018}", id=f"msg_{number}")


def newest_first(count: int) -> list[Message]:
    return [plain(number) for number in range(count, 0, -1)]


def read(messages: Sequence[Message], history_limit: int = MAX_HISTORY, of: Run | None = None) -> list[str]:
    """The ids that are kept, oldest first."""
    history = History(of or run(), history_limit)
    history.take(messages)
    return [each.id for each in history.messages]


def last(count: int) -> Run:
    return run(truncation_strategy=TruncationStrategy(type="last_messages", last_messages=count))


class TestHistory:
    def test_without_a_limit_all_messages_are_kept_oldest_first(self) -> None:
        assert read(newest_first(3)) == ["msg_1", "msg_2", "msg_3"]

    def test_messages_that_fit_are_kept_whole_and_newest_first(self) -> None:
        assert tokens.of_message({"role": "user", "content": f"{1:018}"}) == EACH
        assert read(newest_first(9), history_limit=3 * EACH) == ["msg_7", "msg_8", "msg_9"]
        assert read(newest_first(9), history_limit=4 * EACH - 1) == ["msg_7", "msg_8", "msg_9"]

    def test_no_older_message_is_kept_behind_one_that_does_not_fit(self) -> None:
        long = message("x" * 3000, id="msg_long")
        assert read([plain(3), long, plain(1)], history_limit=5 * EACH) == ["msg_3"]

    @pytest.mark.parametrize("little", [5, 0, -100])
    def test_the_newest_message_is_kept_even_if_it_does_not_fit(self, little: int) -> None:
        assert read(newest_first(3), history_limit=little) == ["msg_3"]

    def test_empty_parts_are_limited_too(self) -> None:
        empty = Message(
            id="msg_1", created_at=1, thread_id="thread_1", role="user", content=[TextPart(text=Text(value=""))] * 500
        )
        assert len(read([empty] * 9)) == 5

    def test_last_messages_are_as_many_as_asked_for(self) -> None:
        assert read(newest_first(9), of=last(2)) == ["msg_8", "msg_9"]
        assert read(newest_first(1), of=last(2)) == ["msg_1"]

    def test_last_messages_must_fit_too(self) -> None:
        assert read(newest_first(9), history_limit=3 * EACH, of=last(5)) == ["msg_7", "msg_8", "msg_9"]

    def test_reading_ends_when_the_history_is_full(self) -> None:
        history = History(last(3), MAX_HISTORY)
        assert history.take(newest_first(9)[:2])
        assert not history.take(newest_first(9)[2:4])
        assert not history.take(newest_first(9)[4:])
        assert [each.id for each in history.messages] == ["msg_7", "msg_8", "msg_9"]

    def test_a_message_too_many_ends_the_reading(self) -> None:
        assert not History(run(), 2 * EACH).take(newest_first(3))
        assert History(run(), 3 * EACH).take(newest_first(3))

    def test_an_open_message_is_left_out(self) -> None:
        assert read([message("Hal", id="msg_2", role="assistant", status="in_progress"), plain(1)]) == ["msg_1"]

    def test_messages_of_the_run_itself_come_from_its_steps(self) -> None:
        mine = message("Mine", id="msg_2", role="assistant", run_id="run_1")
        other = message("Other", id="msg_1", role="assistant", run_id="run_0")
        assert read([mine, other]) == ["msg_1"]

    @pytest.mark.parametrize("text", ["", "Half of wh"])
    def test_a_message_cut_by_a_crash_or_a_failure_is_left_out(self, text: str) -> None:
        half = message(text, id="msg_2", role="assistant", status="incomplete", reason="run_failed", run_id="run_0")
        assert read([half, plain(1)]) == ["msg_1"]

    @pytest.mark.parametrize("reason", ["run_cancelled", "run_expired", "max_tokens"])
    def test_the_text_of_a_cut_message_is_kept(self, reason: str) -> None:
        half = message("Hal", id="msg_2", role="assistant", status="incomplete", reason=reason, run_id="run_0")
        assert read([half, plain(1)]) == ["msg_1", "msg_2"]

    def test_left_out_messages_do_not_count(self) -> None:
        mine = message("Mine", id="msg_x", role="assistant", run_id="run_1")
        assert read([mine, plain(3), mine, plain(2), plain(1)], of=last(2)) == ["msg_2", "msg_3"]
        assert read([mine, plain(3), plain(2)], history_limit=0) == ["msg_3"]


messages = st.lists(
    st.builds(
        message,
        st.text(max_size=60),
        role=st.sampled_from(["user", "assistant"]),
        run_id=st.sampled_from([None, "run_0", "run_1"]),
        status=st.sampled_from(["completed", "incomplete", "in_progress"]),
    ),
    max_size=30,
)
strategies = st.builds(TruncationStrategy, type=st.just("last_messages"), last_messages=st.integers(1, 12)) | st.just(
    TruncationStrategy()
)
rooms = st.integers(-10, 300)


class TestAnyHistory:
    @given(messages, strategies, rooms, st.lists(st.integers(0, 7), max_size=40))
    def test_page_by_page_is_the_same_as_all_at_once(
        self, thread: list[Message], strategy: TruncationStrategy, history_limit: int, sizes: list[int]
    ) -> None:
        at_once = History(run(truncation_strategy=strategy), history_limit)
        at_once.take(thread)
        paged = History(run(truncation_strategy=strategy), history_limit)
        rest = iter(thread)
        for size in [*sizes, len(thread)]:
            if not paged.take(list(islice(rest, size))):
                break
        assert paged.messages == at_once.messages

    @given(messages, strategies, rooms)
    def test_the_kept_history_is_the_end_of_the_eligible_messages(
        self, thread: list[Message], strategy: TruncationStrategy, history_limit: int
    ) -> None:
        everything, some = History(run(), MAX_HISTORY), History(run(truncation_strategy=strategy), history_limit)
        everything.take(thread)
        some.take(thread)
        kept, tellable = some.messages, everything.messages
        assert kept == tellable[len(tellable) - len(kept) :]
        assert len(kept) >= min(1, len(tellable))

    @given(messages, strategies, rooms)
    def test_it_fits_unless_it_is_the_newest_alone(
        self, thread: list[Message], strategy: TruncationStrategy, history_limit: int
    ) -> None:
        history = History(run(truncation_strategy=strategy), history_limit)
        history.take(thread)
        taken = tokens.of_messages(said for each in history.messages if (said := prompt.as_chat_message(each)))
        assert taken <= history_limit or len(history.messages) <= 1
        assert strategy.last_messages is None or len(history.messages) <= strategy.last_messages

    @given(messages, rooms)
    def test_more_is_left_out_only_if_the_next_would_not_fit(self, thread: list[Message], history_limit: int) -> None:
        everything, some = History(run(), MAX_HISTORY), History(run(), history_limit)
        everything.take(thread)
        more = some.take(thread)
        left = everything.messages[: len(everything.messages) - len(some.messages)]
        if more:
            assert not left
        if left:
            said = [prompt.as_chat_message(each) for each in [left[-1], *some.messages]]
            assert tokens.of_messages(each for each in said if each) > history_limit


def spent(prompt: int) -> Usage:
    return Usage(prompt_tokens=prompt)


class TestRoom:
    def bare(self, **fields: Any) -> Run:
        return run(tools=[], **fields)

    def test_history_is_limited_without_a_window_and_a_budget(self) -> None:
        assert history_limit(self.bare(), [], None, {}, []) == MAX_HISTORY
        assert history_limit(self.bare(max_prompt_tokens=10 * MAX_HISTORY), [], None, {}, []) == MAX_HISTORY
        assert history_limit(self.bare(), [], 10 * MAX_HISTORY, {}, []) > MAX_HISTORY

    def test_the_answer_gets_a_quarter_of_the_window(self) -> None:
        assert history_limit(self.bare(), [], 8000, {}, []) == 6000

    def test_the_answer_gets_no_more_of_a_large_window_than_answers_take(self) -> None:
        assert history_limit(self.bare(), [], 1_000_000, {}, []) == 1_000_000 - 16_384

    def test_the_answer_gets_what_it_may_take(self) -> None:
        assert history_limit(self.bare(max_completion_tokens=500), [], 8000, {}, []) == 7500

    def test_the_answer_gets_half_of_the_window_at_most(self) -> None:
        assert history_limit(self.bare(max_completion_tokens=100_000), [], 8000, {}, []) == 4000

    def test_the_budget_limits_too(self) -> None:
        assert history_limit(self.bare(max_prompt_tokens=1000), [], None, {}, []) == 1000
        assert history_limit(self.bare(max_prompt_tokens=1000), [], 8000, {}, []) == 1000
        assert history_limit(self.bare(max_prompt_tokens=7000), [], 8000, {}, []) == 6000

    def test_the_rest_of_the_token_budget_is_shared_like_a_window(self) -> None:
        assert history_limit(self.bare(max_total_tokens=8000), [], None, {}, []) == 6000
        assert history_limit(self.bare(max_total_tokens=8000), [], 4000, {}, []) == 3000
        assert history_limit(self.bare(max_total_tokens=8000, max_prompt_tokens=1000), [], None, {}, []) == 1000
        assert (
            history_limit(self.bare(max_total_tokens=8000), [text_step("msg_2", usage=spent(4000))], None, {}, [])
            == 3000
        )

    def test_the_calls_before_took_from_the_budget(self) -> None:
        steps = [text_step("msg_2", usage=spent(300)), text_step("msg_3"), text_step("msg_4", usage=spent(200))]
        assert history_limit(self.bare(max_prompt_tokens=1000), steps, None, {}, []) == 500

    def test_a_call_that_failed_took_from_the_budget_too(self) -> None:
        step = calls_step(status="failed", usage=spent(300))
        assert history_limit(self.bare(max_prompt_tokens=1000), [step], None, {}, []) == 700

    def test_instructions_functions_and_steps_take_room(self) -> None:
        steps = [text_step("msg_2"), calls_step(call("call_a", "sunny"))]
        written = {"msg_2": message("Let me see.", id="msg_2", role="assistant", run_id="run_1")}
        full = run(instructions="Be brief.")
        told = prompt.build(full, [], steps, written, offers(full.tools, {}), NONE_CHOSEN)
        takes = tokens.of_messages(told.messages) + sum(map(tokens.of_function, told.functions))
        assert takes == fixed(full, steps, written, told.functions) > 0
        assert history_limit(full, steps, 8000, written, told.functions) == 6000 - takes

    def test_state_that_goes_back_counts_as_tokens(self) -> None:
        step = calls_step(call("call_a", "sunny"))
        thought = replace(step, carried={"message": {"reasoning_content": "x" * 3000}})
        more = fixed(run(), [thought], {}, []) - fixed(run(), [step], {}, [])
        assert 1000 < more < 1100

    def test_room_may_be_less_than_none(self) -> None:
        left = history_limit(self.bare(instructions="x" * 3000, max_prompt_tokens=500), [], None, {}, [])
        assert left is not None
        assert left < 0
