"""The console's gates: who may open which page, sessions and their ends, forms of other sites, headers, tenants."""

import hashlib
import re
import tomllib
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import OperationalError

from services.api.console.blueprint import STATIC
from services.api.console.pages.cases.actions import ACTIONS
from services.api.http import key_cache
from services.api.http.auth import PUBLIC
from shared.platform.clock import now
from shared.store.access import console_sessions, keys
from shared.tables import ROLES, ConsoleSession

NOBODY = "0197c9a0-0000-7000-8000-000000000000"
STAFF = {"department", "operator", "auditor", "admin"}
WORKERS = STAFF - {"auditor"}
OVERSEERS = {"operator", "admin"}

# Who may open or press what, page by page. A route of the console that is not here fails the first test.
MAY = {
    ("GET", "/console"): STAFF,
    ("GET", "/console/queues/<name>"): STAFF,
    ("GET", "/console/referrals/<uuid:referral_id>"): STAFF,
    ("GET", "/console/failed"): OVERSEERS,
    ("GET", "/console/handover"): STAFF,
    ("GET", "/console/statistics"): STAFF,
    ("GET", "/console/statistics/<key>.csv"): STAFF,
    ("GET", "/console/try"): WORKERS,
    ("GET", "/console/protocol"): STAFF,
    ("GET", "/console/health"): STAFF - {"department"},
    ("GET", "/console/call-back"): WORKERS,
    ("GET", "/console/search"): WORKERS,
    ("GET", "/console/referrals/<uuid:referral_id>/form"): WORKERS,
    ("GET", "/console/try/sent/<uuid:intake_id>"): WORKERS,
    ("GET", "/console/"): STAFF,
    ("GET", "/console/<path:_unknown>"): STAFF,
    ("POST", "/console/call-back/<uuid:referral_id>/preview"): WORKERS,
    ("POST", "/console/call-back/<uuid:referral_id>/answers"): WORKERS,
    ("POST", "/console/search"): WORKERS,
    ("POST", "/console/try"): WORKERS,
    ("POST", "/console/failed/retry"): OVERSEERS,
    ("POST", "/console/handover/take-over"): WORKERS,
    ("POST", f"/console/referrals/<uuid:referral_id>/<any({ACTIONS}):action>"): WORKERS,
    ("POST", "/console/referrals/<uuid:referral_id>/correct-identity"): OVERSEERS,
    ("POST", "/console/wall"): STAFF,
    ("POST", "/console/sign-out"): STAFF,
}
VENDOR = STATIC / "vendor"


class Person:
    """A browser of somebody who has signed in."""

    def __init__(self, app, key, name="Dr A. Okafor", **environ):
        self.client = app.test_client()
        self.environ = environ
        self.signed_in = self.send("/console/sign-in", {"key": key, "name": name})

    def get(self, path, **headers):
        return self.client.get(path, headers=headers, environ_overrides=self.environ)

    def send(self, path, form, **headers):
        return self.client.post(path, data=form, headers=headers, environ_overrides=self.environ)

    def press(self, path, form=None, **headers):
        return self.send(path, {"csrf": self.csrf(), **(form or {})}, **headers)

    def csrf(self):
        found = re.search('name="csrf" value="([0-9a-f]+)"', self.get("/console/protocol").text)
        return found[1] if found else ""


@pytest.fixture
def person(app, caller):
    def of(role, name="Dr A. Okafor", key=None, **environ):
        given = {"department": {"facility": "st-marys", "queues": ["urgent"]}, "submitter": {"facility": "st-marys"}}
        return Person(app, key or caller(role, **given.get(role, {})).key, name, **environ)

    return of


def address(rule):
    path = (
        rule.replace("<name>", "urgent")
        .replace("<key>", "by-hour")
        .replace("<path:_unknown>", "x")
        .replace("<uuid:referral_id>", NOBODY)
    )
    return re.sub("<any.*>", "acknowledge", path).replace("<uuid:intake_id>", NOBODY)


def age(sessions, **columns):
    with sessions.begin() as session:
        session.execute(update(ConsoleSession).values(**columns))


def is_signed_out(answer):
    return answer.status_code == 303 and answer.headers["Location"].startswith("/console/sign-in")


def test_every_route_of_the_console_is_in_the_table(app):
    found = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/console") and rule.endpoint not in PUBLIC
    }
    assert found == set(MAY)


