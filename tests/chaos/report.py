"""What a storm was, and what came of it."""

from collections import Counter

from msgspec import Struct, field

from runstead.domain.record import Violation
from runstead.engine.check import Examined
from tests.chaos.judgement import Judgement
from tests.chaos.ledger import Ledger

__all__ = ["Injected", "Report"]


class Injected(Struct, frozen=True):
    """A fault, from when it began until it was mended."""

    name: str
    began: float
    mended: float


class Report(Struct):
    """Its text is for people; `failed` is for machines."""

    seed: int
    ledger: Ledger
    injected: list[Injected] = field(default_factory=list)
    judgement: Judgement = field(default_factory=Judgement)
    examined: Examined = field(default_factory=Examined)
    violations: list[Violation] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Something is lost, doubled, repeated, wrong, or against an invariant."""
        return bool(self.judgement.violations or self.violations)

    def slowest(self, name: str) -> float:
        """The longest silence that a reader met while this fault was there, or when it had just been mended."""
        return max(
            (
                silence.seconds
                for fault in self.injected
                if fault.name == name
                for silence in self.ledger.silences
                if silence.began < fault.mended + 0.1 and silence.began + silence.seconds > fault.began
            ),
            default=0.0,
        )

    def __str__(self) -> str:
        statuses = Counter(story.run.status for story in self.ledger.acknowledged if story.run is not None)
        counts = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
        lines = [
            f"seed {self.seed}",
            f"faults injected      {len(self.injected)}",
            *(
                f"  {name:<22} {number:>3}   longest silence {self.slowest(name):.1f} s"
                for name, number in self._faults
            ),
            f"runs acknowledged    {len(self.ledger.acknowledged)} ({counts})",
            f"events read          {self.ledger.events}, over {self.ledger.interruptions} broken connections",
            "gaps, repetitions    none: the readers check every event",
            f"lost                 {len(self.judgement.lost)}",
            f"created twice        {len(self.judgement.doubled)}",
            f"repeated steps       {len(self.judgement.repeated)}",
            f"wrong answers        {len(self.judgement.wrong)}",
            f"slowest take-over    {self.slowest('kill_a_worker'):.1f} s after a kill -9 of a worker",
            f"checked              {self.examined.runs} runs, {self.examined.steps} steps, "
            f"{self.examined.messages} messages, {self.examined.events} events",
            f"violations           {len(self.violations)}",
            *map(str, [*self.judgement.violations, *self.violations]),
        ]
        return "\n".join(lines)

    @property
    def _faults(self) -> list[tuple[str, int]]:
        return sorted(Counter(fault.name for fault in self.injected).items())
