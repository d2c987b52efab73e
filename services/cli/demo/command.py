"""`referrals demo`: posts worked cases to a running service, prints where each one went, and where to look at them."""

import random
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from services.cli.admin.first_keys import FACILITY
from services.cli.demo import shift
from services.cli.demo.client import Client
from services.cli.demo.patients import form_for
from services.cli.support.database import database
from services.cli.support.settings import DEFAULT_HOME, settings_of
from services.embedded.home import Home
from services.embedded.run_file import running_in
from shared.platform.database import Sessions
from shared.protocols import ACTIVE, cases
from shared.store.access import facilities, keys

ROW = "{:<6} {:<16} {:<10} {}"
LIVING_SECONDS = (8.0, 25.0)  # from one case to the next
TAKEN_CHANCE = 0.6  # of a case that keeps coming: that a person acknowledges it at once
HELD = 6  # cases in hand, beyond which people complete the oldest


@click.command()
@click.option("--url", help="Where the service answers; by default where the one in --home does.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="The home of a running `referrals up`.")
@click.option(
    "--key", envvar="REFERRALS_KEY", help="A submitter's key; without it one is issued, and revoked afterwards."
)
@click.option("--living", is_flag=True, help="Keep new cases coming, and people working them, until Ctrl-C.")
def demo(url: str | None, home: Path | None, key: str | None, living: bool) -> None:
    """Post the worked cases, and print where each one went. A second time adds nothing new.

    Without --key the board is filled as a shift leaves it: cases of the last hours, some of them taken or completed.
    """
    url = url or running_in(Home((home or DEFAULT_HOME).resolve())).url
    if key and living:
        raise click.ClickException("--living acts as an operator, too, so it issues its own keys: leave out --key")
    if key:
        post_worked_cases(Client(url, key))
    else:
        with database(settings_of(home)) as (_, sessions), issued(sessions, url) as (submitter, operator):
            fill(sessions, submitter, operator, post_worked_cases(submitter))
            click.echo(f"\nthe console: {url}/console  (sign in with an operator's key)")
            if living:
                keep_coming(submitter, operator)


@contextmanager
def issued(sessions: Sessions, url: str) -> Iterator[tuple[Client, Client]]:
    """Yield a submitter and an operator whose keys live as long as they are needed."""
    with ExitStack() as stack:
        yield (
            Client(url, stack.enter_context(_key(sessions, "submitter", FACILITY))),
            Client(url, stack.enter_context(_key(sessions, "operator", None))),
        )


@contextmanager
def _key(sessions: Sessions, role: str, facility: str | None) -> Iterator[str]:
    with sessions.begin() as session:
        if facility:
            facilities.register(session, facility)
        key_id, key = keys.issue(session, role=role, facility=facility)
    try:
        yield key
    finally:
        with sessions.begin() as session:
            keys.revoke(session, key_id)


def post_worked_cases(submitter: Client) -> dict[str, dict[str, Any]]:
    """Post every worked case and print its line; return the intakes by the case's id."""
    click.echo(ROW.format("case", "queue", "priority", "why"))
    intakes = {}
    for number, case in enumerate(cases(ACTIVE)):
        form = form_for(case, number, f"DEMO-{case['id']}", external_id=f"demo-case-{case['id']}")
        intakes[case["id"]] = submitter.submit(form)
        click.echo(row(case["id"], intakes[case["id"]]))
    return intakes


def fill(sessions: Sessions, submitter: Client, operator: Client, worked: dict[str, dict[str, Any]]) -> None:
    """Make of the worked cases, and of earlier ones like them, the board of a shift."""
    priorities = {case["id"]: case["expect"]["priority"] for case in cases(ACTIVE)}
    story = {
        _referral(intake): shift.story(case, priorities[case], place)
        for place, (case, intake) in enumerate(worked.items())
        if _referral(intake)
    }
    earlier = [case for case in cases(ACTIVE) if case["expect"]["queue"] != "urgent"] or cases(ACTIVE)
    for place, minutes in enumerate(shift.EARLIER_MINUTES):
        case = earlier[place % len(earlier)]
        intake = submitter.submit(earlier_form(case, place))
        if _referral(intake):
            story[_referral(intake)] = (minutes, shift.DONE[place % len(shift.DONE)])
    with sessions.begin() as session:
        shift.set_back(session, ((UUID(each), minutes) for each, (minutes, _) in story.items() if each))
    for referral_id, (_, steps) in story.items():
        for step in steps:
            operator.act(str(referral_id), step.action, {"by": step.by, **step.words})


def earlier_form(case: dict[str, Any], place: int) -> dict[str, Any]:
    """Return the form of a worked case for another patient, who came earlier."""
    return form_for(case, len(cases(ACTIVE)) + place, f"DEMO-E{place:02}", external_id=f"demo-earlier-case-{place}")


def keep_coming(submitter: Client, operator: Client) -> None:
    """Post a case every few seconds, and have people acknowledge and complete most of them, until Ctrl-C."""
    chance = random.Random()  # noqa: S311 - of which case comes next
    click.echo("new cases keep coming; Ctrl-C ends that")
    held: deque[tuple[str, str]] = deque()  # referrals, and who acknowledged them
    try:
        for number in range(int(time.time()), 1 << 62):
            try:
                one_more(submitter, operator, number, chance, held)
            except click.ClickException as error:  # a service that restarts is back soon
                click.echo(error.format_message(), err=True)
            time.sleep(chance.uniform(*LIVING_SECONDS))
    except KeyboardInterrupt:
        click.echo("")


def one_more(
    submitter: Client, operator: Client, number: int, chance: random.Random, held: deque[tuple[str, str]]
) -> None:
    """Post one case; some are acknowledged at once, and of those that people hold the oldest is completed in time."""
    case = chance.choice(cases(ACTIVE))
    intake = submitter.submit(form_for(case, number, f"DEMO-L{number}", external_id=f"demo-living-{number}"))
    click.echo(row(case["id"], intake))
    referral_id = _referral(intake)
    if referral_id and chance.random() < TAKEN_CHANCE:
        by = chance.choice((shift.OKAFOR, shift.HAILE, shift.LINDQVIST))
        operator.act(referral_id, "acknowledge", {"by": by})
        held.append((referral_id, by))
    if len(held) > HELD:
        oldest, by = held.popleft()
        operator.act(oldest, "complete", {"by": by, "outcome": "Seen and treated."})


def _referral(intake: dict[str, Any]) -> str | None:
    found = intake.get("referral")
    return str(found["id"]) if found else None


def row(case: str, intake: dict[str, Any]) -> str:
    """Return the line of the table for a posted case."""
    decision = intake.get("decision")
    if not decision:
        return ROW.format(case, "-", "-", "not triaged yet")
    return ROW.format(case, decision["queue"], decision["priority"], decision["headline"])
