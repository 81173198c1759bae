"""Errors in a 200, in every spelling, and finish reasons."""

# ruff: noqa: E501 - a case is one line

from tests.llm.openai_chat.conformance.case import (
    Case,
    asks,
    call,
    chunk,
    delta,
    either,
    end,
    fails,
    plain,
    says,
    sent,
    text,
)

__all__ = ["CASES"]

HALF = text("Half of")
CUT = {
    "tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"city":"Os'}}]
}
WHOLE = {
    "tool_calls": [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"city":"Oslo"}'}}
    ]
}
LIMIT = {"code": "rate_limit_exceeded", "rate_limited": True}
"""How an answer fails for a rate limit."""
OSLO = ("a", "f", '{"city":"Oslo"}')

ERRORS = [
    Case("an error object", sent({"object": "error", "message": "No memory.", "code": 500}), fails("No memory.")),
    Case("an error object, unstreamed", plain({"object": "error", "message": "Too long."}), fails("Too long.")),
    Case("an error in mid-answer", sent(HALF, {"object": "error", "message": "Gone."}), fails("Gone.", said="Half of")),
    Case("the usual error in mid-answer", sent(HALF, {"error": {"message": "Gone."}}), fails("Gone.", said="Half of")),
    Case("an error without an object", sent({"error": "Gone."}), fails("Gone.")),
    Case("a detail", sent({"detail": "The engine died."}), fails("The engine died.")),
    Case("a detail, unstreamed", plain({"detail": [{"msg": "Field required"}]}), fails("Field required")),
    Case("a detail in mid-answer", sent(HALF, {"detail": "Died."}), fails("Died.", said="Half of")),
    Case("an error code", sent({"text": "Busy.", "error_code": 50001}), fails("Busy.")),
    Case("an error message", sent({"error_msg": "Busy.", "id": 4}), fails("Busy.")),
    Case("errors in the plural", sent({"errors": [{"message": "One."}, {"message": "Two."}]}), fails("One.; Two.")),
    Case("a status alone", sent({"status": 503, "choices": None}), fails("503 Service Unavailable")),
    Case("a message that says success is false", sent({"success": False, "msg": "Busy."}), fails("Busy.")),
    Case("a base response", sent({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "No money."}}), fails("No money.")),
    Case("a base response, unstreamed", plain({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "No money."}}), fails("No money.")),
    Case("a base response that says all is well", sent(text("Hi"), chunk(base_resp={"status_code": 0, "status_msg": "ok"})), says("Hi")),
    Case("an error in a list", sent([{"error": {"code": 503, "message": "Overloaded"}}]), fails("503 Service Unavailable: Overloaded")),
    Case("an error in a list, unstreamed", plain([{"error": {"message": "Overloaded", "status": "UNAVAILABLE"}}]), fails("503 Service Unavailable: Overloaded")),
    Case("an error by the event's name", sent(b'event: error\ndata: {"message":"Died.","code":"internal"}\n\n', done=False), fails("Died. (internal)")),
    Case("an error by the event's name, in words", sent(b"event: error\ndata: It died\n\n", done=False), fails("It died")),
    Case("an error by the event's name, in mid-answer", sent(HALF, b"event: error\ndata: Died\n\n"), fails("Died", said="Half of")),
    Case("an error on a line of its own", sent(HALF, b'{"error":"Died."}\n', done=False), fails("Died.", said="Half of")),
    Case("an error line before any event", plain(b'{"error":"Died."}\n'), fails("Died.")),
    Case("an error field of the event stream", sent(b'error: {"message":"Died."}\n\n', done=False), fails("Died.")),
    Case("words in place of a document", sent(b"data: upstream died\n\n"), fails("upstream died")),
    Case("a JSON text in place of a document", sent("upstream died"), fails("upstream died")),
    Case("an error in the choice", sent(delta({}, error={"message": "Died.", "code": 502})), fails("502 Bad Gateway: Died.")),
    Case("an error in the choice, in mid-answer", sent(HALF, delta({}, "error", error={"message": "Died."})), fails("Died.", said="Half of")),
    Case("an error in the choice, unstreamed", plain({"choices": [{"error": {"message": "Died."}}]}), fails("Died.")),
    Case("an error beside choices", sent(chunk({"delta": {"content": "Half of"}}, error={"message": "Died."})), fails("Died.", said="Half of")),
    Case("errors that say nothing", sent(text("Hi"), chunk(error=None), chunk(error={}), chunk(error=""), chunk(error=False), end("stop")), says("Hi")),
    Case("an error without words", sent({"error": {"code": 500}}), fails("500 Internal Server Error")),
    Case("an error with a control character", sent({"error": "a\x1b[31mb"}), fails("a [31mb")),
    Case("an error with half a character", sent(b'data: {"error":"a\\ud83d"}\n\n'), fails("a\ufffd")),
    Case("an error behind the end", sent(text("Hi"), end("stop"), b"data: [DONE]\n\n", {"error": "Late."}), says("Hi")),
    Case("an error behind the reason", sent(text("Hi"), end("stop"), {"error": "Late."}), says("Hi")),
    Case("broken JSON behind the reason", sent(text("Hi"), end("stop"), b"data: {broken\n\n"), says("Hi")),
    Case("an error beside the reason", sent(chunk({"delta": {"content": "Hi"}, "finish_reason": "stop"}, error="Died.")), fails("Died.", said="Hi")),
    Case("nothing but the end", sent(), fails("without choices")),
    Case("a usage alone", sent(chunk(usage={"prompt_tokens": 7, "completion_tokens": 3})), fails("without choices")),
    Case("a usage alone, unstreamed", plain({"choices": [], "usage": {"prompt_tokens": 7}}), fails("without choices")),
    Case("a role and the end", sent(delta({"role": "assistant", "content": ""})), fails("without a word")),
    Case("a choice that is null", sent({"choices": [None]}), fails("without choices")),
    Case("a choice without a message", plain({"choices": [{}]}), fails("without a word")),
    Case("a heartbeat before the answer", sent({"type": "ping"}, b"event: ping\ndata: {}\n\n", text("Hi")), says("Hi")),
]  # fmt: skip

