"""What a page does by itself: new red flags, held rows, stale data, sound, a thousand rows, and load."""

import json
import re
import threading
import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import OTHER, Console, reference
from tests.cases import case_for

SOON = 5000  # milliseconds, in which a new red flag has to be on the board


def tones(page: Page) -> int:
    return int(page.evaluate("document.documentElement.dataset.tones || 0"))


def test_a_new_red_flag_comes_by_itself_with_banner_count_and_one_announcement(
    console: Console, operator: Page
) -> None:
    operator.evaluate("""() => {
        window.said = [];
        const alarm = document.getElementById("alarm");
        new MutationObserver(() => said.push(alarm.textContent)).observe(alarm, {childList: true, characterData: true});
    }""")
    referral_id = console.case("urgent", "emergency")
    expect(operator.get_by_role("link", name=reference(referral_id))).to_be_visible(timeout=SOON)
    expect(operator.get_by_role("alert").first).to_contain_text(f"New emergency: {reference(referral_id)}")
    expect(operator).to_have_title(re.compile(r"^\(1\) "))
    operator.wait_for_timeout(4500)  # two more polls
    assert len(operator.evaluate("said")) == 1


def test_nothing_moves_under_the_focus_and_the_new_case_waits_in_a_bar(console: Console, page: Page) -> None:
    first = console.case("urgent", "urgent", mrn="MRN-1")
    console.sign_in(page)
    link = page.get_by_role("link", name=reference(first))
    link.focus()
    console.case("urgent", "emergency", mrn="MRN-2")
    bar = page.get_by_role("button", name="1 new, 1 emergency: show")
    expect(bar).to_be_visible(timeout=SOON)
    expect(link).to_be_focused()
    expect(page.get_by_role("table", name="Urgent").get_by_role("row")).to_have_count(2)
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    bar.click()
    expect(page.get_by_role("table", name="Urgent").get_by_role("row")).to_have_count(3)
    expect(bar).to_be_hidden()


def test_no_row_moves_under_the_pointer_when_something_comes(console: Console, page: Page) -> None:
    first = console.case("urgent", "urgent", mrn="MRN-1")
    console.sign_in(page)
    button = page.get_by_role("button", name=f"Acknowledge {reference(first)}")
    button.hover()
    before = button.bounding_box()
    console.case("urgent", "emergency", mrn="MRN-2")
    expect(page.get_by_role("button", name="1 new, 1 emergency: show")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("alert").first).to_be_visible()
    assert button.bounding_box() == before
    page.route("**/console", lambda route: route.abort() if "HX-Request" in _names(route) else route.continue_())
    expect(page.get_by_text("Not updated since")).to_be_visible(timeout=15_000)
    assert button.bounding_box() == before


def test_a_case_that_another_takes_stays_in_its_place_while_the_focus_is_in_the_table(
    console: Console, page: Page, another: Page
) -> None:
    first, second = (console.case("urgent", "urgent", mrn=f"MRN-{number}") for number in range(2))
    console.sign_in(page)
    page.get_by_role("link", name=reference(second)).focus()
    another.goto(f"{console.url}/console/referrals/{first}")
    another.get_by_role("button", name=f"Acknowledge {reference(first)}").click()
    bar = page.get_by_role("button", name="The list has changed: show")
    expect(bar).to_be_visible(timeout=SOON)
    rows = page.get_by_role("table", name="Urgent").get_by_role("row")
    expect(rows.nth(1)).to_contain_text(reference(first))
    bar.click()
    expect(rows.nth(1)).to_contain_text(reference(second))
    expect(rows.nth(2)).to_contain_text(OTHER)


def test_a_paused_list_keeps_its_rows_and_still_announces(console: Console, operator: Page) -> None:
    pause = operator.get_by_role("button", name="Pause the list")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    referral_id = console.case("urgent", "emergency")
    bar = operator.get_by_role("button", name="1 new, 1 emergency: show")
    expect(bar).to_be_visible(timeout=SOON)
    expect(operator.get_by_role("alert").first).to_contain_text(reference(referral_id))
    expect(operator.get_by_role("link", name=reference(referral_id))).to_have_count(0)
    bar.click()
    expect(operator.get_by_role("link", name=reference(referral_id))).to_be_visible()
    expect(pause).to_have_attribute("aria-pressed", "false")


def test_a_refresh_keeps_the_rows_that_stay(console: Console, page: Page) -> None:
    first = console.case("urgent", "urgent", mrn="MRN-1")
    console.sign_in(page)
    row = page.locator(f"#row-{first}")
    row.evaluate("each => { each.kept = true; }")
    console.case("urgent", "emergency", mrn="MRN-2")
    expect(page.get_by_role("table", name="Urgent").get_by_role("row")).to_have_count(3, timeout=SOON)
    assert row.evaluate("each => each.kept") is True


