"""Speed for many processes: offers, live events and stop signals over NATS."""

from runstead.broker.nats.broker import NatsBroker

__all__ = ["NatsBroker"]
