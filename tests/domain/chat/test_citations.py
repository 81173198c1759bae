"""Markers of citations are found however the text is cut, and only those of passages that the model was given."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.domain.chat.assembly import MessageDraft
from runstead.domain.chat.citation_scanner import CitationScanner
from runstead.domain.chat.citations import Source, marker, sources_of, without_citations, without_markers
from runstead.domain.model_call import CitationPiece, TextPiece
from runstead.domain.run.journal import Call, StepRow, earlier_calls
from runstead.wire.content import CitedFile, FileCitation, Text, TextPart
from runstead.wire.message import Message
from runstead.wire.run_step import FileSearch, FileSearchCall, FileSearchResult, RunStep, StepStatus, ToolCallsDetails

SOURCES = {
    (0, 0): Source("file-a", "a.txt"),
    (0, 12): Source("file-b", "report [1].pdf"),
    (4, 0): Source("file-c", "große Übersicht 🐝.md"),
    (4, 1): Source("file-d", "source"),
}
PIECES = [
    "【",
    "[",
    "0",
    "4",
    "12",
    ":",
    "†",
    "a.txt",
    "report [1].pdf",
    "große Übersicht 🐝.md",
    "source",
    "】",
    "]",
    "🐝 ",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join)


def scanned(pieces: list[str]) -> list[TextPiece | CitationPiece]:
    scanner = CitationScanner(SOURCES)
    found = [each for piece in pieces for each in scanner.add(piece)]
    return found + scanner.end()


def joined(found: list[TextPiece | CitationPiece]) -> list[str | CitationPiece]:
    """The citations, and between them the text in one piece."""
    parts: list[str | CitationPiece] = [""]
    for each in found:
        if isinstance(each, CitationPiece):
            parts += [each, ""]
        else:
            parts[-1] = f"{parts[-1]}{each.text}"
    return parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bees 【0:0†a.txt】.", ["Bees ", ("【0:0†a.txt】", "file-a"), "."]),
        ("【0:12†report [1].pdf】", ["", ("【0:12†report [1].pdf】", "file-b"), ""]),
        ("【0:0†a.txt】【4:1†source】", ["", ("【0:0†a.txt】", "file-a"), "", ("【4:1†source】", "file-d"), ""]),
        ("【0:0†source】", ["", ("【0:0†source】", "file-a"), ""]),
        ("【4:0】", ["", ("【4:0†große Übersicht 🐝.md】", "file-c"), ""]),
        ("[0:0†a.txt]", ["", ("【0:0†a.txt】", "file-a"), ""]),
        ("[0:12†report [1].pdf]", ["", ("【0:12†report [1].pdf】", "file-b"), ""]),
        ("【【0:0†a.txt】】", ["【", ("【0:0†a.txt】", "file-a"), "】"]),
        ("【0:【0:0†a.txt】", ["【0:", ("【0:0†a.txt】", "file-a"), ""]),
        ("[[0:0†a.txt]]", ["[", ("【0:0†a.txt】", "file-a"), "]"]),
        # An unknown passage, another file's name, no dagger in plain brackets, and no end.
        ("【9:9†a.txt】", ["【9:9†a.txt】"]),
        ("【0:1†a.txt】", ["【0:1†a.txt】"]),
        ("【0:0†b.txt】", ["【0:0†b.txt】"]),
        ("【0:0†a.txt", ["【0:0†a.txt"]),
        ("John [3:16], [0:0], rows[0:0]", ["John [3:16], [0:0], rows[0:0]"]),
        ("【重要】 [x](y) 【", ["【重要】 [x](y) 【"]),
        ("【99999:0†a.txt】【:0】【0:】", ["【99999:0†a.txt】【:0】【0:】"]),
    ],
)
def test_markers_of_given_passages_are_citations_and_all_else_stays_text(text: str, expected: list[object]) -> None:
    wanted = [CitationPiece(*each) if isinstance(each, tuple) else each for each in expected]
    assert joined(scanned([text])) == wanted
    assert joined(scanned(list(text))) == wanted


@given(TEXTS, st.randoms(use_true_random=False))
def test_the_result_does_not_depend_on_how_the_text_is_cut(text: str, random: object) -> None:
    cuts = sorted(random.sample(range(len(text) + 1), min(len(text), 5)))  # type: ignore[attr-defined]
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert joined(scanned(pieces)) == joined(scanned([text])) == joined(scanned(list(text)))


@given(TEXTS)
def test_no_more_is_held_back_than_may_become_a_marker(text: str) -> None:
    scanner, longest = CitationScanner(SOURCES), 14 + max(len(source.name) for source in SOURCES.values())
    said = 0
    for sent, character in enumerate(text, 1):
        for each in scanner.add(character):
            said = sent if isinstance(each, CitationPiece) else said + len(each.text)
        assert sent - said <= longest


@pytest.mark.parametrize("text", ["[" * 10**6, "【0:0†a.tx" * 10**5, "【0:0†a.txt】" * 10**5, "a" * 10**6])
def test_work_grows_with_the_text_alone(text: str) -> None:
    def seconds(part: str) -> float:
        began = time.process_time()
        scanned([part[place : place + 7] for place in range(0, len(part), 7)])
        return time.process_time() - began

    # Sixteen times the text takes far less than the 256 times of quadratic work.
    assert seconds(text) < 100 * max(seconds(text[: len(text) // 16]), 0.001)


@given(st.lists(st.text(max_size=5) | st.sampled_from(sorted(SOURCES)), max_size=12))
def test_the_indexes_of_annotations_are_those_of_their_markers(parts: list[str | tuple[int, int]]) -> None:
    draft, markers = MessageDraft("msg_1"), []
    for part in parts:
        if isinstance(part, str):
            draft.add_text(part)
        else:
            markers.append(marker(part, SOURCES[part].name))
            draft.add_citation(markers[-1], SOURCES[part].file_id)
    [content] = draft.content()
    assert isinstance(content, TextPart)
    notes = [note for note in content.text.annotations if isinstance(note, FileCitation)]
    assert [content.text.value[note.start_index : note.end_index] for note in notes] == markers
    assert [note.text for note in notes] == markers


def step(status: StepStatus, *calls: FileSearchCall, failed: bool = False) -> StepRow:
    rows = [
        Call(
            id=call.id,
            name="file_search",
            arguments="",
            tool="file_search",
            output="…",
            status="failed" if failed else "completed",
        )
        for call in calls
    ]
    wire = RunStep(
        id=f"step_{calls[0].id}",
        created_at=0,
        run_id="run_1",
        assistant_id="asst_1",
        thread_id="thread_1",
        type="tool_calls",
        status=status,
        step_details=ToolCallsDetails(tool_calls=list(calls)),
    )
    return StepRow(step=wire, calls=rows)


def search(id: str, *names: str) -> FileSearchCall:
    results = [FileSearchResult(file_id=f"file-{name[:9]}", file_name=name, score=0.5) for name in names]
    return FileSearchCall(id=id, file_search=FileSearch(ranking_options={}, results=results))


def test_sources_are_numbered_by_the_run_s_searches_and_their_results() -> None:
    steps = [
        step("completed", search("call_1", "a.txt", "b.txt"), search("call_2")),
        step("failed", search("call_3", "c.txt"), failed=True),
        step("completed", search("call_4", "x" * 121, "a】.txt")),
    ]
    found = sources_of(steps).passages
    assert found == {
        (0, 0): Source("file-a.txt", "a.txt"),
        (0, 1): Source("file-b.txt", "b.txt"),
        (3, 0): Source("file-xxxxxxxxx", "source"),
        (3, 1): Source("file-a】.txt", "source"),
    }
    assert [earlier_calls(steps, call) for row in steps for call in row.calls] == [0, 1, 2, 3]


def test_citations_of_earlier_runs_are_left_out_of_prompts_but_their_text_is_not() -> None:
    value = "🐝 fly 【0:0†a.txt】 far【4:1†source】, see 【9:9†x】."
    notes = [
        FileCitation(
            text=text, start_index=start, end_index=start + len(text), file_citation=CitedFile(file_id="file-a")
        )
        for text in ("【0:0†a.txt】", "【4:1†source】")
        for start in [value.index(text)]
    ]
    part = TextPart(text=Text(value=value, annotations=[*notes]))
    message = Message(id="msg_1", created_at=0, thread_id="thread_1", role="assistant", content=[part])
    assert without_citations(message).content == [TextPart(text=Text(value="🐝 fly  far, see 【9:9†x】."))]
    plain = Message(
        id="msg_1", created_at=0, thread_id="thread_1", role="user", content=[TextPart(text=Text(value=value))]
    )
    assert without_citations(plain) is plain


def test_a_marker_in_a_document_does_not_look_like_one_to_the_model() -> None:
    assert without_markers("See 【0:1†pay.pdf】 and 【重要】.") == "See [0:1 pay.pdf] and 【重要】."