LIMITS = [
    Case("a rate limit by its code", sent({"error": {"message": "Slow.", "code": "rate_limit_exceeded"}}), fails("Slow.", **LIMIT)),
    Case("a rate limit by its type", sent({"error": {"message": "Slow.", "type": "rate_limit_error"}}), fails("Slow.", **LIMIT)),
    Case("a rate limit by a number", sent({"error": {"message": "Slow.", "code": 429}}), fails("Slow.", **LIMIT)),
    Case("a rate limit by digits", sent({"error": {"message": "Slow.", "code": "429"}}), fails("Slow.", **LIMIT)),
    Case("a rate limit by its status", sent({"error": {"message": "Slow.", "status": "RESOURCE_EXHAUSTED"}}), fails("Slow.", **LIMIT)),
    Case("a rate limit in camel case", sent({"error": {"message": "Slow.", "type": "TooManyRequests"}}), fails("Slow.", **LIMIT)),
    Case("a rate limit in words", sent({"error": "Rate limit reached for this model"}), fails("Rate limit", **LIMIT)),
    Case("a rate limit in text", sent(b"event: error\ndata: Error 429: slow down\n\n"), fails("slow down", **LIMIT)),
    Case("a rate limit outside the error", sent({"error": {"message": "Slow."}, "status_code": 429}), fails("Slow.", **LIMIT)),
    Case("a rate limit, unstreamed", plain({"error": {"message": "Slow.", "code": "rate_limit_exceeded"}}), fails("Slow.", **LIMIT)),
    Case("a rate limit in mid-answer", sent(HALF, {"error": {"message": "Slow.", "code": "429"}}), fails("Slow.", said="Half of", **LIMIT)),
    Case("a rate limit in the choice", sent(delta({}, "error", error={"code": 429, "message": "Slow."})), fails("Slow.", **LIMIT)),
    Case("a rate limit of the base response", sent({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}), fails("rate limit", **LIMIT)),
    Case("an exhausted account", sent({"error": {"message": "Pay.", "type": "insufficient_quota"}}), fails("Pay.", code="rate_limit_exceeded")),
    Case("an overload by its type", sent({"error": {"message": "Busy.", "type": "overloaded_error"}}), fails("503 Service Unavailable: Busy.")),
    Case("a refused prompt", sent({"error": {"message": "Bad.", "type": "invalid_request_error"}}), fails("Bad.", code="invalid_prompt")),
]  # fmt: skip

