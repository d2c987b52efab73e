"""`referrals watch`: shows the queues and the most pressing referrals, again and again, in a terminal."""

import sys
from contextlib import suppress
from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.live import Live
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from services.cli.admin.keys import home_option
from services.cli.support import terminal
from services.cli.support.settings import settings_of
from services.cli.watch.board import board, heading
from services.cli.watch.keyboard import next_key, single_keys
from services.cli.watch.view import View
from shared.clinical.referral.lifecycle import QUEUES
from shared.platform import clock
from shared.platform.database import Sessions, create_engine, create_sessions
from shared.store.lists.finding import Filter, listed
from shared.store.operations.status_snapshot import status_snapshot


@click.command()
@home_option()
@click.option("--every", type=click.FloatRange(0.1), default=2.0, show_default=True, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Look once.")
@click.option("--queue", type=click.Choice(QUEUES), help="Referrals of this queue alone.")
@click.option("--overdue", is_flag=True, help="Referrals alone that nobody has acknowledged in time.")
@click.option("--rows", type=click.IntRange(1, 200), default=15, show_default=True, help="How many referrals.")
def watch(home: Path | None, every: float, once: bool, queue: str | None, overdue: bool, rows: int) -> None:
    """Show queues, processes and the next referrals due, live.

    It reads the database, and opens no identity. Keys choose what is shown; the last line names them.
    """
    engine = create_engine(settings_of(home), pool_size=1)
    sessions, view = create_sessions(engine), View(queue, overdue)
    try:
        if once or not sys.stdout.isatty():
            _print_repeatedly(engine, sessions, view, rows, None if once else every)
        else:
            with suppress(KeyboardInterrupt):  # how it ends, beside the key q
                _show_live(engine, sessions, view, rows, every)
    finally:
        engine.dispose()


def _print_repeatedly(engine: Engine, sessions: Sessions, view: View, rows: int, every: float | None) -> None:
    page = terminal.console()
    with suppress(KeyboardInterrupt):
        while True:
            page.print(picture(engine, sessions, view, rows))
            if every is None:
                return
            next_key(every)


def _show_live(engine: Engine, sessions: Sessions, view: View, rows: int, every: float) -> None:
    page = terminal.console()
    with single_keys(), Live(console=page, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        while not view.ended:
            live.update(picture(engine, sessions, view, rows), refresh=True)
            view = view.after(next_key(every))


def picture(engine: Engine, sessions: Sessions, view: View, rows: int) -> RenderableType:
    """Return what is shown at this moment; that the database does not answer is a line of it."""
    now = clock.now()
    wanted = Filter(queue=view.queue, overdue=view.overdue or None)
    try:
        with sessions() as session:
            status = status_snapshot(session)
        with engine.connect() as connection:
            referrals = listed(connection, wanted, limit=rows, after=None).referrals
    except SQLAlchemyError as error:
        failed = type(getattr(error, "orig", None) or error).__name__
        return Group(heading(now), f"the database does not answer ({failed})")
    return board(now, status, referrals, view)
