"""Processes that die: killed, killed again, told to stop, one of them or all."""

import itertools
import signal
import time

from sqlalchemy import text

from tests.referrals import children

from .fault import Fault, Scene
from .service import signal_all, wait_until

TRIAGING = ("urgent", "routine")
LEAST_ROUNDS = 3
WORKERS = (*TRIAGING, "urgent-delivery", "delivery")
STOPPED_IN_TURN = {
    **dict.fromkeys(("api", *WORKERS, "watchman", "valkey"), signal.SIGTERM),
    "postgres": signal.SIGINT,  # by SIGTERM it would wait for its clients
}


def killed(scene: Scene, name: str, times: int) -> None:
    """Kill it as often as that, each time once it runs again."""
    for _ in range(times):
        scene.service.wait_for_start(name)
        time.sleep(0.3)
        scene.service.kill(name)
    time.sleep(1)


def urgent_worker_killed(scene: Scene) -> None:
    killed(scene, "urgent", int(scene.pace.of(2, 15)))


def all_workers_killed(scene: Scene) -> None:
    for name in WORKERS:
        scene.service.kill(name)
    time.sleep(scene.seconds)


def pool_children_killed(scene: Scene) -> None:
    """Kill the processes that triage, not their parents, over and over: again when their successors are at work.

    A busy machine takes longer to start them: at least three rounds, however long they take, and between two rounds
    something is triaged, else successors that die as they are born would do no work on it.
    """
    end = time.monotonic() + scene.seconds
    for number in itertools.count():
        if number >= LEAST_ROUNDS and time.monotonic() > end:
            return
        before = triaged(scene)
        killed_now = {pid for name in TRIAGING for pid in pool_of(scene, name)}
        signal_all(killed_now, signal.SIGKILL)
        time.sleep(0.3)
        wait_until(
            lambda dead=killed_now, before=before: (
                all(set(pool_of(scene, name)) - dead for name in TRIAGING) and triaged(scene) > before
            ),
            "pools with new children, and something triaged",
        )


def triaged(scene: Scene) -> int:
    """Return how many referrals there are."""
    with scene.service.engine.connect() as connection:
        return int(connection.scalar(text("select count(*) from referrals")))


def pool_of(scene: Scene, name: str) -> list[int]:
    """Return the processes that triage for the worker called `name`."""
    return children(scene.service.running.processes()[name])


def watchman_killed(scene: Scene) -> None:
    killed(scene, "watchman", 1)


def api_killed(scene: Scene) -> None:
    killed(scene, "api", 1)


def broker_killed(scene: Scene) -> None:
    killed(scene, "valkey", int(scene.pace.of(1, 18)))


def kept_dead(name: str, *, unnoticed: bool = False) -> Fault:
    """The fault that this process does not come back."""

    def strike(scene: Scene) -> None:
        with scene.service.dead(name):
            time.sleep(scene.seconds)

    return Fault(f"{name} stays dead", strike, unnoticed=unnoticed)


def each_told_to_stop(scene: Scene) -> None:
    """Tell one after the other to stop, the next when the last has been started again."""
    for name, number in STOPPED_IN_TURN.items():
        scene.service.kill(name, number)
        time.sleep(0.2)
        scene.service.wait_for_start(name)


# Ordered so that the same process does not die in two faults in a row: its supervisor waits longer each time.
# What is killed once is in `make test` shown by what is killed whenever it comes back.
WORKER_FAULTS = (
    Fault("urgent worker killed", urgent_worker_killed, soak_only=True),
    Fault("watchman killed", watchman_killed, soak_only=True),
    Fault("pool children killed", pool_children_killed),
    kept_dead("routine"),
    kept_dead("watchman"),
    kept_dead("urgent"),
    Fault("all workers killed", all_workers_killed),
)
FAULTS = (
    Fault("valkey killed", broker_killed, unnoticed=True, soak_only=True),
    *WORKER_FAULTS,
    Fault("api killed", api_killed, away=True),
    kept_dead("valkey", unnoticed=True),
    Fault("each told to stop", each_told_to_stop, away=True, red_flags=10),  # several are on their way back at once
)
