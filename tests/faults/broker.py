"""A broker that is there and does not serve: frozen, emptied, full, locked, without its file."""

import itertools
import shutil
import time
from contextlib import suppress

from redis import Redis

from .fault import Fault, Scene

FULL = b"\0" * 65_536


def killed_without_its_file(scene: Scene) -> None:
    for _ in range(int(scene.pace.of(1, 8))):
        scene.service.wait_for_start("valkey")
        scene.service.kill("valkey")
        shutil.rmtree(scene.service.home / "valkey" / "appendonlydir", ignore_errors=True)  # it may not have begun one
        time.sleep(1.5)


def frozen(scene: Scene) -> None:
    with scene.service.frozen("valkey"):
        time.sleep(scene.seconds)


def flushed(scene: Scene) -> None:
    """Throw everything away every half second; in the long form every two seconds."""
    pause = scene.pace.of(0.5, 2)
    for _ in range(int(scene.seconds / pause)):
        scene.service.broker.flushall()
        time.sleep(pause)


def out_of_memory(scene: Scene) -> None:
    before = scene.service.broker.config_get("maxmemory")["maxmemory"]
    scene.service.broker.config_set("maxmemory", 1)
    try:
        time.sleep(scene.seconds)
    finally:
        scene.service.broker.config_set("maxmemory", before)


def every_client_killed(scene: Scene) -> None:
    for _ in range(int(scene.seconds / 0.3)):
        scene.service.broker.execute_command("CLIENT", "KILL", "TYPE", "normal")
        time.sleep(0.3)


def wrong_password(scene: Scene) -> None:
    """Ask every client for a password that the service was never told."""
    with Redis.from_url(scene.service.environment["REDIS_URL"], single_connection_client=True) as admin:
        admin.config_set("requirepass", "another")
        admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        try:
            time.sleep(scene.seconds)
        finally:
            admin.config_set("requirepass", "")


def disk_full(scene: Scene) -> None:
    ballast = scene.service.home / "valkey" / "ballast"
    try:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            for _ in itertools.count():
                file.write(FULL)
        time.sleep(scene.seconds)
    finally:
        ballast.unlink()


FAULTS = (
    Fault("valkey killed, its file deleted", killed_without_its_file, unnoticed=True),
    Fault("valkey frozen", frozen, stated=60, unnoticed=True),
    Fault("valkey flushed", flushed, short=2, unnoticed=True),
    Fault("valkey out of memory", out_of_memory, short=2, unnoticed=True),
    Fault("valkey's clients killed", every_client_killed, short=2, unnoticed=True),
    Fault("valkey's password changed", wrong_password, unnoticed=True),
    Fault("valkey's disk full", disk_full, short=2, unnoticed=True),
)
