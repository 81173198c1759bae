"""The model's script: answers of several seconds, so that faults happen in the middle of them."""

__all__ = ["ANSWERS", "SCRIPT"]

_PLAIN = " ".join(f"word-{number}" for number in range(40)) + "."
_WEATHER = "They say it is " + " ".join(["sunny"] * 20) + "."

ANSWERS = {"plain": _PLAIN, "cancel": _PLAIN, "weather": _WEATHER}
"""The answer of a completed run, by the kind of its message."""

SCRIPT = f"""
words_per_second = 25

[[answer]]
when = "weather"
call.weather = {{ city = "Oslo" }}
say = "{_WEATHER}"

[[answer]]
say = "{_PLAIN}"
"""
