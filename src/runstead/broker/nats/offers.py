"""The queue of offers as one worker uses it.

A worker requests one offer at a time, and only while it waits for one: a full worker requests none, so no offer is
stuck with it. An offer that arrives while the worker waits for none is returned at once. An offer is acknowledged when
the run was claimed. Without that, because the worker died or could not reach the store, the server delivers it again
after `ACK_WAIT`; usually a worker's poll of the store, once a second, finds the run before.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import msgspec

from runstead.broker.nats.connection import Connection
from runstead.broker.nats.messages import Message
from runstead.broker.nats.subjects import Subjects
from runstead.broker.port import Offer

__all__ = ["ACK_WAIT", "Offers"]

ACK_WAIT = 15
"""Seconds after which an unacknowledged offer is delivered again: longer than servers take to elect a leader, which
loses acknowledgements.
"""

_PULL = msgspec.json.encode({"batch": 1, "expires": 1_000_000_000})
"""A request is valid for one second, because a request from before a restart of the server is never answered."""
_TIMEOUT = 1.2
"""Seconds without an answer after which a request is sent again."""
_RETRY_PAUSE = 0.25
"""Seconds before a missing stream is tried again."""


class Offers:
    """The requests of one worker for offers, and the answers."""

    def __init__(self, connection: Connection, subjects: Subjects) -> None:
        self._connection = connection
        self._subjects = subjects
        self._inbox = connection.inbox("offers")
        self._number = 0
        self._sent = False
        self._was_subscribed = False
        self._waiting: asyncio.Future[Message | None] | None = None
        self._subscription = connection.subscribe(f"{self._inbox}.*", self._receive, self._subscribed)

    async def fetch(self) -> AsyncIterator[Offer]:
        """The iterator of `Broker.offers`."""
        while True:
            message = await self._request()
            if message is None or message.status in {"404", "408"}:
                continue
            if message.status:
                self._connection.prepare_again()
                await asyncio.sleep(_RETRY_PAUSE)
                continue
            run_id = self._subjects.run_id(message.data)
            if run_id is None:
                self._connection.send(message.reply, b"+TERM")  # not an offer of this program
            else:
                yield Offer(run_id, partial(self._connection.send, message.reply, b"+ACK"))

    def close(self) -> None:
        """Send no more requests. An answer may still arrive while the last request is valid."""
        asyncio.get_running_loop().call_later(_TIMEOUT, self._connection.close, self._subscription)

    async def _request(self) -> Message | None:
        """The answer to one request; None if there is none."""
        loop = asyncio.get_running_loop()
        self._number += 1
        waiting: asyncio.Future[Message | None] = loop.create_future()
        self._waiting = waiting
        self._sent = self._connection.send(self._subjects.next_offer, _PULL, self._reply_subject)
        timer = loop.call_later(_TIMEOUT, self._request_again)
        try:
            return await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled():
                self._return(waiting.result())
            raise
        finally:
            timer.cancel()
            self._waiting = None

    @property
    def _reply_subject(self) -> str:
        return f"{self._inbox}.{self._number}"

    def _receive(self, message: Message) -> None:
        """An offer arrives under its own subject, a status under the subject of the request."""
        if message.status and message.subject != self._reply_subject:
            return
        if not self._answer(message):
            self._return(message)

    def _subscribed(self) -> None:
        """The subscription is active. If it was active before, the server that had the request is gone."""
        if self._was_subscribed or not self._sent:
            self._request_again()
        self._was_subscribed = True

    def _request_again(self) -> None:
        self._answer(None)

    def _answer(self, message: Message | None) -> bool:
        waiting = self._waiting
        if waiting is None or waiting.done():
            return False
        waiting.set_result(message)
        return True

    def _return(self, message: Message | None) -> None:
        """Give an offer back to the queue."""
        if message is not None and not message.status:
            self._connection.send(message.reply, b"-NAK")
