"""Runs the watchman's periodic tasks in turn, each when it is due; a failure or a wait delays this scheduler only."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

PRIORITY_INTERVAL_SECONDS = 0.25  # between two rounds of what red flags depend on
INTERVAL_SECONDS = 0.5  # of everything else
EVERY_ROUND, EACH_MINUTE, EACH_HOUR = 0.0, 60.0, 3600.0
RETRY_SECONDS = 5.0  # after a failure, where the next time would be later
MAX_ROUND_SECONDS = 60.0  # a round that takes longer hangs


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """A step that is short, and safe to do twice and by two watchmen at once; `every` is in seconds."""

    name: str
    every: float
    do: Callable[[], None]


class Scheduler:
    """Periodic tasks that run one after the other, in the order given.

    `has_work` says of some of them, by name, whether there is anything to do: asking costs less than doing each in
    vain. Where it fails, they are done.
    """

    def __init__(self, tasks: Sequence[PeriodicTask], has_work: Callable[[], Mapping[str, bool]] = dict) -> None:
        self._tasks = tasks
        self._has_work = has_work
        self._due_at = dict.fromkeys((task.name for task in tasks), 0.0)
        self._round_ended = time.monotonic()

    def run_due(self) -> bool:
        """Do what is due now; say whether all of it went well."""
        any_work = self._any_work()
        due = [task for task in self._tasks if time.monotonic() >= self._due_at[task.name]]
        well = [self._done(task) for task in due if any_work.get(task.name, True)]
        self._round_ended = time.monotonic()
        return all(well)

    def run_until(self, stop: threading.Event) -> None:
        """Do round after round until `stop`."""
        while not stop.wait(INTERVAL_SECONDS):
            self.run_due()

    def is_alive(self) -> bool:
        """Say whether rounds come to an end, well or not."""
        return time.monotonic() - self._round_ended < MAX_ROUND_SECONDS

    def _any_work(self) -> Mapping[str, bool]:
        try:
            return self._has_work()
        except Exception as error:  # noqa: BLE001 - each task finds out for itself
            log.error("scheduler.has_work_failed", error=type(error).__name__)
            return {}

    def _done(self, task: PeriodicTask) -> bool:
        try:
            task.do()
        except Exception as error:  # noqa: BLE001 - whatever it was, the others are still to be done
            log.error("scheduler.task_failed", task=task.name, error=type(error).__name__)
            self._due_at[task.name] = time.monotonic() + min(task.every, RETRY_SECONDS)
            return False
        self._due_at[task.name] = time.monotonic() + task.every
        return True
