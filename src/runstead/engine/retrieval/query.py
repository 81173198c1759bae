"""Rewrites a query: drops words of politeness, which say nothing about its subject."""

import re

__all__ = ["rewritten"]

_POLITE = re.compile(
    r"\b(?:please|kindly|can you|could you|would you|i(?:'d| would) like to know|tell me|show me|help me|"
    r"i (?:want|need) to know|thanks|thank you|bitte|danke|kannst du|können sie|sag mir|zeig mir|ich möchte wissen)\b",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s+")
_EDGES = " \t\n,;:.!?"


def rewritten(query: str) -> str:
    """The query without words of politeness. One that has no other words stays as it is."""
    rest = _SPACE.sub(" ", _POLITE.sub(" ", query)).strip(_EDGES)
    return rest or query
