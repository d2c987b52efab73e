"""How long faults last: a few seconds in `make test`, as long as the catalogue says in `make soak`."""

import os
from dataclasses import dataclass

STATED_MINUTES = 15  # of soaking, for which the stated lengths hold; fewer minutes shorten them


@dataclass(frozen=True)
class Pace:
    """`minutes` of soaking, or None for the short form."""

    minutes: float | None

    def of(self, short: float, stated: float) -> float:
        """Return a length or a number at this pace, never less than the short one."""
        return short if self.minutes is None else max(short, stated * self.minutes / STATED_MINUTES)


def pace() -> Pace:
    """Return the pace that SOAK_MINUTES asks for."""
    minutes = os.environ.get("SOAK_MINUTES")
    return Pace(float(minutes) if minutes else None)
