"""The broker of many processes: offers, live events and interrupts over NATS."""

from runstead.broker.nats.broker import NatsBroker

__all__ = ["NatsBroker"]
