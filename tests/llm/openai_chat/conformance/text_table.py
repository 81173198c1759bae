"""Text, thinking, usage, and fields of odd types."""

# ruff: noqa: E501 - a case is one line

from typing import Any

from tests.llm.openai_chat.conformance.case import (
    Case,
    Right,
    asks,
    call,
    chunk,
    counts,
    delta,
    either,
    end,
    fails,
    last,
    plain,
    says,
    sent,
    text,
)

__all__ = ["CASES"]

HI = says("Hi")
SUNNY = says("It is sunny.")
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
CALL = [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
F = ("a", "f", "{}")


def reasoned(**fields: Any) -> dict[str, Any]:
    return delta(fields)


TYPES = [
    Case("content in parts", either({"content": [{"type": "text", "text": "It is "}, {"type": "text", "text": "sunny."}]}), SUNNY),
    Case("content as one part", either({"content": {"type": "text", "text": "Hi"}}), HI),
    Case("content in texts", either({"content": ["It is ", "sunny."]}), SUNNY),
    Case("content whose text is an object", either({"content": [{"type": "text", "text": {"value": "Hi"}}]}), HI),
    Case("content with a part of another kind", either({"content": [{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "Hi"}]}), HI),
    Case("content in parts of another API", either({"content": [{"type": "output_text", "text": "It is "}, {"type": "text", "content": "sunny."}]}), SUNNY),
    Case("content in lists of parts", either({"content": [[{"type": "text", "text": "It is "}], [{"text": {"value": "sunny."}}]]}), SUNNY),
    Case("content that is an object with parts", either({"content": {"role": "model", "parts": [{"text": "It is "}, {"text": "sunny."}]}}), SUNNY),
    Case("content inside content", either({"content": {"content": "Hi"}}), HI),
    Case("content with a refusal among its parts", either({"content": [{"type": "refusal", "refusal": "No."}]}), says("No.")),
    Case("content with parts that are thoughts", either({"content": [{"text": "Hm.", "thought": True}, {"text": "Hi"}]}), says("Hi", thought="Hm.")),
    Case("content with a summary of the reasoning", either({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm.", "signature": "S=="}]}, {"type": "text", "text": "Hi"}]}), says("Hi", thought="Hm.")),
    Case("content nested without end", plain(b'{"choices":[{"message":{"content":' + b"[" * 100 + b'"Hi"' + b"]" * 100 + b'},"finish_reason":"stop"}]}'), says("")),
    Case("calls as JSON in a text", either({"tool_calls": '[{"id":"a","function":{"name":"f","arguments":"{}"}}]'}, "tool_calls"), asks(F)),
    Case("calls that are an empty text", either({"content": "Hi", "tool_calls": ""}), HI),
    Case("a function as JSON in a text", either({"tool_calls": [{"id": "a", "function": '{"name":"f","arguments":"{}"}'}]}, "tool_calls"), asks(F)),
    *(Case(f"arguments under the name {name}", either({"tool_calls": [{"id": "a", "function": {"name": "f", name: {"x": 1}}}]}, "tool_calls"), asks(("a", "f", '{"x":1}'))) for name in ("parameters", "args", "input")),
    Case("a call without its function, and input", either({"tool_calls": [{"id": "a", "name": "f", "input": {"x": 1}}]}, "tool_calls"), asks(("a", "f", '{"x":1}'))),
    *(Case(f"the document inside {name}", [*sent({name: {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}}), *plain({name: {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}, "success": True, "code": 200})], HI) for name in ("response", "result", "data", "body")),
    Case("the document inside a list", plain([{"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}]), HI),
    Case("the role in capitals", sent(delta({"role": "ASSISTANT", "content": "Hi"}), end("STOP")), HI),
    Case("content that is a number", either({"content": 4}), says("4")),
    Case("content that is false", sent(delta({"content": False}), text("Hi")), HI),
    Case("a delta that is a text", sent(delta("Hi")), HI),
    Case("a message that is a text", plain({"choices": [{"message": "Hi", "finish_reason": "stop"}]}), HI),
    Case("the text of another API", plain({"choices": [{"text": "Hi", "finish_reason": "stop"}]}), HI),
    Case("the text of another API, streamed", sent(chunk({"text": "It is "}), chunk({"text": "sunny.", "finish_reason": "stop"})), SUNNY),
    Case("one choice that is no list", plain({"choices": {"message": {"content": "Hi"}}}), HI),
    Case("choices that are null at first", sent({"choices": None}, {"choices": [None]}, text("Hi")), HI),
    Case("an index that is a text", sent(chunk({"index": "0", "delta": {"content": "Hi"}}), chunk({"index": "1", "delta": {"content": "No"}})), HI),
    Case("an index that is null", sent(chunk({"index": None, "delta": {"content": "Hi"}})), HI),
    Case("a delta that is null", sent(text("Hi"), delta(None, "stop")), HI),
    Case("fields of odd types that are never used", sent(chunk({"index": 0, "delta": {"role": 5, "content": "Hi"}, "logprobs": "none"}, id=7, created="now", model=[], object={})), HI),
    Case("an event that is null", sent(text("Hi"), None, end("stop")), HI),
    Case("events that are numbers", sent(text("Hi"), 5, True, end("stop")), HI),
    Case("an empty event", sent(text("Hi"), b"data:\n\n", b"data: \n\n", {}, [], end("stop")), HI),
    Case("NaN", sent(b'data: {"choices":[{"delta":{"content":"Hi"},"logprobs":NaN}],"cost":Infinity}\n\n'), HI),
    Case("a number beyond every type", sent(b'data: {"choices":[{"delta":{"content":"Hi"}}],"created":1e999,"id":123456789012345678901234567890}\n\n'), HI),
    Case("a control character inside a text", sent(b'data: {"choices":[{"delta":{"content":"a\tb"}}]}\n\n'), says("a\tb")),
    Case("a refusal", either({"content": None, "refusal": "No."}), Right(refused="No.")),
    Case("a refusal in parts", either({"refusal": [{"type": "text", "text": "No."}]}), Right(refused="No.")),
    Case("a refusal that is false", either({"content": "Hi", "refusal": False}), HI),
    Case("calls that are null", either({"content": "Hi", "tool_calls": None, "function_call": None}), HI),
    Case("calls that are an empty object", either({"content": "Hi", "tool_calls": {}}), HI),
]  # fmt: skip

REPEATS = [
    Case("the whole message at the end", sent(text("It is "), text("sunny."), last({"content": "It is sunny."})), SUNNY),
    Case("another message at the end", sent(text("It is "), text("sunny."), last({"content": " It is sunny. "})), SUNNY),
    Case("the whole text in the last delta", sent(text("It is really "), text("sunny."), delta({"content": "It is really sunny."}, "stop")), says("It is really sunny.")),
    Case("the whole text in the last delta, without its white space", sent(text(" It is really "), text("sunny.\n"), delta({"content": "It is really sunny."}, "stop")), says(" It is really sunny.\n")),
    Case("the whole text behind the reason", sent(text("It is really "), text("sunny."), end("stop"), text("It is really sunny.")), says("It is really sunny.")),
    Case("the whole text beside the usage", sent(text("It is really "), text("sunny."), end("stop"), chunk({"delta": {"content": "It is really sunny."}}, usage=USAGE)), says("It is really sunny.", usage=(7, 3))),
    Case("the whole text in parts in the last delta", sent(text([{"type": "text", "text": "It is really "}]), text("sunny."), delta({"content": [{"type": "text", "text": "It is really sunny."}]}, "stop")), says("It is really sunny.")),
    Case("the whole refusal in the last delta", sent(delta({"refusal": "I cannot help "}), delta({"refusal": "with that."}), delta({"refusal": "I cannot help with that."}, "stop")), Right(refused="I cannot help with that.")),
    Case("the whole refusal in the last message", sent(delta({"refusal": "I cannot help "}), delta({"refusal": "with that."}), last({"refusal": "I cannot help with that."})), Right(refused="I cannot help with that.")),
    Case("the whole reasoning in a later delta", sent(reasoned(reasoning_content="I think a "), reasoned(reasoning_content="long thought."), delta({"reasoning_content": "I think a long thought.", "content": "Hi"}), end("stop")), says("Hi", thought="I think a long thought.")),
    Case("the whole reasoning in the last message", sent(reasoned(reasoning_content="I think."), text("Hi"), last({"reasoning_content": "I think.", "content": "Hi"})), says("Hi", thought="I think.")),
    Case("the same words in two deltas that are not the last", sent(text("It is sunny, it is. "), text("It is sunny, it is. "), end("stop")), says("It is sunny, it is. " * 2)),
    Case("the reason twice", sent(text("Hi"), end("stop"), end("stop")), HI),
    Case("a short word twice", sent(text("ha"), delta({"content": "ha"}, "stop")), says("haha")),
    Case("messages that grow", sent(last({"content": "It is "}, ""), last({"content": "It is sunny."})), SUNNY),
    Case("messages in place of deltas", sent(last({"content": "It is "}, ""), last({"content": "sunny."})), SUNNY),
    Case("a message alone", sent(last({"content": "It is sunny."})), SUNNY),
    Case("an empty delta beside the message", sent(chunk({"delta": {}, "message": {"content": "Hi"}, "finish_reason": "stop"})), HI),
    Case("the call in the last message alone", sent(text("Hm."), last({"content": "Hm.", "tool_calls": CALL}, "tool_calls")), asks(F, said="Hm.")),
]  # fmt: skip

THINKING = [
    Case("reasoning content", sent(reasoned(reasoning_content="I "), reasoned(reasoning_content="think."), text("Hi"), end("stop")), says("Hi", thought="I think.")),
    Case("reasoning content, unstreamed", plain({"choices": [{"message": {"reasoning_content": "I think.", "content": "Hi"}}]}), says("Hi", thought="I think.")),
    Case("reasoning", sent(reasoned(reasoning="I "), reasoned(reasoning="think."), text("Hi")), says("Hi", thought="I think.")),
    Case("the same reasoning under two names", sent(reasoned(reasoning="Hm.", reasoning_content="Hm."), text("Hi")), says("Hi", thought="Hm.")),
    Case("thinking alone, and stop", sent(reasoned(reasoning_content="Hm."), end("stop")), says("", thought="Hm.")),
    Case("thinking alone, and no reason", sent(reasoned(reasoning_content="Hm.")), fails("without a word")),
    Case("thinking parts", sent(text([{"type": "thinking", "thinking": [{"type": "text", "text": "I "}]}]), text([{"type": "thinking", "thinking": [{"type": "text", "text": "think."}]}]), text([{"type": "text", "text": "Hi"}])), says("Hi", thought="I think.")),
    Case("a thinking part, unstreamed", plain({"choices": [{"message": {"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}]}}]}), says("Hi", thought="Hm.")),
    Case("tags", either({"content": "<think>Hm.</think>\n\nHi"}), says("Hi", thought="<think>Hm.</think>\n\n")),
    Case("tags in pieces", sent(text("\n<th"), text("ink>H"), text("m.</th"), text("ink>"), text("\n"), text("\n"), text("Hi")), says("Hi", thought="\n<think>Hm.</think>\n\n")),
    Case("tags of another model", either({"content": "[THINK]Hm.[/THINK]Hi"}), says("Hi", thought="[THINK]Hm.[/THINK]")),
    Case("a tag in the middle of the text", either({"content": "Write <think>x</think>."}), says("Write <think>x</think>.")),
    Case("the last tag at the beginning", either({"content": "</think>\n\nHi"}), says("Hi", thought="</think>\n\n")),
    Case("the last tag at the beginning, in pieces", sent(text("\n</th"), text("ink>"), text("\n\n"), text("Hi"), end("stop")), says("Hi", thought="\n</think>\n\n")),
    Case("the last tag behind separated thinking", sent(reasoned(reasoning_content="Hm."), text("</think>"), text("Hi"), end("stop")), says("Hi", thought="Hm.</think>")),
    Case("other tags of a model", either({"content": "<seed:think>Hm.</seed:think>Hi"}), says("Hi", thought="<seed:think>Hm.</seed:think>")),
    Case("a tag that is no tag", sent(text("<th"), text("ree")), says("<three")),
    Case("a first tag without the last", either({"content": "<think> is a tag."}), says("<think> is a tag.")),
    Case("thinking that was cut", either({"content": "<think>Hm"}, "length"), says("", "length", thought="<think>Hm")),
    Case("tags alone", either({"content": "<think>Hm.</think>"}), says("", thought="<think>Hm.</think>")),
    Case("white space before the text", sent(text("\n"), text("\nHi")), says("\n\nHi")),
    Case("white space alone", either({"content": "\n"}), says("\n")),
    Case("white space before a call", sent(text("\n\n"), call("a", "f", "{}"), end("tool_calls")), asks(F)),
    Case("thinking before a call", sent(text("<think>Hm.</think>\n\n"), call("a", "f", "{}"), end("tool_calls")), asks(F, thought="<think>Hm.</think>\n\n", state={"thought": "<think>Hm.</think>\n\n"})),
]  # fmt: skip

COUNTED = says("Hi", usage=(7, 3))
UNCOUNTED = HI

USAGES = [
    Case("a usage", either({"content": "Hi"}, usage=USAGE), COUNTED),
    Case("a usage in floats", either({"content": "Hi"}, usage={"prompt_tokens": 7.0, "completion_tokens": 3.0, "total_tokens": 10.0}), COUNTED),
    Case("a usage in digits", either({"content": "Hi"}, usage={"prompt_tokens": "7", "completion_tokens": "3"}), COUNTED),
    Case("details of odd types", either({"content": "Hi"}, usage={**USAGE, "prompt_tokens_details": [{"modality": "TEXT"}], "completion_tokens_details": "none"}), COUNTED),
    Case("details in floats", either({"content": "Hi"}, usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 1.0}}), COUNTED),
    Case("a usage by its newer names", either({"content": "Hi"}, usage={"input_tokens": 7, "output_tokens": 3}), COUNTED),
    Case("a usage that is a list", either({"content": "Hi"}, usage=[]), UNCOUNTED),
    Case("a usage that is a text", either({"content": "Hi"}, usage="none"), UNCOUNTED),
    Case("a hollow usage", either({"content": "Hi"}, usage={"prompt_tokens_details": {"cached_tokens": 0}}), UNCOUNTED),
    Case("a usage of zeros", either({"content": "Hi"}, usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}), UNCOUNTED),
    Case("a negative usage", either({"content": "Hi"}, usage={"prompt_tokens": 7, "completion_tokens": -5000}), says("Hi", usage=(7, 0))),
    Case("an absurd usage", either({"content": "Hi"}, usage={"prompt_tokens": 2**63, "completion_tokens": 3}), says("Hi", usage=(0, 3))),
    Case("a usage that is no number", sent(text("Hi"), b'data: {"choices":[],"usage":{"prompt_tokens":NaN,"completion_tokens":Infinity}}\n\n'), UNCOUNTED),
    Case("a hollow usage at the end", sent(text("Hi"), counts(USAGE), counts({"prompt_tokens_details": {"cached_tokens": 0}})), COUNTED),
    Case("a usage of zeros at the end", sent(text("Hi"), counts(USAGE), counts({"total_tokens": 0})), COUNTED),
    Case("half a usage at the end", sent(text("Hi"), counts({"prompt_tokens": 7, "completion_tokens": 1}), counts({"completion_tokens": 3})), COUNTED),
    Case("running totals", sent(text("Hi"), counts({"prompt_tokens": 7, "completion_tokens": 1}), counts(USAGE)), COUNTED),
    Case("the prompt and the sum", either({"content": "Hi"}, usage={"prompt_tokens": 7, "total_tokens": 10}), COUNTED),
    Case("the completion and the sum", either({"content": "Hi"}, usage={"completion_tokens": 3, "total_tokens": 10}), COUNTED),
    Case("the sum alone", either({"content": "Hi"}, usage={"total_tokens": 10}), UNCOUNTED),
    Case("a sum that has more than its parts", either({"content": "Hi"}, usage={**USAGE, "total_tokens": 110}), COUNTED),
    Case("a usage in a list", either({"content": "Hi"}, usage=[USAGE]), COUNTED),
    Case("a usage in camel case", either({"content": "Hi"}, usage={"promptTokens": 7, "completionTokens": 3}), COUNTED),
    Case("a usage in camel case by its newer names", either({"content": "Hi"}, usage={"inputTokens": 7, "outputTokens": 3}), COUNTED),
    Case("a usage as another API counts it", either({"content": "Hi"}, usage={"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}), COUNTED),
    Case("zeros under one name and counts under the other", either({"content": "Hi"}, usage={"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 7, "output_tokens": 3}), COUNTED),
    Case("counts that are objects", either({"content": "Hi"}, usage={"prompt_tokens": {"total": 7}, "completion_tokens": 3}), says("Hi", usage=(0, 3))),
    Case("counts that are true", either({"content": "Hi"}, usage={"prompt_tokens": True, "completion_tokens": 3}), says("Hi", usage=(0, 3))),
    Case("a usage in the choice", sent(delta({"content": "Hi"}, "stop", usage=USAGE)), COUNTED),
    Case("a usage under another name", sent(text("Hi"), chunk(x_groq={"usage": USAGE})), COUNTED),
    Case("a usage before the text", sent(counts(USAGE), text("Hi"), end("stop")), COUNTED),
]  # fmt: skip

CASES = [*TYPES, *REPEATS, *THINKING, *USAGES]
