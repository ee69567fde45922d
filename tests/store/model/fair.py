"""Start-time fair queueing, as a model: one lane, its tenants, and the places that their jobs are given."""

from dataclasses import dataclass, field

STEP = 11_531_520
"""The width of a job of weight 1."""


@dataclass
class Job:
    """A job in the lane, or one that was there."""

    tenant: str
    number: int
    place: int
    fate: str = "ready"
    """ready, started, cancelled"""


@dataclass
class Tenant:
    """How far one has come."""

    place: int
    last: Job


@dataclass
class FairLane:
    """Who goes next, by the rule alone: no salts, no rows, no other lanes."""

    weights: dict[str, int]
    tenants: dict[str, Tenant] = field(default_factory=dict[str, Tenant])
    ready: list[Job] = field(default_factory=list[Job])
    served: int = 0
    made: int = 0

    def enqueue(self, jobs: dict[str, int]) -> list[Job]:
        """So many jobs of each tenant, in one call."""
        lane = self._served()
        made: list[Job] = []
        for tenant in sorted(jobs):
            made += self._line(tenant, jobs[tenant], lane)
        self.ready = sorted([*self.ready, *made], key=lambda job: (job.place, job.number))
        return made

    def _line(self, tenant: str, many: int, lane: int) -> list[Job]:
        step = STEP // self.weights.get(tenant, 1)
        known, start = self.tenants.get(tenant), lane
        if known is not None and known.last.fate == "cancelled":
            behind = max((job.place for job in self.ready if job.tenant == tenant), default=lane)
            start = max(lane, min(known.place, behind + step))
        elif known is not None:
            if known.last.fate == "started":
                lane = max(lane, known.place - step)
            start = max(lane, known.place)
        self.served = max(self.served, lane)
        made = [Job(tenant, self.made + n, start + n * step) for n in range(many)]
        self.made += many
        self.tenants[tenant] = Tenant(start + many * step, made[-1])
        return made

    def _served(self) -> int:
        """Where the lane is served: its first job, or behind everybody where there is none."""
        ahead = [job.place for job in self.ready if job.place >= self.served]
        behind = [tenant.place for tenant in self.tenants.values()]
        return max(self.served, min(ahead) if ahead else max(behind, default=0))

    def claim(self, most: int) -> list[Job]:
        """The first ones."""
        taken, self.ready = self.ready[:most], self.ready[most:]
        for job in taken:
            job.fate = "started"
        return taken

    def start(self, job: Job) -> None:
        """Take this one, which is among the first."""
        self.ready.remove(job)
        job.fate = "started"

    def cancel(self, job: Job) -> None:
        """Take one out."""
        self.ready.remove(job)
        job.fate = "cancelled"
