"""Every page: one heading, one main, no error, no foreign request, no barrier, in light, in dark and at 390 px."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, reference

PAGES = (
    *("/console", "/console/queues/urgent", "/console/queues/neurology", "REFERRAL", "/console/failed"),
    *("/console/handover", "/console/statistics?since=8h", "/console/try", "/console/protocol", "/console/health"),
    *("/console/call-back", "/console/call-back?case=REFERRAL", "/console/search", "REFERRAL/form"),
)
NARROW = {"width": 390, "height": 844}
LONG_WORDS = """() => {
    const fill = (css, text) => document.querySelectorAll(css).forEach((each) => { each.textContent = text; });
    fill(".c-owner", "Dr Wilhelmina-Alexandra Featherstonehaugh-Cholmondeley-Montgomery");
    fill(".c-why .facts > :last-child", "the-northern-district-general-university-teaching-hospital-trus");
    fill(".why", "Child or adolescent with hip, thigh or knee pain who walks badly and has a stiff hip");
    fill(".bar-who", "Dr Wilhelmina-Alexandra Featherstonehaugh-Cholmondeley-Montgomery");
}"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def address(console: Console, path: str, referral_id: str) -> str:
    whole = f"/console/referrals/{path}" if path.startswith("REFERRAL") else path
    return console.url + whole.replace("REFERRAL", referral_id)


@pytest.mark.parametrize("path", [*PAGES, "/console?view=wall", "/console/sign-in"])
def test_a_page_is_whole_and_reachable_for_everybody(path: str, console: Console, page: Page) -> None:
    referral_id = console.case("urgent", "emergency")
    console.case("neurology", mrn="MRN-2")
    console.sign_in(page)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith((console.url, "data:")) else said.append(request.url)
    )
    page.goto(address(console, path, referral_id))
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("navigation", name="Main")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_count(1)
    if path != "/console/sign-in":
        expect(page.get_by_role("button", name="Sign out")).to_have_count(1)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
    page.set_viewport_size(NARROW)
    assert page.evaluate(OVERFLOW) <= 0
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    results = Axe().run(page)  # a table that scrolls on a telephone has to be reached by the keyboard, too
    assert results.violations_count == 0, results.generate_report()
    assert said == []


def test_a_page_at_200_percent_has_no_second_scroll_bar(console: Console, operator: Page) -> None:
    referral_id = console.case("urgent", "emergency")
    for path in PAGES:
        operator.goto(address(console, path, referral_id))
        operator.set_viewport_size({"width": 640, "height": 430})  # 1280 by 860, twice as large
        assert (path, operator.evaluate(OVERFLOW) <= 0) == (path, True)


@pytest.mark.parametrize("width", [1280, 1100, 1024, 800, 390])
def test_every_acknowledgement_is_in_reach_at_every_width_with_long_names(
    width: int, console: Console, operator: Page
) -> None:
    referral_id = console.case("urgent", "emergency")
    operator.set_viewport_size({"width": width, "height": 800})
    operator.goto(f"{console.url}/console/queues/urgent")
    operator.evaluate(LONG_WORDS)
    assert operator.evaluate(OVERFLOW) <= 0
    button = operator.get_by_role("button", name=f"Acknowledge {reference(referral_id)}").bounding_box()
    assert button is not None
    assert button["x"] >= 0
    assert button["x"] + button["width"] <= width


def test_a_printed_list_is_a_table_and_says_no_address(console: Console, operator: Page) -> None:
    console.case("urgent", "emergency")
    operator.goto(f"{console.url}/console/handover")
    operator.emulate_media(media="print")
    operator.set_viewport_size({"width": 794, "height": 1123})  # a page of A4
    expect(operator.get_by_role("columnheader", name="Why here")).to_be_visible()
    link = operator.get_by_role("table", name="Not acknowledged").get_by_role("link")
    assert link.evaluate("each => getComputedStyle(each, '::after').content") == "none"


def test_a_printed_referral_is_a_hand_off_sheet_without_controls(console: Console, operator: Page) -> None:
    referral_id = console.case("urgent", "emergency")
    operator.goto(f"{console.url}/console/referrals/{referral_id}")
    operator.emulate_media(media="print")
    for name in ("Patient", "Why here", "Imaging", "Timeline"):
        expect(operator.get_by_role("region", name=name)).to_be_visible()
    expect(operator.get_by_role("region", name="Actions")).to_be_hidden()
    expect(operator.get_by_role("button")).to_have_count(0)
    assert operator.pdf().startswith(b"%PDF")


def test_without_javascript_a_case_is_read_and_acknowledged(console: Console, browser) -> None:
    referral_id = console.case("urgent", "emergency")
    context = browser.new_context(java_script_enabled=False)
    page = console.sign_in(context.new_page())
    page.get_by_role("table", name="Urgent").get_by_role("link", name=reference(referral_id)).click()
    expect(page.get_by_role("region", name="Why here")).to_contain_text("SE1")
    page.get_by_role("button", name=f"Acknowledge {reference(referral_id)}").click()
    expect(page.get_by_role("main")).to_contain_text("with Dr A. Okafor since")
    context.close()


def test_the_keyboard_alone_finds_reads_and_acknowledges(console: Console, page: Page) -> None:
    first, second = (console.case("urgent", "emergency", mrn=f"MRN-{number}") for number in range(2))
    console.sign_in(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("checkbox", include_hidden=True)).not_to_be_focused()  # the dialog has given it back
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=reference(first))).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=reference(second))).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1).get_by_text(reference(first)).wait_for()
    button = page.get_by_role("button", name="Acknowledge")
    for _ in range(60):
        page.keyboard.press("Tab")
        if button.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Open next")).to_contain_text(reference(second))


def test_single_key_shortcuts_can_be_switched_off(operator: Page) -> None:
    operator.keyboard.press("?")
    operator.get_by_role("checkbox", name="Switch single-key shortcuts off").check()
    operator.keyboard.press("Escape")
    operator.reload()
    operator.keyboard.press("?")
    expect(operator.get_by_role("dialog")).to_have_count(0)
