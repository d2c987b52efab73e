"""Measures free disk space for the database. PostgreSQL stops at once when its log finds no space on the disk.

So forms are refused before that: the routine lane first, the priority lane when hardly anything is left.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import structlog

from shared.platform.database import create_engine, create_sessions
from shared.platform.settings import Settings
from shared.platform.timeouts import install_client_timeouts
from shared.store.operations.status_snapshot import database_bytes

log = structlog.get_logger(__name__)

DiskLevel = Literal["enough", "low", "none"]
DISK_LEVELS: tuple[DiskLevel, ...] = ("enough", "low", "none")  # the worst last

MIB, GIB, GB = 2**20, 2**30, 10**9
LOOK_SECONDS = 2.0  # a disk loses some hundred megabytes in that time, at most

# Low is a twentieth of the disk, and not more than a gigabyte, which is days of forms. On a small disk it is four
# segments of PostgreSQL's log, which takes room by whole segments of 16 MiB; two are the least for what is under way.
LOW_SHARE, LOW_MOST, LOW_LEAST = 0.05, GIB, 64 * MIB
NONE_SHARE, NONE_LEAST = 0.25, 32 * MIB  # of what is low


def disk_level_of(free: float, size: float) -> DiskLevel:
    """Return how much room `free` bytes of `size` are."""
    low = max(min(size * LOW_SHARE, LOW_MOST), LOW_LEAST)
    if free >= low:
        return "enough"
    return "low" if free >= max(low * NONE_SHARE, NONE_LEAST) else "none"


@dataclass(slots=True)
class DiskMonitor:
    """What was seen at the last look. Each of `measures` returns free bytes and the bytes they are of."""

    measures: list[Callable[[], tuple[float, float]]]
    level: DiskLevel = field(default="enough")

    def look(self) -> None:
        """Measure again; raises what a measure raises, and then what was seen before stays."""
        levels = [disk_level_of(*measure()) for measure in self.measures]
        before, self.level = self.level, max(levels, key=DISK_LEVELS.index, default="enough")
        if self.level != before:
            log.warning("disk.level_changed", status=self.level)


def create_disk_monitor(settings: Settings) -> DiskMonitor:
    """Return the watch over what `settings` say of the database's disk; nothing is looked at yet."""
    disk = DiskMonitor([])
    path, most = settings.storage_path, settings.database_most_gb * GB
    if path:
        disk.measures.append(lambda: free_on_disk(str(path)))
    if most:
        engine = create_engine(settings, pool_size=0)
        install_client_timeouts(engine)
        sessions = create_sessions(engine)

        def within_quota() -> tuple[float, float]:
            with sessions() as session:
                return most - database_bytes(session), most

        disk.measures.append(within_quota)
    return disk


def free_on_disk(path: str) -> tuple[float, float]:
    """Return the free bytes of the disk that `path` is on, and its size."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
