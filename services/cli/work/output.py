"""Shows referrals: as a table, one whole, or as the JSON that the service answered."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click
from rich.text import Text

from services.cli.support import terminal
from services.cli.support.times import due
from shared.clinical.referral.lifecycle import OPEN_STATUSES
from shared.platform import clock

json_option = click.option("--json", "as_json", is_flag=True, help="Print what the service answers.")
COLUMNS = ("reference", "queue", "priority", "status", "due", "record number", "patient", "headline")
ENDED = {"returned": "reason", "completed": "outcome"}


def print_json(answer: Mapping[str, Any]) -> None:
    """Print an answer for programs."""
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def print_table(referrals: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each referral, in the order in which they came."""
    rows = terminal.table(*COLUMNS, wide=("patient", "headline"))
    for referral in referrals:
        patient = referral["patient"] or {}
        rows.add_row(
            referral["reference"],
            referral["queue"],
            terminal.priority_text(referral["priority"]),
            referral["status"],
            terminal.due_text(acknowledgement(referral)),
            patient.get("mrn", "-"),
            patient.get("name") or "-",
            referral["headline"],
        )
    terminal.console().print(rows if referrals else "no referrals")


def print_changed(referral: Mapping[str, Any], *, as_json: bool) -> None:
    """Print how a referral stands after an action."""
    if as_json:
        print_json(referral)
    else:
        print_table([referral])


def print_whole(referral: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> None:
    """Print everything about a referral, and what happened to it."""
    page = terminal.console()
    facts = terminal.table("", "", wide=("",))
    facts.show_header = False
    for name, value in _facts(referral):
        facts.add_row(Text(name, "dim"), value)
    page.print(facts)
    page.print("\nA recommendation to a clinician, never a diagnosis or an order.\n")
    timeline = terminal.table("when", "what", "who", "words", wide=("words",))
    for event in events:
        data = event["data"]
        words = data.get("reason") or data.get("outcome") or data.get("note") or ""
        timeline.add_row(_moment(event["at"]), event["type"].removeprefix("referral."), event["by"] or "-", words)
    page.print(timeline)


def acknowledgement(referral: Mapping[str, Any]) -> str:
    """Return how long is left to acknowledge it, or who has it, or `-` once it is closed."""
    if referral["acknowledged"] and referral["status"] in OPEN_STATUSES:
        return f"taken by {referral['acknowledged']['by']}"
    return _due(referral["acknowledge_by"]) if referral["status"] == "queued" else "-"


def _facts(referral: Mapping[str, Any]) -> Iterable[tuple[str, str | Text]]:
    decision, patient = referral["decision"] or {}, referral["patient"]
    yield "reference", f"{referral['reference']}   {referral['id']}"
    yield "headline", Text(referral["headline"], "bold")
    yield "priority", terminal.priority_text(referral["priority"])
    yield "queue", f"{referral['queue']}, {referral['status']}"
    yield "acknowledge", terminal.due_text(acknowledgement(referral))
    if referral["contact_by"]:
        contacted = referral["contacted"]
        done = contacted and f"{contacted['outcome']}, {contacted['by']}"
        yield "call back", terminal.due_text(done or _due(referral["contact_by"]))
    if referral.get("ambulance"):
        yield "ambulance", Text("call one at once", terminal.OVERDUE)
    if patient:
        yield "patient", ", ".join(filter(None, (patient["mrn"], patient["name"], patient["birth_date"])))
    yield "facility", referral["facility"]
    yield "red flags", ", ".join(referral["red_flags"]) or "none"
    yield from ((name.replace("_", " "), decision[name]) for name in ("suspected", "send_to") if decision.get(name))
    yield from (("imaging", f"{each['text']} ({each['within'] or 'no limit'})") for each in referral["imaging"])
    yield from (("because", f"{each['rule']}: {each['text']}") for each in decision.get("reasons", ()))
    for each in decision.get("undetermined", ()):
        yield "not known", f"{each['rule']}: {', '.join(each['missing'])}"
    for ending, words in ENDED.items():
        if said := referral[ending]:
            yield ending, f"{said['by']}, {_moment(said['at'])}: {said[words]}"
    if referral["links"]["superseded_by"]:
        yield "superseded by", referral["links"]["superseded_by"].rpartition("/")[2]


def _due(moment: str) -> str:
    return due(datetime.fromisoformat(moment), clock.now())


def _moment(written: str) -> str:
    return f"{datetime.fromisoformat(written):%Y-%m-%d %H:%M}"