@pytest.mark.parametrize("role", sorted(STAFF))
def test_a_role_may_open_and_press_what_the_table_says(role, person):
    for (method, rule), roles in MAY.items():
        browser = person(role)
        answer = browser.get(address(rule)) if method == "GET" else browser.press(address(rule))
        expected = (200, 303, 404, 422) if role in roles else (403,)
        assert (rule, answer.status_code in expected) == (rule, True), answer.status_code


@pytest.mark.parametrize(("method", "rule"), MAY)
def test_without_a_session_everything_leads_to_the_sign_in_page(method, rule, app):
    client = app.test_client()
    answer = client.get(address(rule)) if method == "GET" else client.post(address(rule), data={})
    assert is_signed_out(answer)


@pytest.mark.parametrize("role", sorted(set(ROLES) - STAFF))
def test_a_key_of_another_role_does_not_sign_in(role, person):
    answer = person(role).signed_in
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_name_is_asked_for(person):
    assert person("operator", name=" ").signed_in.status_code == 422


def test_a_department_opens_its_queues_alone_and_no_other_facility(person, caller, referral):
    other = caller("submitter", facility="city")
    own, foreign = referral("urgent"), referral("urgent", sender=other, mrn="MRN-2")
    elsewhere = referral("neurology", mrn="MRN-3")
    browser = person("department")
    assert browser.get(f"/console/referrals/{own['id']}").status_code == 200
    for each in (foreign, elsewhere):
        assert browser.get(f"/console/referrals/{each['id']}").status_code == 404
        assert browser.press(f"/console/referrals/{each['id']}/acknowledge").status_code == 404
    assert browser.get("/console/queues/neurology").status_code == 403
    listed = browser.get("/console/queues/urgent").text
    assert own["id"] in listed
    assert foreign["id"] not in listed


def test_an_auditor_sees_the_case_and_neither_the_patient_nor_a_button(person, referral):
    case = referral("urgent", mrn="MRN-SECRET-7")
    path = f"/console/referrals/{case['id']}"
    assert "MRN-SECRET-7" in person("operator").get(path).text
    shown = person("auditor").get(path).text
    assert "MRN-SECRET-7" not in shown
    assert "Acknowledge <span" not in shown


def test_lists_the_wall_and_addresses_have_no_identity(person, referral):
    referral("urgent", mrn="MRN-SECRET-7")
    browser = person("operator")
    for path in (
        "/console",
        "/console?view=wall",
        "/console/queues/urgent",
        "/console/handover",
        "/console/statistics",
    ):
        assert "MRN-SECRET-7" not in browser.get(path).text


def test_reasons_of_returns_are_statistics_for_those_who_may_read_them(person, referral, operator):
    path = referral("orthopedics")["links"]["self"]
    words = "Refer again with the X-ray."
    done = operator.post(f"{path}/return", {"by": "Dr A", "reason": words, "confirm": True})
    assert done.status_code == 200, done.text
    for page in ("/console/statistics", "/console/statistics/reasons.csv"):
        assert words in person("operator").get(page).text
    auditor = person("auditor")
    assert words not in auditor.get("/console/statistics").text
    assert auditor.get("/console/statistics/reasons.csv").status_code == 404
    department = person("department").get("/console/statistics")  # of the urgent queue
    assert words not in department.text


def test_a_form_without_the_token_or_from_another_site_does_nothing(person, referral, operator):
    case = referral("urgent")
    path = f"/console/referrals/{case['id']}/acknowledge"
    browser = person("operator")
    assert browser.send(path, {}).status_code == 403
    assert browser.send(path, {"csrf": "0" * 64}).status_code == 403
    assert browser.send(path, {"csrf": person("operator").csrf()}).status_code == 403  # of another session
    assert browser.send(path, {"csrf": "\u0661" * 64}).status_code == 403
    for site in ("cross-site", "same-site"):
        assert browser.press(path, **{"Sec-Fetch-Site": site}).status_code == 403
    assert operator.get(f"/v1/referrals/{case['id']}").json["status"] == "queued"
    assert browser.press(path, **{"Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert operator.get(f"/v1/referrals/{case['id']}").json["acknowledged"]["by"] == "Dr A. Okafor"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),  # all that a browser says over plain http
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "https://localhost"}, 303),  # before a proxy that ends TLS and does not say so
        ({"Origin": "http://other.example", "Sec-Fetch-Site": "same-origin"}, 303),  # the proxy renamed this host
    ],
)
def test_no_other_site_signs_a_browser_in(person, operator, headers, status):
    form = {"key": operator.key, "name": "X"}
    assert person("operator").send("/console/sign-in", form, **headers).status_code == status


