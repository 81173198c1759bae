"""The event stream: its lines, its characters, its end, and its limits."""

# ruff: noqa: E501 - a case is one line

from tests.llm.openai_chat.conformance.case import (
    DONE,
    Body,
    Case,
    Right,
    asks,
    call,
    delta,
    end,
    fails,
    plain,
    says,
    sent,
    text,
)

__all__ = ["CASES"]

BOM = b"\xef\xbb\xbf"
HI = says("Hi")
BOTH = says("First second.")
FIRST = b'data: {"choices":[{"index":0,"delta":{"content":"First "}}]}'
SECOND = b'data: {"choices":[{"index":0,"delta":{"content":"second."},"finish_reason":"stop"}]}'


def content(raw: bytes) -> bytes:
    """An event whose text is these bytes."""
    return b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % raw


LINES = [
    *(Case(f"lines that end in {newline!r}", [Body(newline.join([FIRST, b"", SECOND, b"", b"data: [DONE]", b"", b""]))], BOTH) for newline in (b"\n", b"\r\n", b"\r")),
    Case("events without an empty line between them", [Body(b"\n".join([FIRST, SECOND, b"data: [DONE]", b""]))], BOTH),
    Case("a last line without its end", [Body(FIRST + b"\n\n" + SECOND + b"\n\ndata: [DONE]")], BOTH),
    Case("no space behind the colon", [Body((FIRST + b"\n\n" + SECOND + b"\n\n").replace(b"data: ", b"data:") + b"data:[DONE]\n\n")], BOTH),
    Case("a byte-order mark", [Body(BOM + FIRST + b"\n\n" + SECOND + b"\n\n" + DONE)], BOTH),
    Case("a byte-order mark, unstreamed", plain(BOM + b'{"choices":[{"message":{"content":"Hi"}}]}'), HI),
    Case("white space before the answer", plain(b'\r\n  {"choices":[{"message":{"content":"Hi"}}]}\n'), HI),
    Case("one event on two lines", [Body(b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"Hi"}}]}\n\n' + DONE)], HI),
    Case("one event on many lines", [Body(b'data: {\ndata: "choices": [\r\ndata: {"delta": {"content":\ndata: "Hi"}}\ndata: ]}\n\n' + DONE)], HI),
    Case("one event on two lines, at the end", [Body(FIRST + b'\n\ndata: {"choices":[{"index":0,\ndata: "delta":{"content":"second."},"finish_reason":"stop"}]}')], BOTH),
    Case("comments and other fields", [Body(b": hello\n\nid: 1\nretry: 5\nevent: message\n" + FIRST + b"\n\n: PROCESSING\n\n" + SECOND + b"\n\n" + DONE)], BOTH),
    Case("documents without data fields", [Body(b'{"choices":[{"delta":{"content":"First "}}]}\n{"choices":[{"delta":{"content":"second."}}]}\n', streamed=False)], BOTH),
    Case("data with the name of its field twice", [Body(b"\n\n".join(b"data: " + line for line in (FIRST, SECOND, b"data: [DONE]", b"")))], BOTH),
    Case("events on one line", [Body(FIRST + SECOND + b"\n\n" + DONE)], BOTH),
    Case("documents on one line", [Body(FIRST + SECOND.removeprefix(b"data: ") + b"\n\n" + DONE)], BOTH),
    Case("the end on the line of the last event", [Body(FIRST + b"\n\n" + SECOND + DONE)], BOTH),
    Case("line ends that are escaped", [Body(FIRST + b"\\n\\n" + SECOND + b"\\n\\n")], BOTH),
    Case("documents with commas behind them", [Body(FIRST + b",\n\n" + SECOND + b",\n\n")], BOTH),
    Case("documents without lines", [Body(FIRST.removeprefix(b"data: ") + SECOND.removeprefix(b"data: "), streamed=False)], BOTH),
    Case("an array of documents", [Body(b"[" + FIRST.removeprefix(b"data: ") + b",\n" + SECOND.removeprefix(b"data: ") + b"]", streamed=False)], BOTH),
    Case("documents in quotes", sent(FIRST.removeprefix(b"data: ").decode(), SECOND.removeprefix(b"data: ").decode()), BOTH),
    Case("white space before the field", [Body(b" " + FIRST + b"\n\n\t" + SECOND + b"\n\n " + DONE)], BOTH),
    Case("fields in capitals, with white space behind them", [Body((FIRST + b"\n\n" + SECOND + b"\n\n" + DONE).replace(b"data:", b"DATA :"))], BOTH),
    Case("a byte-order mark before every event", [Body(BOM + FIRST + b"\n\n" + BOM + SECOND + b"\n\n" + BOM + DONE)], BOTH),
    Case("a record separator before every document", [Body(b"\x1e" + FIRST.removeprefix(b"data: ") + b"\n\x1e" + SECOND.removeprefix(b"data: ") + b"\n")], BOTH),
    *(Case(f"{data!r} as data", sent(b"data: " + data + b"\n\n", text("Hi"), b"data: " + data + b"\n\n", end("stop")), HI) for data in (b": OPENROUTER PROCESSING", b"ping", b"keep-alive", b"heartbeat")),
    *(Case(f"the end as {data!r}", sent(text("Hi"), b"data: " + data + b"\n\n", done=False), HI) for data in (b"[done]", b"DONE", b"<DONE>", b"[END]")),
    Case("the end in quotes", sent(text("Hi"), "[DONE]", done=False), HI),
    Case("broken JSON in mid-answer", sent(text("Half of"), b"data: {broken\n\n"), fails("no chat completion", said="Half of")),
    Case("an unstreamed answer that is cut", plain(b'{"choices":[{"message":'), fails("no chat completion")),
    Case("a page", plain(b"<html>Hello</html>"), fails("its url must be the base URL")),
]  # fmt: skip

