"""The ordinary baseline does the same work: what it is posted ends in the same queue, with the same decision."""

import json

import pytest
from sqlalchemy import select

from bench.bodies import NAME, example_forms
from bench.plain.api import create_app
from bench.plain.tasks import TRIAGE_TASK, create_celery
from shared.clinical.form import read
from shared.clinical.triage import triage
from shared.platform.clock import now
from shared.protocols import active
from shared.store.access.facilities import register
from shared.store.access.keys import issue
from shared.tables import Decision, Event, Intake, Referral

FORMS = example_forms(now().year)


@pytest.fixture
def post(settings, sessions, broker):  # noqa: ARG001 - an empty broker
    with sessions.begin() as session:
        register(session, "st-marys")
        _, key = issue(session, role="submitter", facility="st-marys")
    client = create_app(settings, sessions).test_client()
    return lambda body: client.post("/v1/intakes", json=body, headers={"Authorization": f"Bearer {key}"})


def triage_waiting(settings, sessions):
    task = create_celery(settings, sessions).tasks[TRIAGE_TASK]
    with sessions() as session:
        ids = session.scalars(select(Intake.id)).all()
    for intake_id in ids:
        task(str(intake_id))


@pytest.mark.parametrize("body", [FORMS.urgent[0], FORMS.routine[0]])
def test_an_intake_ends_as_the_rules_say(post, settings, sessions, body):
    assert post(body).status_code == 202
    triage_waiting(settings, sessions)
    decision = triage(read(body, active(), today=now().date()), active())
    with sessions() as session:
        assert session.scalars(select(Decision.record)).all() == [json.loads(json.dumps(decision.record()))]
        assert session.scalars(select(Referral.queue)).all() == [decision.queue]
        assert session.scalars(select(Event.type)).all() == ["referral.queued"]


def test_a_task_that_runs_twice_changes_nothing(post, settings, sessions):
    post(FORMS.routine[0])
    triage_waiting(settings, sessions)
    triage_waiting(settings, sessions)
    with sessions() as session:
        assert len(session.scalars(select(Referral.id)).all()) == 1


def test_each_post_puts_one_task_on_the_broker(post, broker):
    post(FORMS.routine[0])
    assert broker.llen("celery") == 1


def test_it_refuses_what_the_form_refuses_and_who_has_no_key(post, sessions):
    assert post({**FORMS.routine[0], "symptoms": {"onset": "sudden"}}).status_code == 422
    assert post(FORMS.routine[0]).status_code == 202
    assert post(FORMS.routine[0]).status_code == 409
    with sessions() as session:
        assert session.scalars(select(Intake.external_id)).all() == [NAME]