def test_signing_in_anew_ends_the_session_before(person, app, operator):
    browser = person("operator")
    token = browser.client.get_cookie("psoas_console").value
    assert browser.send("/console/sign-in", {"key": operator.key, "name": "X"}).status_code == 303
    thief = app.test_client()
    thief.set_cookie("psoas_console", token)
    assert is_signed_out(thief.get("/console"))
    assert browser.get("/console").status_code == 200


@pytest.mark.parametrize("name", ["a\0b", "\u200b", "a\u202eb"])
def test_a_name_that_no_action_would_take_does_not_sign_in(person, name):
    assert person("operator", name=name).signed_in.status_code == 422


def test_the_cookie_is_strict_and_over_tls_bound_to_this_host(person):
    plain = person("operator").signed_in.headers["Set-Cookie"]
    assert plain.startswith("psoas_console=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(plain.split("; "))
    secure = person("operator", **{"wsgi.url_scheme": "https"}).signed_in.headers["Set-Cookie"]
    assert secure.startswith("__Host-psoas_console=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Secure"} <= set(secure.split("; "))
    assert "Domain" not in secure


def test_the_database_has_no_token(person, sessions):
    token = re.search("psoas_console=([^;]+)", person("operator").signed_in.headers["Set-Cookie"])[1]
    with sessions() as session:
        stored = session.execute(text("select token_hash, cast(console_sessions as text) from console_sessions")).one()
    assert stored[0] != hashlib.sha256(token.encode()).digest()
    assert token not in stored[1]


def test_a_session_that_was_written_into_the_database_opens_nothing(person, app, sessions, caller):
    admin, key = caller("admin").key, caller("auditor").key
    browser, wall = person(None, key=key), person(None, key=key)
    wall.press("/console/wall")
    age(sessions, kind="person", name="X")
    assert is_signed_out(wall.get("/console"))
    age(sessions, key_id=keys.split(admin)[0])
    assert is_signed_out(browser.get("/console"))
    token = f"mine.person.{keys.split(admin)[0]}"
    with sessions.begin() as session:
        hashed = {"token_hash": hashlib.sha256(token.encode()).digest(), "kind": "person", "name": "X"}
        session.execute(
            insert(ConsoleSession).values(key_id=keys.split(admin)[0], expires_at=now() + timedelta(1), **hashed)
        )
    thief = app.test_client()
    thief.set_cookie("psoas_console", token)
    assert is_signed_out(thief.get("/console"))


def test_a_person_is_signed_out_after_a_quarter_of_an_hour_that_polls_do_not_extend(person, sessions):
    browser = person("operator")
    seen = now() - timedelta(minutes=14)
    age(sessions, seen_at=seen)
    assert browser.get("/console", **{"HX-PTag": "0", "HX-Request": "true"}).status_code == 200
    with sessions() as session:
        assert session.query(ConsoleSession).one().seen_at == seen
    assert browser.get("/console").status_code == 200  # a person did this
    with sessions() as session:
        assert session.query(ConsoleSession).one().seen_at > seen
    age(sessions, seen_at=now() - timedelta(minutes=15, seconds=1))
    poll = browser.get("/console", **{"HX-PTag": "0", "HX-Request": "true"})
    assert (poll.status_code, poll.headers["HX-Redirect"]) == (401, "/console/sign-in?next=/console")
    assert is_signed_out(browser.get("/console"))


def test_a_person_is_signed_out_after_twelve_hours_whatever_they_do(person, sessions):
    browser = person("operator")
    with sessions() as session:
        stored = session.query(ConsoleSession).one()
    assert stored.expires_at - stored.created_at == timedelta(hours=12)
    age(sessions, expires_at=now() - timedelta(seconds=1))
    assert is_signed_out(browser.get("/console"))


def test_a_wall_lives_thirty_days_without_idling_and_can_only_be_looked_at(person, sessions, referral):
    case = referral("urgent", mrn="MRN-SECRET-7")
    browser = person("operator")
    assert browser.press("/console/wall").headers["Location"] == "/console?view=wall"
    with sessions() as session:
        stored = session.query(ConsoleSession).one()
    assert (stored.kind, stored.name) == ("wall", None)
    assert stored.expires_at - stored.created_at == timedelta(days=30)
    age(sessions, seen_at=now() - timedelta(days=29))
    wall = browser.get("/console")
    assert wall.status_code == 200
    assert "MRN-SECRET-7" not in wall.text
    assert "/console/referrals/" not in wall.text
    assert browser.press(f"/console/referrals/{case['id']}/acknowledge").status_code == 403
    assert browser.get(f"/console/referrals/{case['id']}").status_code == 403
    assert browser.get("/console/handover").status_code == 403


def test_signing_out_ends_this_session_or_all_of_this_person(person, caller):
    key = caller("operator").key
    here, there, colleague = person(None, key=key), person(None, key=key), person(None, name="Nurse M. Haile", key=key)
    answer = here.press("/console/sign-out")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert answer.headers["Clear-Site-Data"]
    assert is_signed_out(here.get("/console"))
    assert there.get("/console").status_code == 200
    again = person(None, key=key)
    again.press("/console/sign-out", {"everywhere": "1"})
    assert is_signed_out(there.get("/console"))
    assert colleague.get("/console").status_code == 200


def test_a_revoked_key_ends_its_sessions(person, caller, sessions, monkeypatch):
    key = caller("operator").key
    browser = person(None, key=key)
    assert browser.get("/console").status_code == 200
    with sessions.begin() as session:
        keys.revoke(session, keys.split(key)[0])
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 0.0)
    assert is_signed_out(browser.get("/console"))


