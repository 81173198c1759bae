"""Calls: their pieces, their arguments, and what goes back with them."""

# ruff: noqa: E501 - a case is one line

from typing import Any

from tests.llm.openai_chat.conformance.case import (
    Case,
    args,
    asks,
    call,
    chunk,
    delta,
    either,
    end,
    fails,
    last,
    plain,
    sent,
    text,
)

__all__ = ["CASES"]

OSLO = '{"city":"Oslo"}'
ROME = '{"city":"Rome"}'
A = ("a", "f", OSLO)
END = end("tool_calls")


def whole(arguments: Any = OSLO, *, id: Any = "a", name: Any = "f", **fields: Any) -> dict[str, Any]:
    """A message with one call."""
    return {
        "tool_calls": [{"id": id, "type": "function", "function": {"name": name, "arguments": arguments}, **fields}]
    }


def many(*calls: dict[str, Any]) -> dict[str, Any]:
    return delta({"tool_calls": list(calls)})


PIECES = [
    Case("a call in pieces", sent(call("a", "f", ""), args('{"city":'), args('"Oslo"}'), END), asks(A)),
    Case("a call at once", either(whole(), "tool_calls"), asks(A)),
    Case("an id that is a number", either(whole(id=12345), "tool_calls"), asks(("12345", "f", OSLO))),
    Case("an id that is a float", either(whole(id=5.0), "tool_calls"), asks(("5", "f", OSLO))),
    Case("an id that is an object", either(whole(id={}), "tool_calls"), asks(("new", "f", OSLO))),
    Case("a long id", either(whole(id="x" * 305), "tool_calls"), asks(("x" * 305, "f", OSLO))),
    Case("a call whose index is a text", sent(call("a", "f", "", index="0"), args(OSLO, index="0"), END), asks(A)),
    Case("a call whose index is a float", sent(call("a", "f", "", index=0.0), args(OSLO, index=0.0), END), asks(A)),
    Case("an absurd index", sent(call("a", "f", "", index=-1), args(OSLO, index=-1), call("b", "f", ROME, index=1e26), END), asks(A, ("b", "f", ROME))),
    Case("no index", sent(call("a", "f", "", index=None), args(OSLO, index=None), END), asks(A)),
    Case("no index and no id", sent(call(None, "f", "{", index=None), args("}", index=None), call(None, "f", ROME, index=None), END), asks(("new", "f", "{}"), ("new", "f", ROME))),
    Case("an empty id and an empty name in later pieces", sent(call("a", "f", "{"), many({"index": 0, "id": "", "function": {"name": "", "arguments": "}"}}), END), asks(("a", "f", "{}"))),
    Case("the name in every piece", sent(call("a", "f", '{"city":'), call("a", "f", '"Oslo"}'), END), asks(A)),
    Case("an id that changes in a later piece", sent(call("a", "f", '{"city":'), args('"Oslo"}', id="zzz"), END), asks(A)),
    Case("the arguments before the name", sent(args('{"city":'), call("a", "f", '"Oslo"}'), END), asks(A)),
    Case("the same id at another index", sent(call("a", "f", ""), call("a", "f", OSLO, index=1), END), asks(A)),
    Case("the same id at another index, without its name", sent(call("a", "f", ""), args(OSLO, index=1, id="a"), END), asks(A)),
    Case("the same id at another index, in pieces", sent(call("a", "f", '{"city":'), args('"Oslo"}', index=1, id="a"), END), asks(A)),
    Case("the arguments at another index", sent(call("a", "f", ""), args('{"city":', index=1), args('"Oslo"}', index=1), END), asks(A)),
    Case("the rest of the arguments at another index", sent(call("a", "f", '{"city":'), args('"Oslo"}', index=1), END), asks(A)),
    Case("an index that grows with every piece", sent(call("a", "f", ""), args('{"city":', index=1), args('"Oslo"}', index=2), END), asks(A)),
    Case("parallel calls", sent(call("a", "f", OSLO), call("b", "g", ROME, index=1), END), asks(A, ("b", "g", ROME))),
    Case("parallel calls at one index", sent(call("a", "f", OSLO), call("b", "f", ROME), END), asks(A, ("b", "f", ROME))),
    Case("parallel calls at one index, in pieces", sent(call("a", "f", '{"city":'), call("b", "f", '{"city":'), args('"Oslo"}', id="a"), args('"Rome"}', id="b"), END), asks(A, ("b", "f", ROME))),
    Case("parallel calls at one index without ids", sent(call(None, "f", OSLO), call(None, "f", ROME), call(None, "g", "{}"), END), asks(("new", "f", OSLO), ("new", "f", ROME), ("new", "g", "{}"))),
    Case("two calls with one id", sent(call("a", "f", OSLO), call("a", "g", ROME, index=1), END), asks(A, ("new", "g", ROME))),
    Case("two calls of one function with one id", sent(call("a", "f", OSLO), call("a", "f", ROME, index=1), END), asks(A, ("new", "f", ROME))),
    Case("two calls with one id, in pieces", sent(call("a", "f", ""), call("a", "g", "", index=1), args(OSLO, id="a"), args(ROME, index=1, id="a"), END), asks(A, ("new", "g", ROME))),
    Case("indexes from 1", sent(call("a", "f", OSLO, index=1), call("b", "f", ROME, index=2), END), asks(A, ("b", "f", ROME))),
    Case("a call without function around its name", sent(many({"index": 0, "id": "a", "name": "f", "arguments": OSLO}), END), asks(A)),
    Case("one call that is no list", sent(delta({"tool_calls": {"index": 0, "id": "a", "function": {"name": "f", "arguments": OSLO}}}), END), asks(A)),
    Case("calls that are null among calls", sent(delta({"tool_calls": [None, *whole()["tool_calls"]]}), END), asks(A)),
    Case("the legacy function call", sent(delta({"function_call": {"name": "f", "arguments": '{"city":'}}), delta({"function_call": {"arguments": '"Oslo"}'}}), end("function_call")), asks(("new", "f", OSLO))),
    Case("the legacy call beside the call", either({**whole(index=0), "function_call": {"name": "f", "arguments": OSLO}}, "tool_calls"), asks(A)),
    Case("white space around the name", either(whole(name=" f\n"), "tool_calls"), asks(A)),
    Case("a call that never gets a name", sent(args(OSLO), end("tool_calls")), fails("without a word")),
    Case("text before, between and behind calls", sent(text("Well. "), call("a", "f", OSLO), text("And "), call("b", "f", ROME, index=1), text("now."), END), asks(A, ("b", "f", ROME), said="Well. And now.")),
]  # fmt: skip

