"""The words in which model servers refuse a field of a request."""

from typing import Any, NamedTuple

__all__ = ["WORDINGS", "Wording", "forbidden", "hosted", "unsupported"]


class Wording(NamedTuple):
    """An error answer, and the fields that it is about."""

    server: str
    body: Any
    fields: tuple[str, ...]
    """All of these together are refused."""
    left_out: tuple[str, ...]
    status: int = 400


def hosted(message: str, param: str | None, code: str | None) -> Any:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def unsupported(name: str) -> Any:
    return hosted(f"Unsupported parameter: '{name}' is not supported with this model.", name, "unsupported_parameter")


def forbidden(*place: str | int) -> Any:
    return [{"type": "extra_forbidden", "loc": ["body", *place], "msg": "Extra inputs are not permitted", "input": 1}]


BOTH = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
UNVERIFIED = hosted("Your organization must be verified to stream this model.", "stream", "unsupported_value")
NO_STREAM = "Unsupported value: 'stream' does not support true with this model. Supported values are: false."
WORDINGS = [
    Wording("openai, top_p", unsupported("top_p"), ("top_p",), ("top_p",)),
    Wording("openai, parallel", unsupported("parallel_tool_calls"), ("parallel_tool_calls",), ("parallel_tool_calls",)),
    Wording(
        "openai, value",
        hosted(
            "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is "
            "supported.",
            "temperature",
            "unsupported_value",
        ),
        ("temperature",),
        ("temperature",),
    ),
    Wording(
        "openai, no stream", hosted(NO_STREAM, "stream", "unsupported_value"), ("stream",), ("stream", "stream_options")
    ),
    Wording("openai, not verified", UNVERIFIED, ("stream",), ("stream", "stream_options")),
    Wording(
        "a copilot gateway",
        {"error": {"message": "Unsupported parameter: 'top_p' is not supported.", "code": "invalid_request_body"}},
        ("top_p",),
        ("top_p",),
    ),
    Wording("a small gateway", {"detail": "Unsupported parameter: top_p"}, ("top_p",), ("top_p",)),
    Wording(
        "azure, an old version",
        hosted("Unrecognized request argument supplied: stream_options", None, None),
        ("stream_options",),
        ("stream_options",),
    ),
    Wording(
        "azure",
        hosted("Unknown parameter: 'stream_options'.", "stream_options", "unknown_parameter"),
        ("stream_options",),
        ("stream_options",),
    ),
    Wording(
        "anthropic, both",
        {"type": "error", "error": {"type": "invalid_request_error", "message": BOTH}, "request_id": "req_1"},
        ("temperature", "top_p"),
        ("top_p",),
    ),
    Wording(
        "anthropic, deprecated",
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "`temperature` is deprecated for this model."},
        },
        ("temperature",),
        ("temperature",),
    ),
    Wording(
        "bedrock behind a gateway",
        hosted(f'BedrockException - {{"message":"The model returned the following errors: {BOTH}"}}', None, "400"),
        ("temperature", "top_p"),
        ("top_p",),
    ),
    Wording(
        "litellm",
        hosted("UnsupportedParamsError: x does not support parameters: {'parallel_tool_calls': False}", None, "400"),
        ("parallel_tool_calls",),
        ("parallel_tool_calls",),
    ),
    Wording(
        "litellm, value",
        hosted("gpt-5 models don't support temperature=0.2. Only temperature=1 is supported.", None, "400"),
        ("temperature",),
        ("temperature",),
    ),
    Wording(
        "mistral",
        {"object": "error", "message": {"detail": forbidden("stream_options", "include_usage")}, "param": None},
        ("stream_options",),
        ("stream_options",),
        422,
    ),
    Wording(
        "fastapi, two at once",
        {"detail": forbidden("stream_options") + forbidden("parallel_tool_calls")},
        ("stream_options", "parallel_tool_calls"),
        ("stream_options", "parallel_tool_calls"),
        422,
    ),
    Wording(
        "a pydantic error as text",
        {"object": "error", "message": f"{forbidden('stream_options')}", "code": 400},
        ("stream_options",),
        ("stream_options",),
    ),
    Wording(
        "gemini",
        [
            {
                "error": {
                    "code": 400,
                    "message": 'Invalid JSON payload received. Unknown name "parallel_tool_calls": Cannot find field.',
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        ("parallel_tool_calls",),
        ("parallel_tool_calls",),
    ),
    Wording(
        "databricks",
        {"error_code": "BAD_REQUEST", "message": 'Bad request: json: unknown field "stream_options"'},
        ("stream_options",),
        ("stream_options",),
    ),
    Wording(
        "groq, before it knew it",
        {"error": {"message": "property 'stream_options' is unsupported, did you mean 'stream'?"}},
        ("stream_options",),
        ("stream_options",),
    ),
    Wording(
        "groq, effort",
        {"error": {"message": "`reasoning_effort` must be one of `none` or `default`"}},
        ("reasoning_effort",),
        ("reasoning_effort",),
    ),
    Wording(
        "xai",
        {"code": "invalid-argument", "error": "Model grok-4 does not support parameter reasoningEffort."},
        ("reasoning_effort",),
        ("reasoning_effort",),
    ),
    Wording(
        "cerebras",
        {
            "message": "parallel_tool_calls=False is not supported by this model.",
            "param": "parallel_tool_calls",
            "code": "wrong_api_format",
        },
        ("parallel_tool_calls",),
        ("parallel_tool_calls",),
    ),
    Wording(
        "moonshot",
        {
            "error": {
                "message": "invalid temperature: only 1 is allowed for this model",
                "type": "invalid_request_error",
            }
        },
        ("temperature",),
        ("temperature",),
    ),
    Wording(
        "openrouter",
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {"raw": '{\n "error": {"message": "No.", "param": "stream"}}', "provider_name": "OpenAI"},
            }
        },
        ("stream",),
        ("stream", "stream_options"),
    ),
    Wording("no json", b"top_p: unknown field", ("top_p",), ("top_p",)),
]
