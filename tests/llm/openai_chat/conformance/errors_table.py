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
    Case("the error of a cloud's gateway", sent({"message": "Down", "__type": "ServiceUnavailableException"}), fails("503 Service Unavailable: Down")),
    Case("an error in capital letters", sent({"Error": {"Message": "Died."}}), fails("Died.")),
    Case("a message in capital letters", sent({"Message": "Not authorized"}), fails("Not authorized")),
    Case("an error in camel case", sent({"errorCode": 500, "errorMessage": "Died."}), fails("500 Internal Server Error: Died.")),
    Case("the error message of a function", plain({"errorMessage": "Task timed out"}), fails("Task timed out")),
    Case("a fault", sent({"fault": {"faultstring": "Died.", "detail": {"errorcode": "steps.Died"}}}), fails("Died.")),
    Case("a problem by its title", sent({"type": "about:blank", "title": "Bad Request", "status": 400}), fails("400 Bad Request", code="invalid_prompt")),
    Case("a status in words", sent({"status": "error", "reason": "Died."}), fails("Died.")),
    Case("an event in the document", sent({"event": "error", "data": {"message": "Died."}}), fails("Died.")),
    Case("errors that say that success is false", sent({"success": False, "errors": [{"code": 7, "message": "Died."}], "result": None}), fails("Died.")),
    Case("an error inside a response", sent({"response": {"error": {"message": "Died."}}}), fails("Died.")),
    Case("an error inside metadata of a response", plain({"ResponseMetadata": {"Error": {"Code": "Died", "Message": "Gone."}}}), fails("Gone. (Died)")),
    Case("an error beside a usage of zeros", sent({"usage": {"prompt_tokens": 0, "completion_tokens": 0}, "message": "Died.", "code": 500}), fails("500 Internal Server Error: Died.")),
    Case("an error beside a usage", sent({"usage": {"prompt_tokens": 7}, "object": "error", "message": "Died.", "code": 500}), fails("500 Internal Server Error: Died.")),
    Case("an exception", plain({"exception": "ValueError: no"}), fails("ValueError: no")),
    Case("an error description", sent({"error": "", "error_description": "Died."}), fails("Died.")),
    Case("an error that is true", sent({"error": True, "message": "Died."}), fails("Died.")),
    Case("an error in a JSON text", sent({"error": '{"error":{"message":"Died.","code":502}}'}), fails("502 Bad Gateway: Died.")),
    Case("an error whose message is JSON", plain({"error": {"message": '{"message":"Died.","code":502}'}}), fails("502 Bad Gateway: Died.")),
    Case("an error of a provider", sent({"error": {"message": "Provider returned error", "code": 502, "metadata": {"raw": '{"error":{"message":"Died."}}', "provider_name": "X"}}}), fails("502 Bad Gateway: Died.")),
    Case("an error of a provider as an event", sent({"error": {"message": "Provider returned error", "metadata": {"raw": 'data: {"error":{"message":"Died."}}'}}}), fails("Died.")),
    Case("an error of a provider without words of the gateway", sent({"error": {"message": None, "metadata": {"raw": "Died."}}}), fails("Died.")),
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
    Case("a rate limit of a cloud", sent({"message": "Too many tokens", "__type": "ThrottlingException"}), fails("Too many tokens", **LIMIT)),
    Case("a rate limit by another code", sent({"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "Slow."}), fails("Slow.", **LIMIT)),
    Case("a rate limit by another type", sent({"error": {"message": "Slow.", "type": "rate_limit_reached_error"}}), fails("Slow.", **LIMIT)),
    Case("a rate limit by a code with a dot", plain({"code": "Throttling.AllocationQuota", "message": "Slow."}), fails("Slow.", **LIMIT)),
    Case("a rate limit that asks to slow down", sent({"error": {"message": "Slow.", "code": "slow_down"}}), fails("Slow.", **LIMIT)),
    Case("a rate limit in a fault", sent({"fault": {"faultstring": "Rate limit quota violation"}}), fails("quota violation", **LIMIT)),
    Case("a rate limit in a JSON text", sent({"error": '{"error":{"message":"Slow.","code":429}}'}), fails("Slow.", **LIMIT)),
    Case("a rate limit of a provider", sent({"error": {"message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"Slow.","code":429}}'}}}), fails("Slow.", **LIMIT)),
    Case("another exhausted account", sent({"error": {"message": "Pay.", "type": "exceeded_current_quota_error"}}), fails("Pay.", code="rate_limit_exceeded")),
    Case("an overload by another type", sent({"error": "Busy.", "error_type": "overloaded"}), fails("503 Service Unavailable: Busy.")),
    Case("a timeout by its type", sent({"error": {"message": "Late.", "type": "ModelTimeoutException"}}), fails("504 Gateway Timeout: Late.")),
    Case("an exhausted account", sent({"error": {"message": "Pay.", "type": "insufficient_quota"}}), fails("Pay.", code="rate_limit_exceeded")),
    Case("an overload by its type", sent({"error": {"message": "Busy.", "type": "overloaded_error"}}), fails("503 Service Unavailable: Busy.")),
    Case("a refused prompt", sent({"error": {"message": "Bad.", "type": "invalid_request_error"}}), fails("Bad.", code="invalid_prompt")),
]  # fmt: skip

FINISHES = [
    *(Case(f"text that ends with {reason!r}", either({"content": "Hi"}, reason), says("Hi")) for reason in (
        "stop", "STOP", "end_turn", "eos", "eos_token", "stop_sequence", "FINISH_REASON_STOP", "COMPLETE", "completed",
        "tool_calls", "something new", {"type": "stop"}, 7, True, ["stop"], [], "<|im_end|>", "</s>", "stop_str", "STREAM_END",
    )),
    *(Case(f"text cut by {reason!r}", either({"content": "Half of"}, reason), says("Half of", "length")) for reason in (
        "length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens", "model_context_window_exceeded",
        ["length"], {"type": "length"}, "context_overflow", "out_of_tokens", "token_limit_reached",
    )),
    *(Case(f"text held back by {reason!r}", either({"content": "Half of"}, reason), says("Half of", "content_filter")) for reason in (
        "content_filter", "sensitive", "SAFETY", "content_filter: PROHIBITED_CONTENT", "RECITATION", "refusal",
        "content_policy_violation", "guardrail", "hate", "unsafe", "copyright",
    )),
    *(Case(f"text that fails with {reason!r}", either({"content": "Half of"}, reason), fails(f"'{reason}'", said="Half of")) for reason in (
        "error", "ERROR", "abort", "network_error", "insufficient_system_resource", "cancelled", "OTHER", "engine_error",
        "rate_limit", "network", "connection_closed", "preempted", "server_busy", "unfinished", "ERROR_TOXIC", "shutdown",
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
