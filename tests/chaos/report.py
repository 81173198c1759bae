"""The report of a storm: the injected faults, the load, and the result of the checks."""

from collections import Counter
from time import monotonic

from msgspec import Struct, field

from runstead.domain.invariants.record import Violation
from runstead.engine.check import Examined
from tests.chaos.judgement import Judgement
from tests.chaos.ledger import Ledger, Silence

__all__ = ["Injected", "Report"]

_AFTERMATH = 3.0
"""Seconds after the end of a fault in which it may still cause a silence."""
_WORST = 8
"""Silences that are listed one by one."""


class Injected(Struct, frozen=True):
    """A fault, from its start to its end."""

    name: str
    began: float
    mended: float


class Report(Struct):
    """`str` gives the text for people. `failed` gives the result for programs."""

    seed: int
    ledger: Ledger
    began: float = field(default_factory=monotonic)
    held_up: float = 0.0
    """The longest time, in seconds, that this process waited for the processor. Shorter silences mean nothing."""
    injected: list[Injected] = field(default_factory=list)
    judgement: Judgement = field(default_factory=Judgement)
    examined: Examined = field(default_factory=Examined)
    violations: list[Violation] = field(default_factory=list)
    delivered: int = 0
    """Requests that the webhook received."""
    log: str = ""
    """The logs of all processes."""

    @property
    def failed(self) -> bool:
        """Whether a run is lost, doubled, repeated or wrong, or an invariant is violated."""
        return bool(self.judgement.violations or self.violations)

    def slowest(self, name: str) -> tuple[float, float]:
        """The longest silence caused by such a fault, and the longest part of one after the fault had ended."""
        begun = [silence for silence in self.ledger.silences if next(iter(self._within(silence)), "") == name]
        longest = max((silence.seconds for silence in begun), default=0.0)
        return longest, max((self._needless(silence) for silence in begun), default=0.0)

    def _within(self, silence: Silence) -> list[str]:
        """The faults that may have caused a silence, in order: those during it, or else the one before it."""
        struck = [fault for fault in self.injected if fault.began < silence.ended and fault.mended > silence.began]
        before = [fault for fault in self.injected if 0 <= silence.began - fault.mended < _AFTERMATH]
        return [fault.name for fault in struck or before[-1:]]

    def _needless(self, silence: Silence) -> float:
        """Seconds of a silence in which no fault was active."""
        broken = (min(fault.mended, silence.ended) - max(fault.began, silence.began) for fault in self.injected)
        return silence.seconds - sum(max(0.0, seconds) for seconds in broken)

    def _line(self, silence: Silence) -> str:
        return (
            f"  {self._needless(silence):4.1f} s of {silence.seconds:4.1f} s, "
            f"{silence.began - self.began:6.1f} s from the start: {silence.run_id} from {silence.before} to "
            f"{silence.after} ({', '.join(self._within(silence)) or 'no fault'})"
        )

    def __str__(self) -> str:
        statuses = Counter(story.run.status for story in self.ledger.acknowledged if story.run is not None)
        counts = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
        lines = [
            f"seed {self.seed}",
            f"faults injected      {len(self.injected)}",
            *(
                f"  {name:<32} {number:>3}   longest silence {longest:.1f} s, without an active fault {needless:.1f} s"
                for name, number in self._faults
                for longest, needless in [self.slowest(name)]
            ),
            f"runs acknowledged    {len(self.ledger.acknowledged)} ({counts})",
            f"events read          {self.ledger.events}; readers changed connections {self.ledger.left} times, "
            f"clients could not restore {self.ledger.given_up} connections",
            "gaps, repetitions    none: the readers check every event",
            f"lost                 {len(self.judgement.lost)}",
            f"created twice        {len(self.judgement.doubled)}",
            f"repeated steps       {len(self.judgement.repeated)}",
            f"wrong answers        {len(self.judgement.wrong)}",
            f"webhook faults       {len(self.judgement.undelivered)}, of {self.delivered} received requests",
            f"slowest take-over    {self.slowest('kill_a_worker')[0]:.1f} s after a kill -9 of a worker",
            "longest silences without an active fault",
            *map(self._line, sorted(self.ledger.silences, key=self._needless, reverse=True)[:_WORST]),
            f"held up              {self.held_up:.1f} s at most: the storm's own wait for the processor",
            f"checked              {self.examined.runs} runs, {self.examined.steps} steps, "
            f"{self.examined.messages} messages, {self.examined.events} events",
            f"violations           {len(self.violations)}",
            *map(str, [*self.judgement.violations, *self.violations]),
        ]
        return "\n".join(lines)

    @property
    def _faults(self) -> list[tuple[str, int]]:
        return sorted(Counter(fault.name for fault in self.injected).items())
