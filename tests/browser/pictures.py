"""Takes the pictures of the console for the documentation: every page, light and dark, on a desktop and on a phone.

Cases are the protocol's worked ones at fixed times before a fixed moment, so the same code gives the same pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from shared.migrations.migrate import upgrade
from shared.monitoring.periodic import ROLES
from shared.platform.database import create_engine, create_sessions
from shared.platform.settings import Settings
from shared.store.access import keys
from shared.store.operations.heartbeats import record_heartbeat
from tests.browser.conftest import CHROMIUM, QUIET
from tests.browser.fixed_time import NOW, Time, console
from tests.browser.picture_day import live_through
from tests.conftest import IDENTITY_KEYS, LOOKUP_KEY
from tests.servers import servers

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MAX_BYTES = 150_000
COLORS = 256  # of a picture's palette: a screen of text has few more
SMOOTH = (  # alike on every screen, and drawn in one go: what is drawn in pieces has other edges each time
    *("--disable-lcd-text", "--font-render-hinting=none", "--force-color-profile=srgb"),
    *("--disable-partial-raster", "--num-raster-threads=1", "--disable-checker-imaging"),
)
SIZES = {"desktop": (1280, 880), "phone": (390, 844)}
WALL = (1920, 1080)  # of the screen on which a wall hangs


@dataclass(frozen=True)
class Picture:
    """A page, and what is done there before its picture is taken."""

    name: str
    path: str
    before: Callable[[Page], None] = lambda _: None


def search(page: Page) -> None:
    """Search for a patient's record number."""
    page.get_by_role("searchbox").fill("DEMO-V01")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("table", name="Found").wait_for()


def answer(page: Page) -> None:
    """Answer the first question of a call."""
    question = page.get_by_role("form", name="Questions").get_by_role("combobox").first
    question.select_option("new_or_worse")
    page.get_by_text("More urgent than now").wait_for()
    question.blur()


def decide(page: Page) -> None:
    """Try a form with a red flag."""
    for field, value in (
        ("cannot_lift_leg_supine", "present"),
        ("onset", "sudden"),
        ("bladder_change", "new_or_worse"),
    ):
        page.locator(f"[name='symptoms.{field}']").select_option(value)
    page.get_by_role("button", name="Show the decision").click()
    page.get_by_role("region", name="Decision").wait_for()
    page.evaluate("document.activeElement.blur()")


PICTURES = (
    Picture("board", "/console"),
    Picture("wall", "/console?view=wall"),
    Picture("queue", "/console/queues/orthopedics"),
    Picture("referral", "/console/referrals/{V01}"),
    Picture("call-back", "/console/call-back"),
    Picture("call", "/console/call-back?case={V42}", answer),
    Picture("handover", "/console/handover"),
    Picture("failed", "/console/failed"),
    Picture("statistics", "/console/statistics?since=24h"),
    Picture("try", "/console/try"),
    Picture("decision", "/console/try", decide),
    Picture("protocol", "/console/protocol"),
    Picture("health", "/console/health"),
    Picture("search", "/console/search", search),
)


def take(page: Page, name: str) -> None:
    """Write one picture, with a palette of its own."""
    page.mouse.move(0, 0)
    taken = Image.open(BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    file = IMAGES / f"{name}.png"
    taken.quantize(COLORS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, optimize=True)
    assert file.stat().st_size <= MAX_BYTES, f"{file} has {file.stat().st_size} bytes"


def take_all(url: str, key: str, ids: dict[str, str]) -> None:
    """Write every picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *SMOOTH])
        for scheme in ("light", "dark"):
            for size, viewport in SIZES.items():
                context = browser.new_context(color_scheme=scheme, locale="en-GB", timezone_id="UTC")
                page = context.new_page()
                page.clock.set_fixed_time(NOW)
                resize(page, viewport)
                page.goto(f"{url}/console/sign-in")
                take(page, f"sign-in-{scheme}-{size}")
                page.get_by_role("textbox", name="Key").fill(key)
                page.get_by_role("textbox", name="Your name").fill("Dr A. Okafor")
                page.get_by_role("button", name="Sign in").click()
                for each in PICTURES:
                    resize(page, WALL if (each.name, size) == ("wall", "desktop") else viewport)
                    answer = page.goto(url + each.path.format(**ids))
                    assert answer is not None, each.name
                    assert answer.ok, each.name
                    each.before(page)
                    take(page, f"{each.name}-{scheme}-{size}")
                context.close()
        browser.close()


def resize(page: Page, size: tuple[int, int]) -> None:
    """Have the page be of a size."""
    width, height = size
    page.set_viewport_size({"width": width, "height": height})


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with servers() as started:
        settings = Settings(started.database_url(), started.redis_url, IDENTITY_KEYS, LOOKUP_KEY)
        engine = create_engine(settings)
        time = Time(engine)
        engine.dispose()  # what connects from now on has the search path
        upgrade(engine)
        sessions = create_sessions(engine)
        with console(settings, time) as (url, app):
            ids = live_through(app, sessions, settings, time)
            with sessions.begin() as session:
                for role in ROLES:
                    record_heartbeat(session, f"{role}-1", role, "2026.1.0")
                key = keys.issue(session, role="operator")[1]
            take_all(url, key, ids)
        engine.dispose()
