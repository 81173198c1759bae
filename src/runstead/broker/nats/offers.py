"""The queue of offers as one worker sees it.

It asks for one offer at a time, and only while somebody waits for it: a worker without room asks for none, and nobody
hoards what another could take. What comes when nobody waits any more is given back at once. An offer is acknowledged
when it was taken; one that is not, because its worker died in between or could not reach the store, comes again after
`ACK_WAIT`, though the look in the store, which is every worker's each second, will be first.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import msgspec

from runstead.broker.nats.connection import Connection
from runstead.broker.nats.message import Message
from runstead.broker.nats.naming import Naming
from runstead.broker.port import Offer

__all__ = ["ACK_WAIT", "Offers"]

ACK_WAIT = 15
"""Seconds after which an offer that nobody acknowledged comes again: longer than servers take to elect a new leader,
which loses acknowledgements."""

_PULL = msgspec.json.encode({"batch": 1, "expires": 1_000_000_000})
"""No longer than a second: what is asked for across a restart of the server is not answered."""
_PATIENCE = 1.2
_AGAIN = 0.25
"""Seconds before something that is missing is asked for again."""


class Offers:
    """One worker's questions, and the answers."""

    def __init__(self, connection: Connection, naming: Naming) -> None:
        self._connection = connection
        self._naming = naming
        self._inbox = connection.inbox("offers")
        self._asked = 0
        self._said = False
        self._stood = False
        self._waiting: asyncio.Future[Message | None] | None = None
        self._subscription = connection.subscribe(f"{self._inbox}.*", self._hear, self._stands)

    async def take(self) -> AsyncIterator[Offer]:
        """What `Broker.offers` gives."""
        while True:
            message = await self._ask()
            if message is None or message.status in {"404", "408"}:
                continue
            if message.status:
                self._connection.renew()
                await asyncio.sleep(_AGAIN)
                continue
            run_id = self._naming.read(message.data)
            if run_id is None:
                self._connection.say(message.reply, b"+TERM")  # whatever it is, we did not say it
            else:
                yield Offer(run_id, partial(self._connection.say, message.reply, b"+ACK"))

    def close(self) -> None:
        """Ask no more. What was asked for may still come, for as long as the question stands."""
        asyncio.get_running_loop().call_later(_PATIENCE, self._connection.close, self._subscription)

    async def _ask(self) -> Message | None:
        """The answer to one question, if there is one soon."""
        loop = asyncio.get_running_loop()
        self._asked += 1
        waiting: asyncio.Future[Message | None] = loop.create_future()
        self._waiting = waiting
        self._said = self._connection.say(self._naming.next_offer, _PULL, self._question)
        timer = loop.call_later(_PATIENCE, self._ask_again)
        try:
            return await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled():
                self._give_back(waiting.result())
            raise
        finally:
            timer.cancel()
            self._waiting = None

    @property
    def _question(self) -> str:
        return f"{self._inbox}.{self._asked}"

    def _hear(self, message: Message) -> None:
        """An offer comes under its own subject, an answer that is none under that of its question."""
        if message.status and message.subject != self._question:
            return
        if not self._answer(message):
            self._give_back(message)

    def _stands(self) -> None:
        """The subscription stands. When it does so again, whoever was asked is gone."""
        if self._stood or not self._said:
            self._ask_again()
        self._stood = True

    def _ask_again(self) -> None:
        self._answer(None)

    def _answer(self, message: Message | None) -> bool:
        waiting = self._waiting
        if waiting is None or waiting.done():
            return False
        waiting.set_result(message)
        return True

    def _give_back(self, message: Message | None) -> None:
        if message is not None and not message.status:
            self._connection.say(message.reply, b"-NAK")
