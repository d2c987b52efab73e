"""`referrals watch`: how the queues and lanes stand, again and again, in a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from services.cli.admin.keys import home_option
from services.cli.support.settings import settings_of
from shared.clinical.referral.lifecycle import QUEUES
from shared.monitoring.periodic import ROLES
from shared.platform import clock
from shared.platform.database import Sessions, create_engine, create_sessions
from shared.platform.task_queues import LANES
from shared.store.operations.status_snapshot import DeliveryStatus, LaneStatus, StatusSnapshot, status_snapshot
from shared.store.queues import QueueStatus

HOME_AND_CLEAR = "\x1b[H\x1b[J"
QUEUE_ROW = "{:<16}{:>6}{:>8}{:>9}{:>9}{:>7}{:>8}"
LANE_ROW = "{:<16}{:>8}{:>9}"


@click.command()
@home_option()
@click.option("--every", type=click.FloatRange(0.1), default=2.0, show_default=True, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Look once.")
def watch(home: Path | None, every: float, once: bool) -> None:
    """Show the queues live: open, unacknowledged, overdue, the oldest, deliveries due and parked, forms that wait."""
    engine = create_engine(settings_of(home), pool_size=1)
    sessions = create_sessions(engine)
    with suppress(KeyboardInterrupt):  # how it ends
        while True:
            shown = picture(sessions)
            click.echo(f"{HOME_AND_CLEAR}{shown}" if sys.stdout.isatty() and not once else shown)
            if once:
                break
            time.sleep(every)
    engine.dispose()


def picture(sessions: Sessions) -> str:
    """Return the lines of this moment; that the database does not answer is one of them."""
    head = f"{clock.now():%Y-%m-%d %H:%M:%S} UTC"
    try:
        with sessions() as session:
            return "\n".join([head, "", *lines(status_snapshot(session)), ""])
    except SQLAlchemyError as error:
        return f"{head}\n\nthe database does not answer ({type(getattr(error, 'orig', None) or error).__name__})\n"


def lines(now: StatusSnapshot) -> Iterator[str]:
    """Yield a table of queues, one of lanes, and the processes at work."""
    yield QUEUE_ROW.format("queue", "open", "unack", "overdue", "oldest", "due", "parked")
    for queue in QUEUES:
        state, deliveries = now.queues.get(queue, QueueStatus()), now.deliveries.get(queue, DeliveryStatus())
        counts = (state.open, state.unacknowledged, state.overdue, age(state.oldest_age_seconds))
        yield QUEUE_ROW.format(queue, *counts, deliveries.due, deliveries.parked)
    yield ""
    yield LANE_ROW.format("lane", "waiting", "oldest")
    for lane in LANES:
        waiting = now.lanes.get(lane, LaneStatus())
        yield LANE_ROW.format(lane, waiting.waiting, age(waiting.oldest_age_seconds or None))
    yield ""
    yield "  ".join(f"{role} {now.roles[role].at_work if role in now.roles else 0}" for role in ROLES)


def age(seconds: float | None) -> str:
    """Return an age as people say it: `12s`, `3m20s`, `5h07m`, `2d03h`; `-` where there is none."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    for unit, smaller, size, part in (("d", "h", 86400, 3600), ("h", "m", 3600, 60), ("m", "s", 60, 1)):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // part:02d}{smaller}"
    return f"{whole}s"