FINISHES = [
    *(Case(f"text that ends with {reason!r}", either({"content": "Hi"}, reason), says("Hi")) for reason in (
        "stop", "STOP", "end_turn", "eos", "eos_token", "stop_sequence", "FINISH_REASON_STOP", "COMPLETE", "completed",
        "tool_calls", "something new", {"type": "stop"}, 7, True,
    )),
    *(Case(f"text cut by {reason!r}", either({"content": "Half of"}, reason), says("Half of", "length")) for reason in (
        "length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens", "model_context_window_exceeded",
    )),
    *(Case(f"text held back by {reason!r}", either({"content": "Half of"}, reason), says("Half of", "content_filter")) for reason in (
        "content_filter", "sensitive", "SAFETY", "content_filter: PROHIBITED_CONTENT", "RECITATION", "refusal",
    )),
    *(Case(f"text that fails with {reason!r}", either({"content": "Half of"}, reason), fails(f"'{reason}'", said="Half of")) for reason in (
        "error", "ERROR", "abort", "network_error", "insufficient_system_resource", "cancelled", "OTHER", "engine_error",
    )),
    *(Case(f"a call cut by {reason!r}", either(CUT, reason), asks(("a", "f", '{"city":"Os'), finish="length")) for reason in (
        "length", "max_tokens", "model_length",
    )),
    *(Case(f"a call that fails with {reason!r}", either(CUT, reason), fails(f"'{reason}'")) for reason in (
        "error", "network_error", "abort", "MALFORMED_FUNCTION_CALL",
    )),
    *(Case(f"a call that ends with {reason!r}", either(WHOLE, reason), asks(OSLO)) for reason in (
        "tool_calls", "stop", "tool_use", "function_call", "TOOL_CALLS", "something new",
    )),
    Case("nothing, for a malformed call", sent(delta({"content": ""}), end("function_call_filter: MALFORMED_FUNCTION_CALL")), fails("MALFORMED_FUNCTION_CALL")),
    Case("a cut call and an unknown reason", either(CUT, "something new"), fails("in the middle of a call")),
    Case("a cut call and no reason", sent(delta(CUT)), fails("in the middle of a call")),
    Case("a whole call and no reason", sent(delta(WHOLE)), asks(OSLO)),
    Case("calls that were announced, and none", sent(delta({"role": "assistant"}), end("tool_calls")), fails("without a word")),
    Case("text and no reason", sent(text("Hi")), says("Hi")),
    Case("text and no end", sent(text("Half of"), done=False), fails("broke off", said="Half of")),
    Case("a reason in every event", sent(delta({"content": "It "}, "stop"), delta({"content": "is."}, "stop")), says("It is.")),
    Case("an empty reason in every event", sent(delta({"content": "It "}, ""), delta({"content": "is."}, ""), end("stop")), says("It is.")),
    Case("the reason before the call", sent(end("stop"), call("a", "f", '{"city":"Oslo"}')), asks(OSLO)),
    Case("stop, and then length", sent(delta({"content": "It "}, "stop"), delta({"content": "is"}, "length")), says("It is", "length")),
    Case("length, and then stop", sent(delta({"content": "It "}, "length"), end("stop")), says("It ", "length")),
    Case("the reason null as a text", sent(delta({"content": "Hi"}, "null"), end("stop")), says("Hi")),
    Case("nothing said, and stop", either({"role": "assistant", "content": ""}), says("")),
]  # fmt: skip

CASES = [*ERRORS, *LIMITS, *FINISHES]
