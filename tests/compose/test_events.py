"""Who listens to events is served by a process of its own, through nginx and at once."""

from tests.driver.client import Client
from tests.driver.forms import form_for
from tests.streams import Stream

from .stack import Stack


def test_a_listener_hears_of_a_referral_through_nginx(stack: Stack, submitter: Client, operator: Client) -> None:
    with Stream(stack.port, operator.key) as stream:
        assert stream.fields()["retry"] == "2000"
        intake = submitter.post_intake(form_for("urgent", "listener")).body
        event = stream.event()
        while event["intake_id"] != intake["id"]:
            event = stream.event()
    assert event["type"] == "referral.queued"
    page = operator.get(f"/v1/events?after={event['id'] - 1}")
    assert page["events"][0] == event
    assert "/v1/events" in served(stack, "events")
    assert "/v1/events" in served(stack, "api")


def served(stack: Stack, service: str) -> str:
    """Return what a service has logged of the requests that it answered."""
    return stack.compose("logs", "--no-log-prefix", service)
