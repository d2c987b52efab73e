"""Networks between the service and its servers: black holes, half-open connections, slow, cut and flapping ones."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from .fault import Fault, Scene
from .proxy import Proxy, Weather

Server = Literal["valkey", "postgres"]
Strike = Callable[[Scene], None]


@contextmanager
def weather(proxy: Proxy, kind: Weather) -> Iterator[None]:
    """Have that weather for as long as the block lasts; what it has broken stays broken."""
    proxy.weather = kind
    try:
        yield
    finally:
        proxy.weather = Weather()


def under(server: Server, kind: Weather) -> Strike:
    """Return the fault that this is the weather on the way to `server`."""

    def strike(scene: Scene) -> None:
        with weather(scene.service.proxies[server], kind):
            time.sleep(scene.seconds)

    return strike


def cut(server: Server, kind: Weather, *, every: float) -> Strike:
    """Return the fault that every connection breaks so often, with that weather for half of the time."""

    def strike(scene: Scene) -> None:
        proxy = scene.service.proxies[server]
        for _ in range(int(scene.seconds / every)):
            with weather(proxy, kind):
                proxy.cut()
                time.sleep(every / 2)
            time.sleep(every / 2)

    return strike


def broker_gone_and_worker_killed(scene: Scene) -> None:
    """Two faults at once: nothing passes to the broker, and the urgent worker dies over and over."""
    with weather(scene.service.proxies["valkey"], Weather(black_hole=True)), scene.service.dead("urgent"):
        time.sleep(scene.seconds)


GONE, SILENT = Weather(black_hole=True), Weather(half_open=True)

# A broker that answers slowly is in `make test` shown by latency alone.
FAULTS = (
    Fault("valkey black-holed", under("valkey", GONE), unnoticed=True),
    Fault("valkey half-open", cut("valkey", SILENT, every=2), short=4, unnoticed=True),
    Fault("valkey slow", under("valkey", Weather(latency=0.2)), short=1.5, unnoticed=True),
    Fault(
        "valkey in slices", under("valkey", Weather(sliced=5, latency=0.001)), short=1.5, unnoticed=True, soak_only=True
    ),
    Fault(
        "valkey at 2 kB/s", under("valkey", Weather(bytes_a_second=2_000)), short=1.5, unnoticed=True, soak_only=True
    ),
    Fault("valkey cut after 400 bytes", under("valkey", Weather(cut_after=400)), short=1.5, unnoticed=True),
    Fault("valkey flapping", cut("valkey", Weather(closed=True), every=1), unnoticed=True),
    Fault("postgres black-holed", under("postgres", GONE), stated=20, away=True),
    Fault("postgres half-open", cut("postgres", SILENT, every=2), short=4, stated=20, away=True),
    Fault("postgres slow", under("postgres", Weather(latency=0.01)), short=1.5, stated=30),
    Fault("postgres flapping", cut("postgres", Weather(closed=True), every=1), stated=20, away=True),
    # What was claimed when an answer was lost stays claimed: for a second, and for three if it is to be tried alone.
    Fault("reply lost after commit", under("postgres", Weather(loses_replies=5)), stated=30, away=True, red_flags=4),
    Fault("valkey black-holed, urgent worker dead", broker_gone_and_worker_killed, stated=30, red_flags=10),
)
