"""What is kept on the servers: offers until they were taken, and the deltas of open messages for those who come late.

Offers carry no id against repetition. A run is offered when it becomes ready, by the one who made it so with a guarded
update: sweeps of many processes that find the same run move it once, and one of them offers it. So there are no bursts
to swallow; an offer that does come twice costs a read, while an id that is not new for every turn of the run would
swallow the offer of one that waited for its client and is ready again. Nor are offers sent again when refused: every
worker looks in the store once a second.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import msgspec

from runstead.broker.nats.connection import Ask, Connection
from runstead.broker.nats.message import Mailbox, Message
from runstead.broker.nats.naming import WORKERS, Naming
from runstead.broker.nats.offers import ACK_WAIT
from runstead.broker.nats.packing import unpack
from runstead.wire.event import RawEvent

__all__ = ["JetStream"]

_log = logging.getLogger("runstead.broker")

_SECOND = 1_000_000_000
_MOST_OFFERS = 100_000
"""Offers that wait; more are refused."""
_LATEST = 900
"""Seconds after which an offer that nobody took, or deltas of a message that nobody closed, are forgotten."""
_MOST_WORKERS = 10_000
"""Workers that wait for an offer at once."""
_PAST_PATIENCE = 2.0
_PAGE = 1000
_OTHER_CONFIGURATION = 10058


class JetStream:
    """The streams of one installation."""

    def __init__(self, connection: Connection, naming: Naming, replicas: int, kept_bytes: int) -> None:
        self._connection = connection
        self._naming = naming
        self._runs = _runs(naming, replicas)
        self._events = _events(naming, kept_bytes)
        self._consumer = _consumer(naming)
        self._confirmed = connection.answer(self._confirm)

    async def prepare(self, ask: Ask) -> None:
        """Make the streams, or make sure that they are what they should be."""
        try:
            await self._keep_offers(ask)
        except Exception:
            await _make(ask, self._events)  # it does not need the other
            raise
        await self._keep_events(ask)

    async def _keep_offers(self, ask: Ask) -> None:
        await _make(ask, self._runs)
        await _request(ask, f"CONSUMER.CREATE.{self._naming.runs}.{WORKERS}", self._consumer)

    async def _keep_events(self, ask: Ask) -> None:
        """One server has them in its memory. When that one is gone, perhaps for ever, another gets them: no one answers
        for the old ones, while the others do for the offers.
        """
        try:
            await _make(ask, self._events)
        except TimeoutError:
            with suppress(TimeoutError):  # it is the server that is gone that would say that it is done
                await ask(f"$JS.API.STREAM.DELETE.{self._naming.events}", b"")
            await _make(ask, self._events)

    def offer(self, run_id: str) -> None:
        """Put a run id into the queue."""
        self._connection.say(self._naming.offer, run_id.encode(), self._confirmed)

    async def past(self, subject: str) -> list[RawEvent]:
        """The events that are kept of a run, as far as they can be had soon."""
        events: list[RawEvent] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAST_PATIENCE):
                sequence = 1
                while sequence:
                    with self._connection.mailbox() as box:
                        sequence = await self._page(subject, sequence, box, events)
        return events

    async def _page(self, subject: str, sequence: int, box: Mailbox, events: list[RawEvent]) -> int:
        """Add a page of events; where the next one begins, or 0."""
        request = {"seq": sequence, "next_by_subj": subject, "batch": _PAGE}
        if not self._connection.say(f"$JS.API.DIRECT.GET.{self._naming.events}", _json(request), box.subject):
            return 0
        while True:
            message = await box.messages.get()
            if not message.status:
                events += unpack(message.data)
                sequence = int(message.headers["Nats-Sequence"]) + 1
                continue
            if message.status == "503":
                self._connection.renew()
            more = message.status == "204" and message.headers.get("Nats-Num-Pending", "0") != "0"
            return sequence if more else 0

    def _confirm(self, message: Message) -> None:
        if message.status == "503":
            self._connection.renew()
        elif b'"error"' in message.data:
            _log.warning("an offer was refused; the next look in the store finds the run: %s", message.data.decode())


class _Refused(Exception):
    def __init__(self, what: str, error: dict[str, Any]) -> None:
        super().__init__(f"{what}: {error.get('description')}")
        self.code = error.get("err_code")


async def _make(ask: Ask, stream: dict[str, Any]) -> None:
    try:
        await _request(ask, f"STREAM.CREATE.{stream['name']}", stream)
    except _Refused as refused:
        if refused.code != _OTHER_CONFIGURATION:
            raise
        await _request(ask, f"STREAM.UPDATE.{stream['name']}", stream)


async def _request(ask: Ask, what: str, request: dict[str, Any]) -> None:
    answer = msgspec.json.decode(await ask(f"$JS.API.{what}", _json(request)), type=dict[str, Any])
    if "error" in answer:
        raise _Refused(what, answer["error"])


_json = msgspec.json.encode


def _runs(naming: Naming, replicas: int) -> dict[str, Any]:
    return {
        "name": naming.runs,
        "subjects": [naming.offer],
        "retention": "workqueue",
        "storage": "file",
        "discard": "new",
        "max_msgs": _MOST_OFFERS,
        "max_age": _LATEST * _SECOND,
        "max_consumers": 1,
        "num_replicas": replicas,
    }


def _events(naming: Naming, kept_bytes: int) -> dict[str, Any]:
    return {
        "name": naming.events,
        "subjects": [naming.every_event],
        "retention": "limits",
        "storage": "memory",
        "discard": "old",
        "max_bytes": kept_bytes,
        "max_msgs_per_subject": 8192,
        "max_age": _LATEST * _SECOND,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "allow_msg_ttl": True,
        "num_replicas": 1,
        "no_ack": True,
    }


def _consumer(naming: Naming) -> dict[str, Any]:
    return {
        "stream_name": naming.runs,
        "config": {
            "durable_name": WORKERS,
            "ack_policy": "explicit",
            "ack_wait": ACK_WAIT * _SECOND,
            "max_ack_pending": 10_000,
            "max_waiting": _MOST_WORKERS,
        },
    }
