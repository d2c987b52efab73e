"""Who used the processors meanwhile: each container, the load client, Docker's own programs, and whatever else ran."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpcore
import psutil

NANOSECOND = 1e-9
DOCKERS_OWN = ("dockerd", "docker-proxy", "containerd")  # the proxy carries each request from the published port


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds since each of them started, at the moment `at`."""

    at: float
    containers: Mapping[str, float]
    client: float
    docker: float
    busy: float
    idle: float


@dataclass(slots=True)
class Use:
    """Processor seconds within `seconds`: `roles` holds those of each container by its role."""

    seconds: float = 0.0
    roles: dict[str, list[float]] = field(default_factory=dict)
    client: float = 0.0
    docker: float = 0.0
    busy: float = 0.0
    idle: float = 0.0

    @property
    def service(self) -> float:
        """Return what all containers used."""
        return sum(self.by_role().values())

    @property
    def others(self) -> float:
        """Return what the machine did beside this measurement."""
        return max(0.0, self.busy - self.service - self.client - self.docker)

    @property
    def idle_share(self) -> float:
        """Return the share of all processors that nobody used."""
        return self.idle / (self.idle + self.busy)

    def by_role(self) -> dict[str, float]:
        """Return what the containers of each role used together, the busiest role first."""
        return dict(sorted(((role, sum(each)) for role, each in self.roles.items()), key=lambda item: -item[1]))

    def beyond(self, resting: "Use") -> "Use":
        """Return the same without what the containers use while nothing is asked of them, as `resting` shows."""
        share = self.seconds / resting.seconds
        at_rest = {role: [-own * share for own in each] for role, each in resting.roles.items()}
        return replace(self, roles=_joined(self.roles, at_rest))

    def __add__(self, other: "Use") -> "Use":
        """Return what was used in both; the containers of a role are matched in their order."""
        sums = (getattr(self, name) + getattr(other, name) for name in ("client", "docker", "busy", "idle"))
        return Use(self.seconds + other.seconds, _joined(self.roles, other.roles), *sums)


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads the processor time of the containers `roles`, by their ids, from Docker's socket."""

    pool: httpcore.ConnectionPool
    roles: Mapping[str, str]

    @contextmanager
    def reading(self) -> Iterator[Use]:
        """Give what is used in the block; it is complete at its end."""
        use, before = Use(), self._spent()
        yield use
        after = self._spent()
        use.seconds = after.at - before.at
        for container, role in self.roles.items():
            use.roles.setdefault(role, []).append(after.containers[container] - before.containers[container])
        for name in ("client", "docker", "busy", "idle"):
            setattr(use, name, getattr(after, name) - getattr(before, name))

    def _spent(self) -> Spent:
        machine = psutil.cpu_times()
        idle = machine.idle + getattr(machine, "iowait", 0.0)
        guests = getattr(machine, "guest", 0.0) + getattr(machine, "guest_nice", 0.0)  # counted as user, too
        containers = {container: self._of(container) for container in self.roles}
        return Spent(
            time.perf_counter(), containers, time.process_time(), _docker(), sum(machine) - idle - guests, idle
        )

    def _of(self, container: str) -> float:
        answer = self.pool.request("GET", f"http://docker/containers/{container}/stats?stream=false&one-shot=true")
        return float(json.loads(answer.content)["cpu_stats"]["cpu_usage"]["total_usage"] * NANOSECOND)


@contextmanager
def meter(roles: Mapping[str, str]) -> Iterator[Meter]:
    """Give a meter for containers whose engine answers on this machine's socket."""
    asked = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    host = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - as written
    with httpcore.ConnectionPool(uds=host.removeprefix("unix://")) as pool:
        yield Meter(pool, roles)


def _docker() -> float:
    found = psutil.process_iter(["name", "cpu_times"])
    times = [each.info["cpu_times"] for each in found if (each.info["name"] or "").startswith(DOCKERS_OWN)]
    return sum(each.user + each.system for each in times if each)


def _joined(some: Mapping[str, list[float]], more: Mapping[str, list[float]]) -> dict[str, list[float]]:
    if not some:
        return {role: list(each) for role, each in more.items()}
    return {role: [a + b for a, b in zip(some[role], more[role], strict=True)] for role in some}