W = ("a", "get_weather", OSLO)
NAMES = [
    Case("a name in two pieces", sent(call("a", "get_", ""), call(None, "weather", ""), args(OSLO), END), asks(W)),
    Case("a name in two pieces without arguments between them", sent(call("a", "get_"), call(None, "weather"), args(OSLO), END), asks(W)),
    Case("a name whose second piece has the arguments", sent(call("a", "get_wea", ""), call(None, "ther", OSLO), END), asks(W)),
    Case("a name in two pieces, each with the id", sent(call("a", "get_"), call("a", "weather"), args(OSLO), END), asks(W)),
    Case("a name in three pieces, with empty ids", sent(call("a", "get"), call("", "_wea"), call("", "ther", ""), args(OSLO), END), asks(W)),
    Case("a name in two pieces without index", sent(call("a", "get_", index=None), call("a", "weather", index=None), args(OSLO, index=None), END), asks(W)),
    Case("a name that grows", sent(call("a", "get_"), call("a", "get_weather"), args(OSLO), END), asks(W)),
    Case("a name in pieces, and no arguments", sent(call("a", "get_"), call(None, "weather"), END), asks(("a", "get_weather", "{}"))),
    Case("a name in pieces, in the second call", sent(call("a", "f", OSLO), call("b", "get_", index=1), call(None, "weather", index=1), args(ROME, index=1), END), asks(A, ("b", "get_weather", ROME))),
    Case("two names in pieces at once", sent(call("a", "get_"), call("b", "get_", index=1), call(None, "weather"), call(None, "weather_of", index=1), args(OSLO), args(ROME, index=1), END), asks(W, ("b", "get_weather_of", ROME))),
    Case("a name in pieces that another name begins with", sent(call("a", "get_weather"), call(None, "_of"), args(OSLO), END), asks(("a", "get_weather_of", OSLO))),
    Case("a name in pieces that is not offered", sent(call("a", "get_"), call(None, "time", OSLO), END), asks(("a", "get_", "{}"), ("new", "time", OSLO))),
    Case("another name behind a call without arguments", sent(call(None, "f", ""), call(None, "g", ""), END), asks(("new", "f", "{}"), ("new", "g", "{}"))),
    Case("an empty name, and then the name", sent(call("a", "", ""), call("a", "get_weather", OSLO), END), asks(W)),
    Case("the name repeated without the id", sent(call("a", "f", ""), call(None, "f", '{"city":'), call(None, "f", '"Oslo"}'), END), asks(A)),
    Case("text behind a call that has only its name", sent(call("a", "f"), text("Well."), END), asks(("a", "f", "{}"), said="Well.")),
]  # fmt: skip

