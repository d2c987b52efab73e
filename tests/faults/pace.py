"""How long faults last: a few seconds in `make test`, as long as the catalogue says in `make soak`."""

import os
import secrets
from dataclasses import dataclass

STATED_MINUTES = 15  # of soaking, for which the stated lengths hold; fewer minutes shorten them


@dataclass(frozen=True)
class Pace:
    """`minutes` of soaking, or None for the short form; `seed` decides what a random schedule holds."""

    minutes: float | None
    seed: int = 0

    def of(self, short: float, stated: float) -> float:
        """Return a length or a number at this pace, never less than the short one."""
        return short if self.minutes is None else max(short, stated * self.minutes / STATED_MINUTES)


def pace() -> Pace:
    """Return the pace that SOAK_MINUTES asks for, with the seed of SOAK_SEED or another one each time."""
    minutes = os.environ.get("SOAK_MINUTES")
    return Pace(float(minutes) if minutes else None, int(os.environ.get("SOAK_SEED") or secrets.randbelow(1_000_000)))
