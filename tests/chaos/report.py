"""What a storm was, and what came of it."""

from collections import Counter
from time import monotonic

from msgspec import Struct, field

from runstead.domain.invariants.record import Violation
from runstead.engine.check import Examined
from tests.chaos.judgement import Judgement
from tests.chaos.ledger import Ledger, Silence

__all__ = ["Injected", "Report"]

_AFTERMATH = 3.0
"""Seconds after a fault was mended in which a silence may still begin because of it."""
_WORST = 8
"""Silences that are told one by one."""


class Injected(Struct, frozen=True):
    """A fault, from when it began until it was mended."""

    name: str
    began: float
    mended: float


class Report(Struct):
    """Its text is for people; `failed` is for machines."""

    seed: int
    ledger: Ledger
    began: float = field(default_factory=monotonic)
    held_up: float = 0.0
    """Seconds for which the storm itself was not given the processor, at most: no silence can be told from that."""
    injected: list[Injected] = field(default_factory=list)
    judgement: Judgement = field(default_factory=Judgement)
    examined: Examined = field(default_factory=Examined)
    violations: list[Violation] = field(default_factory=list)
    told: int = 0
    """What the webhook heard."""
    log: str = ""
    """What all processes logged."""

    @property
    def failed(self) -> bool:
        """Something is lost, doubled, repeated, wrong, or against an invariant."""
        return bool(self.judgement.violations or self.violations)

    def slowest(self, name: str) -> tuple[float, float]:
        """The longest silence that one of these faults began, and the longest that went on when nothing was broken."""
        begun = [silence for silence in self.ledger.silences if next(iter(self._within(silence)), "") == name]
        longest = max((silence.seconds for silence in begun), default=0.0)
        return longest, max((self._needless(silence) for silence in begun), default=0.0)

    def _within(self, silence: Silence) -> list[str]:
        """The faults that may have to do with a silence, in their order: those in it, or else the one before it."""
        struck = [fault for fault in self.injected if fault.began < silence.ended and fault.mended > silence.began]
        before = [fault for fault in self.injected if 0 <= silence.began - fault.mended < _AFTERMATH]
        return [fault.name for fault in struck or before[-1:]]

    def _needless(self, silence: Silence) -> float:
        """Seconds of a silence in which everything was there."""
        broken = (min(fault.mended, silence.ended) - max(fault.began, silence.began) for fault in self.injected)
        return silence.seconds - sum(max(0.0, seconds) for seconds in broken)

    def _told(self, silence: Silence) -> str:
        return (
            f"  {self._needless(silence):4.1f} s of {silence.seconds:4.1f} s, "
            f"{silence.began - self.began:6.1f} s from the start: {silence.run_id} from {silence.before} to "
            f"{silence.after} ({', '.join(self._within(silence)) or 'nothing had happened'})"
        )

    def __str__(self) -> str:
        statuses = Counter(story.run.status for story in self.ledger.acknowledged if story.run is not None)
        counts = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
        lines = [
            f"seed {self.seed}",
            f"faults injected      {len(self.injected)}",
            *(
                f"  {name:<32} {number:>3}   longest silence {longest:.1f} s, of one with all there {needless:.1f} s"
                for name, number in self._faults
                for longest, needless in [self.slowest(name)]
            ),
            f"runs acknowledged    {len(self.ledger.acknowledged)} ({counts})",
            f"events read          {self.ledger.events}; readers left {self.ledger.left} times to go on elsewhere, "
            f"clients gave up {self.ledger.given_up} connections (what breaks they make anew by themselves)",
            "gaps, repetitions    none: the readers check every event",
            f"lost                 {len(self.judgement.lost)}",
            f"created twice        {len(self.judgement.doubled)}",
            f"repeated steps       {len(self.judgement.repeated)}",
            f"wrong answers        {len(self.judgement.wrong)}",
            f"webhook not told     {len(self.judgement.untold)}, of {self.told} times that it was told",
            f"slowest take-over    {self.slowest('kill_a_worker')[0]:.1f} s after a kill -9 of a worker",
            "longest silences with everything there",
            *map(self._told, sorted(self.ledger.silences, key=self._needless, reverse=True)[:_WORST]),
            f"held up              {self.held_up:.1f} s at most: what the storm itself had to wait for the processor",
            f"checked              {self.examined.runs} runs, {self.examined.steps} steps, "
            f"{self.examined.messages} messages, {self.examined.events} events",
            f"violations           {len(self.violations)}",
            *map(str, [*self.judgement.violations, *self.violations]),
        ]
        return "\n".join(lines)

    @property
    def _faults(self) -> list[tuple[str, int]]:
        return sorted(Counter(fault.name for fault in self.injected).items())
