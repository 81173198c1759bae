"""The streams on the servers: offers until they are acknowledged, and the deltas of open messages for late subscribers.

Offers carry no id for deduplication. A run is offered by the process that made it ready, which is decided by a guarded
update: of many processes that recover the same run, one succeeds and offers it. An offer that does arrive twice costs
one read. An id would have to be new each time that a run becomes ready, or it would suppress the offer of a run that
has waited for its client. A refused offer is not sent again: every worker polls the store once a second.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import msgspec

from runstead.broker.nats.connection import Connection, Requests
from runstead.broker.nats.messages import Mailbox, Message, unpack
from runstead.broker.nats.offers import ACK_WAIT
from runstead.broker.nats.subjects import WORKERS, Subjects
from runstead.wire.event import RawEvent

__all__ = ["JetStream"]

_log = logging.getLogger("runstead.broker")

_SECOND = 1_000_000_000
_MAX_OFFERS = 100_000
"""Offers that wait; more are refused."""
_MAX_AGE = 900
"""Seconds after which an offer without an acknowledgement, or the deltas of a message that was never closed, are
dropped.
"""
_MAX_WAITING_WORKERS = 10_000
"""Workers that wait for an offer at once."""
_KEPT_TIMEOUT = 2.0
_PAGE = 1000
_STREAM_NAME_IN_USE = 10058
"""The error code for a stream that exists with another configuration."""


class JetStream:
    """The streams of one installation."""

    def __init__(self, connection: Connection, subjects: Subjects, replicas: int, kept_bytes: int) -> None:
        self._connection = connection
        self._subjects = subjects
        self._offer_stream = _offer_stream(subjects, replicas)
        self._event_stream = _event_stream(subjects, kept_bytes)
        self._consumer = _consumer(subjects)
        self._confirmed = connection.answers(self._confirm)

    async def prepare(self, request: Requests) -> None:
        """Create the streams, or bring their configuration up to date."""
        try:
            await self._prepare_offers(request)
        except Exception:
            await _create(request, self._event_stream)  # it does not depend on the offers
            raise
        await self._prepare_events(request)

    async def _prepare_offers(self, request: Requests) -> None:
        await _create(request, self._offer_stream)
        await _request(request, f"CONSUMER.CREATE.{self._subjects.offer_stream}.{WORKERS}", self._consumer)

    async def _prepare_events(self, request: Requests) -> None:
        """Create the stream of events. One server has it in memory.

        If that server is gone, no other answers for the stream. Then it is deleted and created on another server.
        """
        try:
            await _create(request, self._event_stream)
        except TimeoutError:
            with suppress(TimeoutError):  # the server that would confirm the deletion is gone
                await request(f"$JS.API.STREAM.DELETE.{self._subjects.event_stream}", b"")
            await _create(request, self._event_stream)

    def offer(self, run_id: str) -> None:
        """Put a run id into the queue."""
        self._connection.send(self._subjects.offer, run_id.encode(), self._confirmed)

    async def kept_events(self, subject: str) -> list[RawEvent]:
        """The events of a run that the server has kept and that arrive within `_KEPT_TIMEOUT`."""
        events: list[RawEvent] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(_KEPT_TIMEOUT):
                sequence = 1
                while sequence:
                    with self._connection.mailbox() as box:
                        sequence = await self._page(subject, sequence, box, events)
        return events

    async def _page(self, subject: str, sequence: int, box: Mailbox, events: list[RawEvent]) -> int:
        """Add a page of events. Returns the sequence number of the next page, or 0."""
        request = {"seq": sequence, "next_by_subj": subject, "batch": _PAGE}
        if not self._connection.send(f"$JS.API.DIRECT.GET.{self._subjects.event_stream}", _json(request), box.subject):
            return 0
        while True:
            message = await box.messages.get()
            if not message.status:
                events += unpack(message.data)
                sequence = int(message.headers["Nats-Sequence"]) + 1
                continue
            if message.status == "503":
                self._connection.prepare_again()
            more = message.status == "204" and message.headers.get("Nats-Num-Pending", "0") != "0"
            return sequence if more else 0

    def _confirm(self, message: Message) -> None:
        if message.status == "503":
            self._connection.prepare_again()
        elif b'"error"' in message.data:
            _log.warning("an offer was refused; the next poll of the store finds the run: %s", message.data.decode())


class _Refused(Exception):
    def __init__(self, request: str, error: dict[str, Any]) -> None:
        super().__init__(f"{request}: {error.get('description')}")
        self.code = error.get("err_code")


async def _create(request: Requests, stream: dict[str, Any]) -> None:
    try:
        await _request(request, f"STREAM.CREATE.{stream['name']}", stream)
    except _Refused as refused:
        if refused.code != _STREAM_NAME_IN_USE:
            raise
        await _request(request, f"STREAM.UPDATE.{stream['name']}", stream)


async def _request(request: Requests, what: str, arguments: dict[str, Any]) -> None:
    answer = msgspec.json.decode(await request(f"$JS.API.{what}", _json(arguments)), type=dict[str, Any])
    if "error" in answer:
        raise _Refused(what, answer["error"])


_json = msgspec.json.encode


def _offer_stream(subjects: Subjects, replicas: int) -> dict[str, Any]:
    return {
        "name": subjects.offer_stream,
        "subjects": [subjects.offer],
        "retention": "workqueue",
        "storage": "file",
        "discard": "new",
        "max_msgs": _MAX_OFFERS,
        "max_age": _MAX_AGE * _SECOND,
        "max_consumers": 1,
        "num_replicas": replicas,
    }


def _event_stream(subjects: Subjects, kept_bytes: int) -> dict[str, Any]:
    return {
        "name": subjects.event_stream,
        "subjects": [subjects.every_event],
        "retention": "limits",
        "storage": "memory",
        "discard": "old",
        "max_bytes": kept_bytes,
        "max_msgs_per_subject": 8192,
        "max_age": _MAX_AGE * _SECOND,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "allow_msg_ttl": True,
        "num_replicas": 1,
        "no_ack": True,
    }


def _consumer(subjects: Subjects) -> dict[str, Any]:
    return {
        "stream_name": subjects.offer_stream,
        "config": {
            "durable_name": WORKERS,
            "ack_policy": "explicit",
            "ack_wait": ACK_WAIT * _SECOND,
            "max_ack_pending": 10_000,
            "max_waiting": _MAX_WAITING_WORKERS,
        },
    }
