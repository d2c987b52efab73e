"""Working a case in the console: every action by its names, two people at once, taking over, and the next case."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ME, OTHER, Console, reference


def open_case(console: Console, page: Page, referral_id: str) -> None:
    page.goto(f"{console.url}/console/referrals/{referral_id}")


def test_a_wrong_key_gives_an_alert(console: Console, page: Page) -> None:
    page.goto(f"{console.url}/console/sign-in")
    page.get_by_role("textbox", name="Key").fill("rk_wrong_key")
    page.get_by_role("textbox", name="Your name").fill(ME)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("does not open the console")


def test_three_presses_from_the_board_to_an_acknowledged_emergency(console: Console, page: Page) -> None:
    console.case("urgent", "urgent", mrn="MRN-1")
    referral_id = console.case("urgent", "emergency", mrn="MRN-2")
    console.sign_in(page)
    row = page.get_by_role("table", name="Urgent").get_by_role("row").nth(1)
    expect(row).to_contain_text("Emergency")
    expect(row).to_contain_text(re.compile(r"\b(9|10) min"))
    row.get_by_role("link").click()
    page.get_by_role("button", name=f"Acknowledge {reference(referral_id)}").click()
    expect(page.get_by_role("main")).to_contain_text(f"You acknowledged {reference(referral_id)}.")
    expect(page.get_by_role("link", name="Open next")).to_contain_text("urgent, due in")
    page.get_by_role("main").get_by_role("link", name="Board").click()
    expect(page).to_have_url(re.compile(rf"/console#row-{referral_id}$"))


def test_the_trace_tells_what_matched_what_did_not_and_what_was_not_asked(console: Console, operator: Page) -> None:
    open_case(console, operator, console.case("urgent", "emergency"))
    rules = operator.get_by_role("region", name="Why here").get_by_role("table", name="Rules")
    matched = rules.get_by_role("row").filter(has=operator.get_by_role("cell", name="SE1", exact=True))
    expect(matched).to_contain_text("matched")
    expect(rules.get_by_role("cell", name="not matched", exact=True).first).to_be_visible()
    expect(operator.get_by_role("region", name="Why here")).to_contain_text("sha256:")


def test_what_was_not_asked_never_looks_like_no_red_flag(console: Console, operator: Page) -> None:
    calm = console.case("orthopedics", "routine")
    open_case(console, operator, calm)
    clear = operator.get_by_text("No red flag found")
    asked = "No red flag found" in operator.get_by_role("region", name="Why here").inner_text()
    body = {"patient": {"mrn": "MRN-9", "birth_date": "1980-01-01"}, "symptoms": {"cannot_lift_leg_supine": "present"}}
    open_case(console, operator, console.post(body))
    expect(clear).to_have_count(0)
    expect(operator.get_by_role("region", name="Why here")).to_contain_text(re.compile("not answered|unanswered"))
    expect(
        operator.get_by_role("cell", name=re.compile("could not be evaluated: answer missing")).first
    ).to_be_visible()
    assert asked


@pytest.mark.parametrize("pressed", ["complete", "release", "reroute", "return"])
def test_every_action_asks_for_its_words_and_leaves_them_on_the_timeline(
    pressed: str, console: Console, operator: Page
) -> None:
    referral_id = console.case("urgent", "emergency")
    open_case(console, operator, referral_id)
    if pressed in ("complete", "release"):
        operator.get_by_role("button", name=f"Acknowledge {reference(referral_id)}").click()
    panel = {"release": "Release", "reroute": "Reroute", "return": "Return to the referrer"}.get(pressed)
    if panel:
        operator.locator("summary", has_text=panel).click()
    label = {"complete": "Outcome", "release": "Reason for releasing", "reroute": "Reason for rerouting"}
    operator.get_by_role("textbox", name=label.get(pressed, "Advice to the referrer")).fill("Words of a test.")
    if pressed in ("reroute", "return"):
        operator.get_by_role("button", name=f"{pressed.title()} {reference(referral_id)}").click()
        expect(operator.get_by_role("region", name="Timeline")).not_to_contain_text("Words of a test.")  # not confirmed
        operator.get_by_role("checkbox", name="confirm").locator("visible=true").check()
    operator.get_by_role("button", name=f"{pressed.title()} {reference(referral_id)}").click()
    expect(operator.get_by_role("region", name="Timeline")).to_contain_text("Words of a test.")
    expect(operator.get_by_role("region", name="Timeline")).to_contain_text(f"by {ME}")


def test_of_two_who_press_at_once_the_second_sees_who_has_it(console: Console, page: Page, another: Page) -> None:
    referral_id = console.case("urgent", "emergency")
    console.sign_in(page)
    for each in (page, another):
        open_case(console, each, referral_id)
    for each in (page, another):
        each.get_by_role("button", name=f"Acknowledge {reference(referral_id)}").click()
    expect(page.get_by_role("main")).to_contain_text(f"with {ME} since")
    expect(another.get_by_role("alert").first).to_contain_text(f"{ME} has it.")


def test_what_one_holds_is_taken_over_with_one_reason(console: Console, page: Page, another: Page) -> None:
    held = [console.case("urgent", "emergency", mrn=f"MRN-{number}") for number in range(2)]
    for each in held:
        open_case(console, another, each)
        another.get_by_role("button", name=f"Acknowledge {reference(each)}").click()
    console.sign_in(page).goto(f"{console.url}/console/handover")
    expect(page.get_by_role("table", name="In hand").get_by_role("row", name=OTHER)).to_have_count(2)
    page.locator("summary", has_text=f"Take over from {OTHER} (2)").click()
    page.get_by_role("textbox", name="Reason for taking over").fill("End of the shift.")
    page.get_by_role("button", name=f"Take over from {OTHER}").click()
    expect(page.get_by_role("main")).to_contain_text("2 cases are yours now.")
    expect(page.get_by_role("table", name="In hand").get_by_role("row", name=ME)).to_have_count(2)
    open_case(console, page, held[0])
    expect(page.get_by_role("region", name="Timeline")).to_contain_text(f"taken over by {ME}")
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("End of the shift.")


def test_filters_stand_in_the_address_and_find_beyond_the_first_page(console: Console, operator: Page) -> None:
    console.case("urgent", "emergency", mrn="MRN-1")
    mine = console.case("urgent", "urgent", mrn="MRN-2")
    open_case(console, operator, mine)
    operator.get_by_role("button", name=f"Acknowledge {reference(mine)}").click()
    operator.goto(f"{console.url}/console/queues/urgent")
    table = operator.get_by_role("table", name="Urgent")
    expect(table.get_by_role("row")).to_have_count(3)
    operator.get_by_role("checkbox", name="Mine").check()
    operator.get_by_role("button", name="Show").click()
    expect(operator).to_have_url(re.compile("mine=true"))
    expect(table.get_by_role("row")).to_have_count(2)
    operator.goto(f"{console.url}/console/queues/urgent?overdue=true")
    expect(operator.get_by_role("main")).to_contain_text("Nothing here matches.")
    operator.goto(f"{console.url}/console/queues/urgent?priority=emergency&facility=st-marys")
    expect(table.get_by_role("row")).to_have_count(2)


def test_an_empty_queue_says_when_it_last_held_a_case(console: Console, operator: Page) -> None:
    operator.goto(f"{console.url}/console/queues/orthopedics")
    expect(operator.get_by_role("main")).to_contain_text("No recent case was here.")
    referral_id = console.case("orthopedics")
    open_case(console, operator, referral_id)
    operator.get_by_role("button", name=f"Acknowledge {reference(referral_id)}").click()
    operator.get_by_role("textbox", name="Outcome").fill("Seen.")
    operator.get_by_role("button", name="Complete").click()
    operator.goto(f"{console.url}/console/queues/orthopedics")
    expect(operator.get_by_role("main")).to_contain_text("The last case here was dealt with 1 min ago.")


def test_statistics_count_what_was_done(console: Console, operator: Page) -> None:
    referral_id = console.case("urgent", "emergency")
    open_case(console, operator, referral_id)
    operator.get_by_role("button", name=f"Acknowledge {reference(referral_id)}").click()
    operator.goto(f"{console.url}/console/statistics?since=8h")
    by_hour = operator.get_by_role("table", name="Referrals by hour")
    assert sum(int(row.get_by_role("cell").last.inner_text()) for row in by_hour.get_by_role("row").all()[1:]) == 1
    expect(
        operator.get_by_role("table", name="Time to acknowledge").get_by_role("row", name="Emergency")
    ).to_contain_text("1 min")
    expect(operator.get_by_role("table", name="Rules fired most").get_by_role("row", name="SE1")).to_have_count(1)
    expect(operator.get_by_role("img", name="Referrals over time")).to_be_visible()
    with operator.expect_download() as download:
        operator.get_by_role("link", name="CSV").first.click()
    assert download.value.path().read_text().startswith("From,Emergency,")


def test_trying_a_form_shows_the_decision_and_stores_nothing(console: Console, operator: Page) -> None:
    operator.goto(f"{console.url}/console/try")
    operator.get_by_label("Is the patient unable to lift a leg while lying flat?").select_option("present")
    operator.get_by_label("How did it begin?").select_option("sudden")
    operator.get_by_label("Has bladder control changed?").select_option("new_or_worse")
    operator.get_by_role("button", name="Show the decision").click()
    expect(operator.get_by_role("region", name="Decision")).to_contain_text("Emergency")
    expect(operator.get_by_role("region", name="The same by program")).to_contain_text("curl -sS")
    operator.set_viewport_size({"width": 390, "height": 844})
    expect(operator.get_by_role("region", name="Decision")).to_be_in_viewport()  # and not below the form
    operator.goto(f"{console.url}/console")
    expect(operator.get_by_role("main")).to_contain_text("Nobody waits here.")
