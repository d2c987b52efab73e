"""Does the watchman's duties in turn, each when it is due; one that fails or has to wait holds up only its own rota."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

ROUND_SECONDS = 0.25  # between two rounds of what red flags depend on
UNHURRIED_SECONDS = 0.5  # of everything else
EVERY_ROUND, EACH_MINUTE, EACH_HOUR = 0.0, 60.0, 3600.0
RETRY_SECONDS = 5.0  # after a failure, where the next time would be later
LONGEST_ROUND_SECONDS = 60.0  # whatever takes longer has lost its way


@dataclass(frozen=True, slots=True)
class Duty:
    """A step that is short, and safe to do twice and by two watchmen at once; `every` is in seconds."""

    name: str
    every: float
    do: Callable[[], None]


class Rota:
    """Duties that are done one after the other, in the order given.

    `glance` says of some of them, by name, whether there is anything to do: asking costs less than doing each in vain.
    Where it fails, they are done.
    """

    def __init__(self, duties: Sequence[Duty], glance: Callable[[], Mapping[str, bool]] = dict) -> None:
        self._duties = duties
        self._glance = glance
        self._due_at = dict.fromkeys((duty.name for duty in duties), 0.0)
        self._round_ended = time.monotonic()

    def round(self) -> bool:
        """Do what is due now; say whether all of it went well."""
        any_work = self._any_work()
        due = [duty for duty in self._duties if time.monotonic() >= self._due_at[duty.name]]
        well = [self._done(duty) for duty in due if any_work.get(duty.name, True)]
        self._round_ended = time.monotonic()
        return all(well)

    def keep(self, stop: threading.Event) -> None:
        """Do round after round until `stop`."""
        while not stop.wait(UNHURRIED_SECONDS):
            self.round()

    def is_alive(self) -> bool:
        """Say whether rounds come to an end, well or not."""
        return time.monotonic() - self._round_ended < LONGEST_ROUND_SECONDS

    def _any_work(self) -> Mapping[str, bool]:
        try:
            return self._glance()
        except Exception as error:  # noqa: BLE001 - the duties find out for themselves
            log.error("watchman.glance_failed", error=type(error).__name__)
            return {}

    def _done(self, duty: Duty) -> bool:
        try:
            duty.do()
        except Exception as error:  # noqa: BLE001 - whatever it was, the others are still to be done
            log.error("watchman.duty_failed", duty=duty.name, error=type(error).__name__)
            self._due_at[duty.name] = time.monotonic() + min(duty.every, RETRY_SECONDS)
            return False
        self._due_at[duty.name] = time.monotonic() + duty.every
        return True
