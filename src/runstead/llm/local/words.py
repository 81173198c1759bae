"""The words of a text, by which functions and passages are chosen."""

import re

__all__ = ["words"]

_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about above all also am an and any are as at be but by can could did do does for from get gets give gives
        go had has have he her his how i if in into is it its let list make me more my need no not of on or our out
        please return returns say set she should show so some such tell than thanks that the their them then there
        these they this those to too up us use used using want was we were what when where which who why will with
        would yes you your
        """,
    )
)
"""Words that do not count."""


def words(text: str) -> set[str]:
    """The stemmed words of a text, without stop words. `getOpenOrders` and `get_open_orders` are three words each."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return {_stem(word) for word in re.findall(r"[^\W_]+", split.lower()) if word not in _STOP_WORDS}


def _stem(word: str) -> str:
    """The word without its ending, so that `searching` matches `search` and `orders` matches `order`."""
    for ending in ("ing", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word