REPEATS = [
    Case("the whole call in the last event", sent(call("a", "f", ""), args('{"city":'), args('"Oslo"}'), call("a", "f", OSLO), END), asks(A)),
    Case("the whole call twice", sent(call("a", "f", OSLO), call("a", "f", OSLO), END), asks(A)),
    Case("the whole call twice, at two indexes", sent(call("a", "f", OSLO), call("a", "f", OSLO, index=1), END), asks(A)),
    Case("the whole call in the last message", sent(call("a", "f", ""), args(OSLO), last({"content": "", **whole(index=0)}, "tool_calls")), asks(A)),
    Case("the whole arguments without the name", sent(call("a", "f", OSLO), args(OSLO), END), asks(A)),
    Case("the whole arguments in another format", sent(call("a", "f", OSLO), args('{"city": "Oslo"}'), END), asks(A)),
    Case("all parallel calls in the last event", sent(call("a", "f", OSLO), call("b", "f", ROME), many(*whole(index=0)["tool_calls"], *whole(ROME, id="b", index=1)["tool_calls"]), END), asks(A, ("b", "f", ROME))),
    Case("an object that follows an object inside a text", sent(call("a", "f", '{"text":"{}'), args('{}"}'), END), asks(("a", "f", '{"text":"{}{}"}'))),
]  # fmt: skip

NOTHING: list[Any] = [
    "", " ", "\n", "null", " null ", None, {}, "{}", False, "[]", [], '""', "None", "undefined", "{}{}", '{}""', "{ }", '"{}"', '"null"',
]  # fmt: skip
"""Arguments that are none."""

