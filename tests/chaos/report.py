"""The report of an experiment."""

from collections import Counter
from time import monotonic

from msgspec import Struct, field

from runstead.domain.invariants.record import Violation
from runstead.engine.check import Examined
from tests.chaos.checker import Findings
from tests.chaos.history import History, Silence

__all__ = ["InjectedFault", "Report"]

_AFTERMATH = 3.0
"""Seconds after a fault within which a silence may begin because of it."""
_WORST = 8
"""Silences that are listed."""


class InjectedFault(Struct, frozen=True):
    """A fault, and when it began and ended."""

    name: str
    began: float
    ended: float


class Report(Struct):
    """`str()` of it is the text of the report."""

    seed: int
    history: History
    began: float = field(default_factory=monotonic)
    own_delay: float = 0.0
    """The longest time, in seconds, that this process had to wait for a processor. Shorter silences mean nothing."""
    injected: list[InjectedFault] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    examined: Examined = field(default_factory=Examined)
    violations: list[Violation] = field(default_factory=list)
    webhook_requests: int = 0
    """Requests that the webhook's receiver got."""
    log: str = ""
    """The logs of all processes."""

    @property
    def failed(self) -> bool:
        """Whether there is any finding or any violation of an invariant."""
        return bool(self.findings.violations or self.violations)

    def longest_silence(self, name: str) -> tuple[float, float]:
        """The longest silence that began with this fault, and the longest part of one outside of all faults."""
        begun = [silence for silence in self.history.silences if next(iter(self._causes(silence)), "") == name]
        longest = max((silence.seconds for silence in begun), default=0.0)
        return longest, max((self._outside_faults(silence) for silence in begun), default=0.0)

    def _causes(self, silence: Silence) -> list[str]:
        """The faults that may have caused a silence, in order: those during it, or else the one before it."""
        during = [fault for fault in self.injected if fault.began < silence.ended and fault.ended > silence.began]
        before = [fault for fault in self.injected if 0 <= silence.began - fault.ended < _AFTERMATH]
        return [fault.name for fault in during or before[-1:]]

    def _outside_faults(self, silence: Silence) -> float:
        """Seconds of a silence outside of all faults."""
        faulty = (min(fault.ended, silence.ended) - max(fault.began, silence.began) for fault in self.injected)
        return silence.seconds - sum(max(0.0, seconds) for seconds in faulty)

    def _line(self, silence: Silence) -> str:
        return (
            f"  {self._outside_faults(silence):4.1f} s of {silence.seconds:4.1f} s, "
            f"{silence.began - self.began:6.1f} s from the start: {silence.run_id} from {silence.before} to "
            f"{silence.after} ({', '.join(self._causes(silence)) or 'no fault'})"
        )

    def __str__(self) -> str:
        statuses = Counter(record.run.status for record in self.history.acknowledged if record.run is not None)
        counts = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
        lines = [
            f"seed {self.seed}",
            f"faults injected      {len(self.injected)}",
            *(
                f"  {name:<32} {number:>3}   longest silence {longest:.1f} s, outside of faults {outside:.1f} s"
                for name, number in self._faults
                for longest, outside in [self.longest_silence(name)]
            ),
            f"runs acknowledged    {len(self.history.acknowledged)} ({counts})",
            f"events read          {self.history.events}; users switched {self.history.switched} connections, "
            f"{self.history.failed_connections} failed (clients restore most of them by themselves)",
            "gaps, repetitions    none: every event was checked as it arrived",
            f"lost                 {len(self.findings.lost)}",
            f"created twice        {len(self.findings.duplicated)}",
            f"repeated steps       {len(self.findings.repeated)}",
            f"wrong answers        {len(self.findings.wrong)}",
            f"webhook not received {len(self.findings.undelivered)}, of {self.webhook_requests} requests",
            f"slowest recovery     {self.longest_silence('kill_a_worker')[0]:.1f} s after a kill -9 of a worker",
            "longest silences outside of faults",
            *map(self._line, sorted(self.history.silences, key=self._outside_faults, reverse=True)[:_WORST]),
            f"own delay            {self.own_delay:.1f} s at most: how long this process waited for a processor",
            f"checked              {self.examined.runs} runs, {self.examined.steps} steps, "
            f"{self.examined.messages} messages, {self.examined.events} events",
            f"violations           {len(self.violations)}",
            *map(str, [*self.findings.violations, *self.violations]),
        ]
        return "\n".join(lines)

    @property
    def _faults(self) -> list[tuple[str, int]]:
        return sorted(Counter(fault.name for fault in self.injected).items())
