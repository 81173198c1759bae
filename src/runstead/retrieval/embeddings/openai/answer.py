"""Reads the answer of an embedding server, and refuses one that is no vector for each text."""

import base64
import binascii
from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct

from runstead.model_server.failure import Failure
from runstead.model_server.server_error import read_error_body
from runstead.retrieval.embeddings.port import Vectors

__all__ = ["read_vectors"]


class _Item(Struct):
    embedding: list[float] | str
    """Numbers, or their bytes as little-endian float32 in base64."""
    index: int | None = None


class _Answer(Struct):
    data: list[_Item]


_decode = msgspec.json.Decoder(_Answer).decode


def read_vectors(body: bytes, count: int, dimension: int | None) -> Vectors:
    """The vectors of `count` texts in the order of the texts, as float32 of any length.

    Raises `Failure` if one is missing, if one has not `dimension` numbers, or if a number is not finite.
    """
    vectors = [_vector(item) for item in _in_order(_read(body), count)]
    sizes = {len(vector) for vector in vectors}
    wanted = dimension if dimension is not None else len(vectors[0])
    if sizes != {wanted} or wanted == 0:
        found = ", ".join(str(size) for size in sorted(sizes)[:5])
        raise Failure(f"sent vectors of {found} numbers instead of {wanted or 'some'}")
    matrix = np.stack(vectors)
    if not np.isfinite(matrix).all():
        raise Failure("sent a vector with a number that is not finite", retryable=True)
    return matrix


def _read(body: bytes) -> list[_Item]:
    try:
        return _decode(body).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Gateways answer 200 with an error inside.
        found = read_error_body(body)
        if found.status is not None:
            raise Failure.answered(found.status, found.words) from None
        reason = "its JSON is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Failure(f"sent an answer without vectors: {reason}", retryable=True) from None


def _in_order(items: list[_Item], count: int) -> Sequence[_Item]:
    """The items by their index. Without any, they are in the order of the texts."""
    if len(items) != count:
        raise Failure(f"sent {len(items)} vectors for {count} texts", retryable=True)
    if all(item.index is None for item in items):
        return items
    ordered: list[_Item | None] = [None] * count
    for item in items:
        if item.index is None or not 0 <= item.index < count or ordered[item.index] is not None:
            raise Failure(f"sent vectors whose indexes are not those of {count} texts", retryable=True)
        ordered[item.index] = item
    return [item for item in ordered if item is not None]


def _vector(item: _Item) -> Vectors:
    if isinstance(item.embedding, list):
        with np.errstate(over="ignore"):  # too large for a float32 means not finite, which is refused
            return np.array(item.embedding, dtype=np.float32)
    try:
        data = base64.b64decode(item.embedding, validate=True)
        return np.frombuffer(data, dtype="<f4").astype(np.float32)
    except (binascii.Error, ValueError):
        raise Failure("sent a vector that is not float32 in base64", retryable=True) from None
