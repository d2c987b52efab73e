"""The demo: its patients change no decision, their numbers belong to nobody, and it outlives a restart."""

import re
from datetime import date

import click
import pytest

from services.api.openapi.examples import SUBMITTED_AT
from services.cli.demo import command
from services.cli.demo.patients import form_for
from shared.clinical.form import read
from shared.clinical.triage import triage
from shared.protocols import ACTIVE, active, cases

FOR_FICTION = re.compile(r"020 7946 0\d{3}")
TODAY = date.fromisoformat(SUBMITTED_AT[:10])


@pytest.mark.parametrize("case", cases(ACTIVE), ids=lambda case: case["id"])
def test_names_and_numbers_change_no_decision(case):
    form = form_for(case, 7, f"DEMO-{case['id']}")
    record = triage(read(form, active(), today=TODAY), active()).record()
    assert (record["queue"], record["priority"]) == (case["expect"]["queue"], case["expect"]["priority"])


def test_every_telephone_number_is_one_that_is_kept_for_fiction():
    forms = [form_for(cases(ACTIVE)[0], number, "DEMO-1")["encounter"] for number in range(100)]
    assert all(FOR_FICTION.fullmatch(form["callback_phone"]) for form in forms)
    assert all(FOR_FICTION.search(form["referrer_contact"]) for form in forms)


def test_the_same_patient_has_the_same_form():
    case = cases(ACTIVE)[0]
    assert form_for(case, 3, "DEMO-3") == form_for(case, 3, "DEMO-3")


def test_cases_keep_coming_after_the_service_was_away(monkeypatch, capsys):
    posted, waits = [], iter([None, None, KeyboardInterrupt()])

    def one_more(*given):
        posted.append(given[2])
        if len(posted) == 1:
            raise click.ClickException("it does not answer")

    def sleep(_):
        if (ends := next(waits)) is not None:
            raise ends

    monkeypatch.setattr(command, "one_more", one_more)
    monkeypatch.setattr(command.time, "sleep", sleep)
    command.keep_coming(None, None)
    assert len(set(posted)) == 3
    assert "it does not answer" in capsys.readouterr().err