CHARACTERS = [
    Case("a pair of surrogates", sent(content(b"Hi \\ud83d\\ude00")), says("Hi 😀")),
    Case("surrogates in two events", sent(content(b"Hi \\ud83d"), content(b"\\ude00"), text(" bye")), says("Hi 😀 bye")),
    Case("surrogates in two events that are a code of bytes too", sent(content(b"\\ud83d"), content(b"\\udc80")), says("💀")),
    Case("a first half without the second", sent(content(b"Hi \\ud83d"), text(" bye")), says("Hi \ufffd bye")),
    Case("a second half without the first", sent(content(b"Hi \\ude00"), text(" bye")), says("Hi \ufffd bye")),
    Case("a first half at the end", sent(content(b"Hi \\ud83d")), says("Hi \ufffd")),
    Case("bytes of a character in two events", sent(content(b"Hi \xf0\x9f"), content(b"\x98\x80"), text(" bye")), says("Hi 😀 bye")),
    Case("bytes of a character in four events", sent(*(content(bytes([byte])) for byte in "😀".encode())), says("😀")),
    Case("bytes that are no UTF-8", sent(content(b"Hi \xff\xfe bye")), says("Hi \ufffd\ufffd bye")),
    Case("bytes of a character without their end", sent(content(b"Hi \xe2\x82"), text(" bye")), says("Hi \ufffd bye")),
    Case("bytes that are no UTF-8, unstreamed", plain(b'{"choices":[{"message":{"content":"Hi \xff"}}]}'), says("Hi \ufffd")),
    Case("bytes that are no UTF-8 in an error", sent(b'data: {"error":"Gone \xff."}\n\n'), fails("Gone \ufffd.")),
    Case("a refusal in halves", sent(b'data: {"choices":[{"delta":{"refusal":"\\ud83d"}}]}\n\n', b'data: {"choices":[{"delta":{"refusal":"\\ude00"}}]}\n\n'), Right(refused="😀")),
    Case("a name with half a character", sent(b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a\\ud83d","function":{"name":"f\\ud83d","arguments":"{}"}}]}}]}\n\n'), asks(("a\ufffd", "f\ufffd", "{}"))),
]  # fmt: skip

STOPPED = sent(text("Hi"), end("stop"), done=False)
ASKED = sent(call("a", "f", "{}"), end("tool_calls"), done=False)
F = ("a", "f", "{}")

ENDS = [
    Case("the end of the body behind the reason", STOPPED, HI),
    Case("a cut behind the reason", STOPPED, HI, "cut"),
    Case("silence behind the reason", STOPPED, HI, "silence"),
    Case("comments behind the reason", STOPPED, HI, "comments"),
    Case("a cut behind the calls", ASKED, asks(F), "cut"),
    Case("silence behind the calls", ASKED, asks(F), "silence"),
    Case("comments behind the calls", ASKED, asks(F), "comments"),
    Case("silence behind the end", sent(text("Hi"), end("stop")), HI, "silence"),
    Case("a cut behind the usage", sent(delta({"content": "Hi"}, "stop"), {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}, done=False), says("Hi", usage=(7, 3)), "cut"),
    Case("a cut in mid-answer", sent(text("Half of"), done=False), fails("broke off", said="Half of"), "cut"),
    Case("a cut in the middle of a line", sent(delta({"content": "Hi"}, "stop"), b'data: {"cho', done=False), HI, "cut"),
    Case("a whole document without the end of the body", [Body(b'{"choices":[{"message":{"content":"Hi"}}]}')], HI, "cut"),
    Case("half a document without the end of the body", [Body(b'{"choices":[{"message":{"cont')], fails("broke off"), "cut"),
    Case("a cut in the middle of a call", sent(call("a", "f", '{"city":"Os'), done=False), fails("broke off"), "cut"),
]  # fmt: skip

CALLS = b",".join(b'{"id":"c%d","function":{"name":"f","arguments":"{}"}}' % number for number in range(1_001))
LIMITS = [
    Case("1,001 calls in one event", [Body(b'data: {"choices":[{"delta":{"tool_calls":[%b]}}]}\n\n' % CALLS)], fails("more than 1000 parts of calls at once")),
    Case("1,001 calls in many events", sent(*(call(f"c{number}", "f", "{}", index=number) for number in range(1_001))), fails("more than 1000 calls in one answer")),
    Case("1,001 calls, unstreamed", plain(b'{"choices":[{"message":{"tool_calls":[%b]}}]}' % CALLS), fails("more than 1000 parts of calls at once")),
    Case("a document of 3 MiB of text", sent(text("x" * 3 * 2**20)), fails("an answer of more than 2097152 characters")),
    Case("thinking of 3 MiB", sent(*[delta({"reasoning_content": "x" * 2**20})] * 3), fails("an answer of more than 2097152 characters")),
    Case("arguments of 3 MiB", sent(call("a", "f", ""), *[delta({"tool_calls": [{"index": 0, "function": {"arguments": "x" * 2**20}}]})] * 3), fails("an answer of more than 2097152 characters")),
    Case("arguments of 3 MiB that have no name", sent(*[delta({"tool_calls": [{"index": 0, "function": {"arguments": "x" * 2**20}}]})] * 3), fails("an answer of more than 2097152 characters")),
    Case("state of 3 MiB", sent(*[delta({"unknown": "x" * 2**20})] * 3), fails("an answer of more than 2097152 characters")),
    Case("an unstreamed answer of 9 MiB", plain(b'{"choices":[{"message":{"content":"' + b"x" * 9 * 2**20 + b'"}}]}'), fails("more than 8388608 bytes in one JSON document")),
    Case("a line of 9 MiB", sent(b"data: " + b"x" * 9 * 2**20), fails("a line of more than")),
    Case("a document of many values", sent(b'data: {"x":[' + b"[]," * 200_000 + b"[]]}\n\n"), fails("more than 65536 values")),
    Case("a document nested too deeply", sent(b'data: {"x":' + b"[" * 200 + b"]" * 200 + b"}\n\n"), fails("nested more than 128 levels")),
    Case("a document nested beyond the interpreter's limit", sent(b'data: {"x":' + b"[" * 10_000 + b"\n\n"), fails("nested more than 128 levels")),
    Case("a document nested as deeply as it may", sent(b'data: {"x":' + b"[" * 127 + b"]" * 127 + b"}\n\n", text("Hi")), HI),
]  # fmt: skip

CASES = [*LINES, *CHARACTERS, *ENDS, *LIMITS]
