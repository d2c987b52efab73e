"""`referrals retention`: erases what is old, holds cases, and erases one patient on request; each run is recorded."""

import sys
from getpass import getuser
from pathlib import Path

import click

from services.cli.admin.keys import home_option, known_facility
from services.cli.support.database import database
from services.cli.support.settings import settings_of
from shared.platform.settings import Settings
from shared.store.event_log.feed import catch_up
from shared.store.patients.record_numbers import mrn_hashes
from shared.store.retention import holds, runs

IDENTITY_DAYS, CASE_YEARS = 365, 8


@click.group()
def retention() -> None:
    """Erase old identities and cases, or one patient; hold cases."""


@retention.command(name="run")
@click.option("--facility", required=True, help="Whose cases.")
@click.option("--identity-days", type=click.IntRange(1), default=IDENTITY_DAYS, show_default=True)
@click.option("--case-years", type=click.IntRange(1), default=CASE_YEARS, show_default=True)
@click.option("--dry-run", is_flag=True, help="Count what would be erased, and erase nothing.")
@home_option()
def run_(facility: str, identity_days: int, case_years: int, *, dry_run: bool, home: Path | None) -> None:
    """Erase what is old in the cases of a facility.

    Identities and free text go after --identity-days without anything new, whole cases after --case-years.

    Open referrals, forms that wait for triage and cases on hold are left. It can be stopped at any time and run again.
    """
    settings, limits = _settings(home), runs.Limits(identity_days, case_years)
    key = _chain_key(settings)
    if not dry_run:
        _number_events(settings)
    with database(settings.as_maintenance()) as (_, sessions):
        with sessions() as session:
            known_facility(session, facility)
        done = runs.run(sessions, facility, getuser(), limits, dry=dry_run, key=key)
    click.echo(_said(done, "would be " if dry_run else ""))


@retention.command()
@click.option("--facility", required=True, help="Where the record number is of.")
@click.option("--mrn", is_flag=True, required=True, help="Read the record number from standard input, or ask for it.")
@click.option("--whole", is_flag=True, help="Remove the cases, not their identities and free text alone.")
@home_option()
def erase(facility: str, home: Path | None, *, mrn: bool, whole: bool) -> None:  # noqa: ARG001 - it says what is read
    """Erase one patient's identities and free text.

    --mrn takes no value, so that the number is in no list of processes. Cases that are open or on hold are left, with
    exit code 1.
    """
    number = click.prompt("Record number", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    if not number:
        raise click.UsageError("there is no record number in standard input")
    settings = _settings(home)
    key = _chain_key(settings)
    _number_events(settings)
    with database(settings.as_maintenance()) as (_, sessions):
        with sessions() as session:
            known_facility(session, facility)
        hashed = [mrn_hashes(key, facility, number) for key in settings.lookup_keys]
        hashes = sorted({value for each in hashed for value in (each.normalised, each.as_typed)})
        done, still_open = runs.erase_patient(sessions, facility, getuser(), hashes, whole=whole, key=key)
    click.echo(_said(done, ""))
    if still_open or done.held:
        raise click.ClickException(f"{len(still_open)} cases are open and {done.held} are on hold: they were left")


@retention.command()
@click.argument("reference")
@home_option()
def hold(reference: str, home: Path | None) -> None:
    """Hold the case of a referral, R-…, until it is released. It is kept whatever its age."""
    with database(_settings(home).as_maintenance()) as (_, sessions), sessions.begin() as session:
        _say(reference, holds.hold(session, reference, getuser()), "held", "was held before")


@retention.command()
@click.argument("reference")
@home_option()
def release(reference: str, home: Path | None) -> None:
    """Release the case of a referral that was held."""
    with database(_settings(home).as_maintenance()) as (_, sessions), sessions.begin() as session:
        _say(reference, holds.release(session, reference, getuser()), "released", "was not held")


def _settings(home: Path | None) -> Settings:
    return settings_of(home, without=("REDIS_URL",))


def _number_events(settings: Settings) -> None:
    """Number what happened last, as the service: an event without a number would keep its words."""
    with database(settings) as (_, sessions):
        catch_up(sessions)


def _chain_key(settings: Settings) -> bytes:
    if settings.chain_key is None:
        raise click.ClickException("CHAIN_KEY is not set: without it nothing shows what an erasure left of an event")
    return settings.chain_key


def _say(reference: str, changed: bool | None, done: str, was: str) -> None:
    if changed is None:
        raise click.ClickException(f"there is no referral {reference}")
    click.echo(f"{reference} {done if changed else was}")


def _said(done: runs.Done, would: str) -> str:
    return (
        f"identities of {done.identities} cases {would}erased, {done.cases} cases {would}removed, {done.held} on hold"
    )
