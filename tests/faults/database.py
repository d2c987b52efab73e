"""A database that is unavailable, stuck or full: senders are told so, and what was accepted before is still there."""

import signal
import time
from contextlib import ExitStack, closing, suppress

import psycopg

from tests.referrals import referrals

from .fault import Fault, Scene


def restarted_at_once(scene: Scene) -> None:
    """Immediate shutdown, as after a crash; the supervisor starts it again."""
    for _ in range(int(scene.pace.of(1, 5))):
        scene.service.wait_for_start("postgres")
        scene.service.wait_until_ready()
        time.sleep(0.5)
        scene.service.kill("postgres", signal.SIGQUIT)
    time.sleep(1)


def frozen(scene: Scene) -> None:
    with scene.service.frozen("postgres"):
        time.sleep(scene.seconds)


def table_locked(scene: Scene) -> None:
    with closing(scene.service.connect(as_owner=True)) as connection, connection.transaction():
        connection.execute("lock table intakes in access exclusive mode")
        time.sleep(scene.seconds)


def connections_exhausted(scene: Scene) -> None:
    """Take every connection there is, those of the service too."""
    end = time.monotonic() + scene.seconds
    with ExitStack() as held:
        first = held.enter_context(closing(scene.service.connect()))
        ours = [first.info.backend_pid]
        while time.monotonic() < end:
            with suppress(psycopg.OperationalError):
                connection = held.enter_context(closing(scene.service.connect()))
                ours.append(connection.info.backend_pid)
                continue
            first.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where usename = current_user and pid <> all(%s)",
                [ours],
            )
            time.sleep(0.01)


def copied(scene: Scene) -> None:
    """Make a backup, which is read back before it counts; tests/integration/test_backup.py restores such a one."""
    file = scene.service.home / f"backup-{time.monotonic_ns()}"
    done = referrals("backup", file, "--home", scene.service.home)
    assert done.returncode == 0, done.stderr


FAULTS = (
    Fault("backup while forms come in", copied),
    Fault("postgres restarted at once", restarted_at_once, away=True),
    Fault("postgres frozen", frozen, stated=20, away=True),
    Fault("intakes locked", table_locked, stated=15, away=True),
    Fault("connections exhausted", connections_exhausted, stated=20, away=True),
)