def test_every_page_has_the_headers_that_keep_others_out(person):
    for path in ("/console", "/console/sign-in", "/console/statistics", f"/console/referrals/{NOBODY}"):
        headers = person("operator").get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in headers["Cache-Control"]


@pytest.mark.parametrize("path", ["elsewhere", "referrals/x", f"referrals/{NOBODY}", "queues/x", "statistics/x.csv"])
def test_what_is_not_there_is_said_on_a_page(path, person):
    answer = person("operator").get(f"/console/{path}")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "There is nothing here." in answer.text
    assert path not in answer.text


def test_an_outage_is_said_on_a_page(person, monkeypatch):
    browser = person("operator")
    monkeypatch.setattr(console_sessions, "find_session", Mock(side_effect=OperationalError("", {}, Exception())))
    answer = browser.get("/console")
    assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (503, "text/html", "2")
    assert "Try again in a moment." in answer.text
    assert browser.get("/console", **{"HX-Request": "true"}).mimetype == "application/problem+json"


def test_who_guesses_keys_at_sign_in_is_told_when_to_try_again(person, operator):
    browser = person("operator")
    wrong = {"key": operator.key[:-1] + ("0" if operator.key[-1] != "0" else "1"), "name": "X"}
    answers = [browser.send("/console/sign-in", wrong) for _ in range(12)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_no_page_has_an_inline_script_style_or_handler(person, referral):
    case = referral("urgent")
    for path in (
        "/console",
        f"/console/referrals/{case['id']}",
        "/console/statistics",
        "/console/try",
        "/console/handover",
    ):
        page = person("operator").get(path).text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", page)


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/console\\evil", "/v1/queues", "/console//x", "/console?x=\r\nA: b"],
)
def test_signing_in_leads_nowhere_else(wanted, app, caller):
    client = app.test_client()
    form = {"key": caller("operator").key, "name": "X", "next": wanted}
    assert client.post("/console/sign-in", data=form).headers["Location"] == "/console"


@pytest.mark.parametrize(
    "back", ["//evil.example/console", "https://evil.example/console", "javascript:alert(1)", "/docs", "http://["]
)
def test_the_way_back_leads_to_lists_of_the_console_alone(back, person, referral):
    case = referral("urgent")
    page = person("operator").get(f"/console/referrals/{case['id']}?back={back}").text
    assert back not in page
    assert 'href="/console/queues/urgent"' in page
    assert person("operator").get(f"/console/referrals/{case['id']}", Referer=back).status_code == 200


@pytest.mark.parametrize("folder", sorted(VENDOR.iterdir()), ids=lambda folder: folder.name)
def test_what_is_vendored_is_what_was_published(folder: Path):
    vendored = tomllib.loads((folder / "VENDOR.toml").read_text())
    assert folder.name == f"{vendored['name']}@{vendored['version']}"
    assert vendored["licence"]
    assert {file.name for file in folder.iterdir()} - {"VENDOR.toml"} == vendored["sha256"].keys()
    for name, digest in vendored["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_own_javascript_stays_small():
    assert len((STATIC / "console.js").read_text().splitlines()) < 100


def test_sessions_that_expired_are_removed_at_the_next_sign_in(person, sessions):
    person("operator")
    age(sessions, expires_at=now() - timedelta(seconds=1))
    person("operator")
    with sessions() as session:
        assert session.query(ConsoleSession).count() == 1
    assert console_sessions.MAX_EXPIRED == 1000