def test_a_stale_page_says_so_and_its_actions_ask(console: Console, page: Page) -> None:
    referral_id = console.case("urgent", "emergency")
    console.sign_in(page)
    page.route("**/console", lambda route: route.abort() if "HX-Request" in _names(route) else route.continue_())
    expect(page.get_by_text("Not updated since")).to_be_visible(timeout=15_000)
    assert page.get_by_text("Not updated since").get_attribute("role") == "alert"
    button = page.get_by_role("button", name=f"Acknowledge {reference(referral_id)}")
    button.click()
    dialog = page.get_by_role("dialog", name="not up to date")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(button).to_be_visible()
    button.click()
    dialog.get_by_role("button", name="Act all the same").click()
    expect(page.get_by_role("main")).to_contain_text(f"You acknowledged {reference(referral_id)}.")


def _names(route: object) -> set[str]:
    return {name.title().replace("Hx", "HX") for name in route.request.headers}  # type: ignore[attr-defined]


def test_the_session_says_that_it_ends_and_goes_on_where_a_person_is_there(console: Console, page: Page) -> None:
    console.sign_in(page)
    page.goto(f"{console.url}/console/protocol")
    page.evaluate("document.body.dataset.idle = 60")
    expect(page.get_by_role("alert").filter(has_text="You will be signed out at")).to_be_visible()
    page.evaluate("document.body.dataset.idle = 900")
    page.get_by_role("button", name="Stay signed in").click(force=True)
    expect(page.get_by_text("You will be signed out at")).to_be_hidden()


def test_a_wall_shows_no_identity_and_sounds_once_for_a_new_emergency(console: Console, page: Page) -> None:
    console.sign_in(page)
    page.get_by_role("button", name="Use this screen as a wall").click()
    sound = page.get_by_role("button", name="Enable sound on this screen")
    expect(sound).to_have_attribute("aria-pressed", "false")
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("slider", name="Volume")).to_be_visible()
    for number in range(14):
        console.case("urgent", "emergency", mrn=f"MRN-{number}")
    expect(page.get_by_role("table", name="Urgent").get_by_role("row")).to_have_count(13, timeout=SOON)
    expect(page.get_by_role("main")).to_contain_text("and 2 more")
    expect(page.get_by_role("main").get_by_role("link")).to_have_count(0)
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    page.wait_for_timeout(3000)  # further refreshes and ticks
    assert tones(page) == 1
    page.get_by_role("button", name="Test sound").click()
    assert tones(page) == 2
    answer = page.request.get(f"{console.url}/console/referrals/0197c9a0-0000-7000-8000-000000000000")
    assert answer.status == 403


def test_a_wall_of_1920_by_1080_shows_twelve_rows_and_how_many_more_there_are(console: Console, page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    console.sign_in(page)
    for number in range(14):
        console.case("urgent", "emergency", mrn=f"MRN-{number}")
    page.goto(f"{console.url}/console?view=wall")
    expect(page.get_by_role("table", name="Urgent").get_by_role("row")).to_have_count(13)
    expect(page.get_by_text("and 2 more")).to_be_in_viewport(ratio=1)


def test_a_thousand_rows_and_a_red_flag_under_load(console: Console, page: Page, served) -> None:
    body = case_for("orthopedics").body
    client = served[1].test_client()
    key = console.key("submitter", facility="st-marys")
    lines = [{"idempotency_key": f"row-{number}", "form": body(f"ROW-{number}")} for number in range(1000)]
    content = "\n".join(map(json.dumps, lines)) + "\n"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    assert client.post("/v1/intakes/batch", data=content, headers=headers, buffered=True).status_code == 200
    console.triage_all()
    console.sign_in(page)
    began = time.monotonic()
    page.goto(f"{console.url}/console/queues/orthopedics")
    expect(page.get_by_role("table", name="Orthopedics").get_by_role("row")).to_have_count(101)
    assert time.monotonic() - began < 5
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("table", name="Orthopedics").get_by_role("row")).to_have_count(101)

    page.goto(f"{console.url}/console")
    stop = threading.Event()

    def keep_posting() -> None:
        number = 0
        while not stop.is_set():
            client.post("/v1/intakes", json=body(f"LOAD-{number}"), headers={"Authorization": f"Bearer {key}"})
            number += 1

    load = threading.Thread(target=keep_posting)
    load.start()
    try:
        referral_id = console.case("urgent", "emergency", mrn="RED")
        expect(page.get_by_role("link", name=reference(referral_id))).to_be_visible(timeout=SOON)
    finally:
        stop.set()
        load.join()
