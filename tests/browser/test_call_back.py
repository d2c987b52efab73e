"""Calling back, search and test intakes in the browser: by their names, with and without JavaScript."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from shared.store.access import facilities
from tests.browser.conftest import Console, reference
from tests.cases import case_for

PHONE = "+44 20 7946 0999"


def waiting(console: Console, mrn: str = "MRN-1") -> str:
    """Post a case that waits for a call, of which a question is open."""
    body = case_for("clinical_review", "prompt").body(mrn, bladder_change="unknown", saddle_numbness="unknown")
    contact = {"callback_phone": PHONE, "interpreter_language": "ti", "completed_by": "proxy"}
    return console.post(body | {"encounter": (body.get("encounter") or {}) | contact})


def test_answers_typed_during_the_call_show_at_once_where_the_case_would_go_and_are_saved(
    console: Console, operator: Page
) -> None:
    referral_id = waiting(console)
    operator.get_by_role("navigation", name="Main").get_by_role("link", name="Call back").click()
    row = operator.get_by_role("table", name="Waiting for a call").get_by_role("row", name=reference(referral_id))
    expect(row).to_contain_text(PHONE)
    expect(row).to_contain_text("Tigrinya (ti)")
    row.get_by_role("link", name=f"Call {reference(referral_id)}").click()
    questions = operator.get_by_role("form", name="Questions")
    questions.get_by_role("combobox").first.wait_for()
    bladder = operator.locator("[name='symptoms.bladder_change']")
    bladder.select_option("new_or_worse")
    expect(questions).to_contain_text("With these answers:")
    expect(questions).to_contain_text("More urgent than now (Urgent).")
    expect(bladder).to_have_value("new_or_worse")
    expect(questions.get_by_text("With these answers:")).to_be_in_viewport()
    questions.get_by_role("button", name="Save answers").click()
    expect(operator.get_by_role("main")).to_contain_text("The answers are saved.")
    operator.get_by_role("button", name="Reached").click()
    expect(operator.get_by_role("main")).to_contain_text("Noted: Reached.")
    expect(operator.get_by_role("main")).to_contain_text("Nobody waits for a call.")


def test_without_javascript_a_button_shows_where_the_case_would_go(console: Console, browser: Browser) -> None:
    referral_id = waiting(console)
    context = browser.new_context(java_script_enabled=False)
    page = console.sign_in(context.new_page())
    page.goto(f"{console.url}/console/call-back?case={referral_id}")
    page.locator("[name='symptoms.bladder_change']").select_option("new_or_worse")
    page.get_by_role("button", name="Show where it would go").click()
    expect(page.get_by_role("form", name="Questions")).to_contain_text("More urgent than now (Urgent).")
    expect(page.locator("[name='symptoms.bladder_change']")).to_have_value("new_or_worse")
    context.close()


@pytest.mark.parametrize("how", ["reference", "record number"])
def test_the_slash_leads_to_the_search_box_and_nothing_typed_is_in_the_address(
    how: str, console: Console, operator: Page
) -> None:
    referral_id = console.case("urgent", "emergency", mrn="MRN-SECRET-7")
    operator.goto(f"{console.url}/console/handover")
    operator.keyboard.press("/")
    expect(operator.get_by_role("searchbox")).to_be_focused()
    operator.keyboard.type(reference(referral_id) if how == "reference" else "MRN-SECRET-7")
    operator.keyboard.press("Enter")
    expect(operator).to_have_url(f"{console.url}/console/search")
    found = operator.get_by_role("table", name="Found")
    expect(found).to_contain_text("MRN-SECRET-7")
    found.get_by_role("link", name=reference(referral_id)).click()
    expect(operator).to_have_url(re.compile(f"/console/referrals/{referral_id}$"))


def test_what_was_sent_is_one_press_from_the_case(console: Console, operator: Page) -> None:
    referral_id = waiting(console)
    operator.goto(f"{console.url}/console/referrals/{referral_id}")
    operator.get_by_role("link", name="What was sent").click()
    expect(operator.get_by_role("main")).to_contain_text(PHONE)
    operator.get_by_role("main").get_by_role("link", name=reference(referral_id)).click()
    expect(operator.get_by_role("region", name="Timeline")).to_contain_text("form read by Dr A. Okafor")


def test_a_tried_form_is_sent_as_a_test_intake(console: Console, operator: Page) -> None:
    with console.sessions.begin() as session:
        facilities.register(session, "practice", facilities.TEST)
    operator.goto(f"{console.url}/console/try")
    operator.locator("[name='symptoms.cannot_lift_leg_supine']").select_option("present")
    operator.get_by_role("combobox", name="Test facility").select_option("practice")
    operator.get_by_role("button", name="Send as a test intake").click()
    expect(operator.get_by_role("main")).to_contain_text("Sent into the test facility practice")
    console.triage_all()
    operator.get_by_role("link", name="Look again").click()
    expect(operator.get_by_role("main")).to_contain_text("It became")
