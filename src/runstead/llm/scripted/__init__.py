"""The scripted model: answers from a script, for tests of applications and demonstrations without a model."""

from runstead.llm.scripted.gate import Gate, Signal
from runstead.llm.scripted.model import ScriptedModel
from runstead.llm.scripted.script import (
    Act,
    Call,
    Fail,
    Say,
    Script,
    Turn,
    Wait,
    call,
    carry,
    fail,
    finish,
    limit,
    refuse,
    say,
    usage,
    wait,
    words,
)
from runstead.llm.scripted.script_file import load_scripted_model

__all__ = [
    "Act",
    "Call",
    "Fail",
    "Gate",
    "Say",
    "Script",
    "ScriptedModel",
    "Signal",
    "Turn",
    "Wait",
    "call",
    "carry",
    "fail",
    "finish",
    "limit",
    "load_scripted_model",
    "refuse",
    "say",
    "usage",
    "wait",
    "words",
]
