"""The embedded model gets one passage of a search, and its answer is cited by the words that they have in common."""

from runstead.llm.local.passages import Passage, best_passage, citation
from runstead.llm.local.prompt import answer_prompt

RESULT = """Cite each passage.

【0:0†pump.md】 (page 2 · Seals)
The seal of the pump is replaced every 400 hours.

【0:1†tea [1].md】
Green tea is brewed at 75 degrees."""
QUESTION = "At how many degrees is tea brewed?"
MESSAGES = [{"role": "user", "content": QUESTION}, {"role": "tool", "tool_call_id": "call_1", "content": RESULT}]


def test_the_passage_with_most_words_of_the_question_is_the_best() -> None:
    assert best_passage(RESULT, QUESTION) == Passage("【0:1†tea [1].md】", "Green tea is brewed at 75 degrees.")
    assert best_passage("sunny", QUESTION) is None


def test_the_prompt_has_that_passage_without_its_marker() -> None:
    said = answer_prompt(MESSAGES)[-1]["content"]
    assert "Green tea is brewed at 75 degrees." in said
    assert "【" not in said
    assert "pump" not in said


def test_an_answer_is_cited_if_it_has_words_of_the_passage() -> None:
    assert citation("It is brewed at 75 degrees.", MESSAGES) == "【0:1†tea [1].md】"
    assert citation("I do not know.", MESSAGES) == ""
    assert citation("It is brewed at 75 degrees.", MESSAGES[:1]) == ""
    assert citation("It is brewed at 75 degrees.", [{"role": "tool", "content": "75 degrees, brewed"}]) == ""