ARGUMENTS = [
    *(Case(f"the arguments {arguments!r}", either(whole(arguments), "tool_calls"), asks(("a", "f", "{}"))) for arguments in NOTHING),
    Case("arguments that are missing", either({"tool_calls": [{"id": "a", "function": {"name": "f"}}]}, "tool_calls"), asks(("a", "f", "{}"))),
    Case("an empty object before the arguments", sent(call("a", "f", "{}"), args('{"city":'), args('"Oslo"}'), END), asks(A)),
    Case("an empty object before the arguments, at once", either(whole("{}" + OSLO), "tool_calls"), asks(A)),
    Case("an empty object in pieces before the arguments", sent(call("a", "f", "{"), args("}"), args(OSLO), END), asks(A)),
    Case("an empty object before the arguments, each with the name", sent(call("a", "f", {}), call("a", "f", OSLO), END), asks(A)),
    Case("an empty object before parallel arguments", sent(call("a", "f", "{}"), call("b", "f", "{}", index=1), args(OSLO), args(ROME, index=1), END), asks(A, ("b", "f", ROME))),
    Case("null before the arguments", sent(call("a", "f", "null"), args(OSLO), END), asks(A)),
    Case("an empty object behind the arguments", sent(call("a", "f", ""), args(OSLO), args("{}"), END), asks(A)),
    Case("an empty text behind the arguments", sent(call("a", "f", ""), args(OSLO), args('""'), END), asks(A)),
    Case("an empty text behind no arguments", sent(call("a", "f", ""), args("{}"), args('""'), END), asks(("a", "f", "{}"))),
    Case("a null inside the arguments", sent(call("a", "f", '{"city":'), args("null"), args("}"), END), asks(("a", "f", '{"city":null}'))),
    Case("arguments that are encoded twice", either(whole('"{\\"city\\":\\"Oslo\\"}"'), "tool_calls"), asks(A)),
    Case("arguments that are encoded twice, in pieces", sent(call("a", "f", '"{\\"city'), args('\\":\\"Oslo\\"}"'), END), asks(A)),
    Case("arguments that are a text", either(whole('"Oslo"'), "tool_calls"), asks(("a", "f", '"Oslo"'))),
    Case("null in pieces", sent(call("a", "f", "nu"), args("ll"), END), asks(("a", "f", "{}"))),
    Case("white space before the arguments", sent(call("a", "f", " "), args(OSLO), END), asks(("a", "f", f" {OSLO}"))),
    Case("arguments that are an object", either(whole({"city": "Oslo"}), "tool_calls"), asks(A)),
    Case("arguments that are a list", either(whole([1, 2]), "tool_calls"), asks(("a", "f", "[1,2]"))),
    Case("arguments that are no JSON", either(whole("city=Oslo"), "tool_calls"), asks(("a", "f", "city=Oslo"))),
    Case("arguments with an emoji in halves", sent(b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\\"a\\":\\"\\ud83d"}}]}}]}\n\n', b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\ude00\\"}"}}]}}]}\n\n', END), asks(("a", "f", '{"a":"😀"}'))),
    Case("arguments nested too deeply", either(whole('{"a":' * 200 + "1" + "}" * 200), "tool_calls"), fails("nested more than 128 levels")),
    Case("an object of arguments nested too deeply", plain(b'{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}}]}}]}"), fails("nested more than 128 levels")),
]  # fmt: skip

SIGNATURE = {"google": {"thought_signature": "S=="}}
ENCRYPTED = {"type": "reasoning.encrypted", "data": "E==", "id": "r1", "index": 0}

STATES = [
    Case("reasoning content", sent(delta({"reasoning_content": "I "}), delta({"reasoning_content": "need f."}), call("a", "f", OSLO), END), asks(A, thought="I need f.", state={"message": {"reasoning_content": "I need f."}})),
    Case("reasoning content, unstreamed", plain({"choices": [{"message": {"reasoning_content": "Hm.", "content": None, **whole()}, "finish_reason": "tool_calls"}]}), asks(A, thought="Hm.", state={"message": {"reasoning_content": "Hm."}})),
    Case("a signature of the call", sent(call("a", "f", OSLO, extra_content=SIGNATURE), call("b", "f", ROME, index=1), END), asks(A, ("b", "f", ROME), state={"calls": {"0": {"extra_content": SIGNATURE}}})),
    Case("a signature of the second call", sent(call("a", "f", OSLO), call("b", "f", ROME, index=1, extra_content=SIGNATURE), END), asks(A, ("b", "f", ROME), state={"calls": {"1": {"extra_content": SIGNATURE}}})),
    Case("a signature inside the function", sent(many({"index": 0, "id": "a", "function": {"name": "f", "arguments": OSLO, "signature": "S=="}}), END), asks(A, state={"calls": {"0": {"function": {"signature": "S=="}}}})),
    Case("encrypted reasoning", sent(delta({"reasoning_details": [ENCRYPTED]}), call("a", "f", OSLO), END), asks(A, state={"message": {"reasoning_details": [ENCRYPTED]}})),
    Case("reasoning details in pieces", sent(delta({"reasoning_details": [{"type": "reasoning.text", "text": "I ", "index": 0}]}), delta({"reasoning_details": [{"type": "reasoning.text", "text": "think.", "index": 0}]}), delta({"reasoning_details": [{"type": "reasoning.text", "signature": "S==", "index": 0}]}), delta({"reasoning_details": [ENCRYPTED]}), call("a", "f", OSLO), END), asks(A, thought="I think.", state={"message": {"reasoning_details": [{"type": "reasoning.text", "text": "I think.", "index": 0, "signature": "S=="}, ENCRYPTED]}})),
    Case("thinking parts", sent(text([{"type": "thinking", "thinking": [{"type": "text", "text": "I "}]}]), text([{"type": "thinking", "thinking": [{"type": "text", "text": "think."}]}]), call("a", "f", OSLO), END), asks(A, thought="I think.", state={"parts": [{"type": "thinking", "thinking": [{"type": "text", "text": "I think."}]}]})),
    Case("blocks of thinking", sent(delta({"thinking_blocks": [{"type": "thinking", "thinking": "I "}]}), delta({"thinking_blocks": [{"type": "thinking", "thinking": "think."}]}), delta({"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "S=="}]}), call("a", "f", OSLO), END), asks(A, thought="I think.", state={"message": {"thinking_blocks": [{"type": "thinking", "thinking": "I think.", "signature": "S=="}]}})),
    Case("two blocks of thinking", sent(delta({"thinking_blocks": [{"type": "thinking", "thinking": "I think.", "signature": "S1"}]}), delta({"thinking_blocks": [{"type": "redacted_thinking", "data": "R=="}]}), call("a", "f", OSLO), END), asks(A, thought="I think.", state={"message": {"thinking_blocks": [{"type": "thinking", "thinking": "I think.", "signature": "S1"}, {"type": "redacted_thinking", "data": "R=="}]}})),
    Case("signatures in fields of a gateway", sent(delta({"provider_specific_fields": {"thought_signatures": ["S=="]}}), call("a", "f", OSLO), END), asks(A, state={"message": {"provider_specific_fields": {"thought_signatures": ["S=="]}}})),
    Case("opaque reasoning, which is no text", sent(delta({"reasoning_text": "Hm."}), delta({"reasoning_opaque": "O=="}), call("a", "f", OSLO), END), asks(A, thought="Hm.", state={"message": {"reasoning_text": "Hm.", "reasoning_opaque": "O=="}})),
    Case("a summary of the reasoning in pieces", sent(delta({"reasoning_details": [{"type": "reasoning.summary", "summary": "I ", "index": 0}]}), delta({"reasoning_details": [{"type": "reasoning.summary", "summary": "think.", "index": 0}]}), delta({"reasoning_details": [ENCRYPTED]}), call("a", "f", OSLO), END), asks(A, thought="I think.", state={"message": {"reasoning_details": [{"type": "reasoning.summary", "summary": "I think.", "index": 0}, ENCRYPTED]}})),
    Case("a summary in parts in pieces", sent(*(text([{"type": "reasoning", "summary": [{"type": "summary_text", **part}]}]) for part in ({"text": "I "}, {"text": "think."}, {"text": "", "signature": "S=="})), call("a", "f", OSLO), END), asks(A, thought="I think.", state={"parts": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "I think.", "signature": "S=="}]}]})),
    Case("a signature in a later piece of the call", sent(call("a", "f", ""), many({"index": 0, "function": {"arguments": OSLO}, "extra_content": SIGNATURE}), END), asks(A, state={"calls": {"0": {"extra_content": SIGNATURE}}})),
    Case("a signature of the message, beside an empty text", sent(delta({"content": "", "extra_content": SIGNATURE}), call("a", "f", OSLO), END), asks(A, state={"message": {"extra_content": SIGNATURE}})),
    Case("a signature beside the reason", sent(call("a", "f", OSLO), delta({"extra_content": SIGNATURE}, "tool_calls")), asks(A, state={"message": {"extra_content": SIGNATURE}})),
    Case("the whole reasoning beside the call", sent(delta({"reasoning_content": "I think a "}), delta({"reasoning_content": "long thought."}), delta({"reasoning_content": "I think a long thought.", **whole(index=0)}), END), asks(A, thought="I think a long thought.", state={"message": {"reasoning_content": "I think a long thought."}})),
    Case("padding, which is no state", sent(delta({"role": "assistant", "padding": "abc", "obfuscation": "xyz"}), call("a", "f", OSLO), END), asks(A)),
    Case("unknown fields of the message", sent(delta({"some_state": {"a": [1, None, 0.5]}}), call("a", "f", OSLO), END), asks(A, state={"message": {"some_state": {"a": [1, None, 0.5]}}})),
    Case("fields that are null, and output", sent(delta({"reasoning_content": None, "annotations": [], "audio": None, "images": []}), call("a", "f", OSLO), END), asks(A)),
    Case("state with half a character", sent(b'data: {"choices":[{"delta":{"reasoning_content":"\\ud83d"}}]}\n\n', b'data: {"choices":[{"delta":{"reasoning_content":"\\ude00"}}]}\n\n', call("a", "f", OSLO), END), asks(A, thought="😀", state={"message": {"reasoning_content": "😀"}})),
    Case("the id of an event is no state", sent(chunk({"delta": {"role": "assistant", **whole(index=0)}}, system_fingerprint="x"), END), asks(A)),
]  # fmt: skip

CASES = [
    *PIECES,
    *NAMES,
    *(Case(f"repeated: {case.name}", case.bodies, case.right) for case in REPEATS),
    *ARGUMENTS,
    *(Case(f"state: {case.name}", case.bodies, case.right) for case in STATES),
]
