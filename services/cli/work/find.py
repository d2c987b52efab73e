"""`referrals find`: the referrals of a reference, of a sender's id, or of a patient's record number."""

import sys

import click

from services.cli.work.output import json_option, print_json, print_table
from services.cli.work.service import Service, with_service


@click.command()
@click.argument("reference", metavar="[REFERENCE]", required=False)
@click.option("--external-id", metavar="ID", help="The sender's own id of the form.")
@click.option("--record-number", is_flag=True, help="Ask for the record number, or read it from standard input.")
@json_option
@with_service
def find(
    service: Service, *, reference: str | None, external_id: str | None, record_number: bool, as_json: bool
) -> None:
    """Find referrals of any status, the newest first.

    A record number names a patient, so it is never an argument, which other accounts of the computer can read and the
    shell's history keeps: it is asked for, or read from the first line of standard input.
    """
    if sum(map(bool, (reference, external_id, record_number))) != 1:
        raise click.UsageError("name exactly one: a REFERENCE, --external-id ID, or --record-number")
    if record_number:
        wanted = {"mrn": read_record_number()}
    elif external_id:
        wanted = {"external_id": external_id}
    else:
        wanted = {"reference": reference or ""}
    found = service.find(wanted)
    if as_json:
        print_json({"referrals": found, "next": None})
    else:
        print_table(found)


def read_record_number() -> str:
    """Return the record number that a person types unseen, or the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("record number", hide_input=True, err=True)).strip()
    typed = sys.stdin.readline().strip()
    if not typed:
        raise click.ClickException("standard input has no record number")
    return typed
