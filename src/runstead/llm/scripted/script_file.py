"""Scripts in files, for demonstrations:

    words_per_second = 20

    [[answer]]
    when = "weather"                               # if the user's last message contains this text,
    call.get_weather = { city = "Oslo" }           # first call this function,
    say = "They say: {output}"                     # then answer with this text

The first answer that matches is used; without `when`, an answer always matches. Without a match the user's message is
repeated.
"""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from runstead.domain.model_call import ModelRequest
from runstead.llm.chat_messages import last_text_of_role
from runstead.llm.scripted.model import ScriptedModel
from runstead.llm.scripted.script import Turn, call
from runstead.wire.error import RunsteadError

__all__ = ["load_scripted_model"]


class _Answer(Struct, frozen=True, forbid_unknown_fields=True):
    when: str = ""
    call: dict[str, dict[str, Any]] = {}
    say: str = "Done."


_ECHO = _Answer(say="You said: {message}")


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    words_per_second: float | None = None
    answer: tuple[_Answer, ...] = ()


def load_scripted_model(path: Path | None = None) -> ScriptedModel:
    """The model of a TOML or JSON file; without a file, a model that repeats the user's message."""
    file = _read(path) if path is not None else _File(words_per_second=20)

    def script(request: ModelRequest) -> Turn:
        message = last_text_of_role("user", request.messages)
        answer = next((each for each in file.answer if each.when.casefold() in message.casefold()), _ECHO)
        outputs = request.messages and request.messages[-1].get("role") == "tool"
        if answer.call and not outputs and request.functions:
            return [call(name, **arguments) for name, arguments in answer.call.items()]
        output = last_text_of_role("tool", request.messages)
        return answer.say.replace("{message}", message).replace("{output}", output)

    return ScriptedModel(script, words_per_second=file.words_per_second)


def _read(path: Path) -> _File:
    decode = msgspec.json.decode if path.suffix == ".json" else msgspec.toml.decode
    try:
        return decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError) as error:
        raise RunsteadError(f"Cannot read the script {path}: {error}") from error
