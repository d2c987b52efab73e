"""Referrals are listed, found, shown and worked from a terminal, with the permissions of a key."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from tests.referrals import RED_FLAG, REFERRALS, Up, referrals, request


@pytest.fixture(scope="module")
def posted(running: Up, keys: dict[str, str]) -> dict[str, Any]:
    form = {
        **RED_FLAG,
        "encounter": {"external_id": "TERMINAL-1"},
        "patient": {"mrn": "T-77", "birth_date": "1980-01-01"},
    }
    status, intake = request(f"{running.url}/v1/intakes", keys["submitter"], form)
    assert status == 200
    return request(f"{running.url}{intake['referral']['links']['self']}", keys["operator"])[1]


def test_it_is_listed_with_when_it_is_due(posted: dict[str, Any], home: Path) -> None:
    said = referrals("list", "--queue", "urgent", "--home", home)
    assert "\x1b" not in said.stdout
    assert re.search(
        rf"^{posted['reference']} +urgent +emergency +queued +in \d+m\d\ds +T-77 ", said.stdout, re.MULTILINE
    )
    answered = json.loads(referrals("list", "--queue", "urgent", "--home", home, "--json").stdout)
    assert posted["id"] in [each["id"] for each in answered["referrals"]]
    assert referrals("list", "--queue", "orthopedics", "--home", home).stdout.strip() == "no referrals"
    for late in ("--overdue", "--contact-overdue"):  # it is ten minutes before
        assert referrals("list", late, "--home", home).stdout.strip() == "no referrals"


def test_it_is_found_by_reference_external_id_and_record_number(posted: dict[str, Any], home: Path) -> None:
    typed = posted["reference"].lower().replace("-", "")
    for found in (
        referrals("find", typed, "--home", home),
        referrals("find", "--external-id", "TERMINAL-1", "--home", home),
        referrals("find", "--record-number", "--home", home, input="T-77\n"),
    ):
        assert posted["reference"] in found.stdout, found.stderr
    assert referrals("find", "--record-number", "T-77", "--home", home).returncode == 2
    assert referrals("find", "--record-number", "--home", home, input="").returncode == 1


def test_it_is_shown_whole(posted: dict[str, Any], home: Path) -> None:
    said = referrals("show", posted["reference"], "--home", home).stdout
    for words in (posted["headline"], "RF_BLADDER_BOWEL", "T-77", "because", "never a diagnosis", "queued"):
        assert words in said
    whole = json.loads(referrals("show", posted["id"], "--home", home, "--json").stdout)
    assert whole["referral"]["reference"] == posted["reference"]
    assert whole["events"][0]["type"] == "referral.queued"


def test_a_key_in_the_environment_is_used_with_its_permissions(
    posted: dict[str, Any], running: Up, home: Path, keys: dict[str, str]
) -> None:
    own = os.environ | {"REFERRALS_KEY": keys["department"], "REFERRALS_URL": running.url}
    refused = referrals("show", posted["reference"], env=own)  # the department works other queues
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no referral" in refused.stderr
    auditor = referrals("list", env=own | {"REFERRALS_KEY": keys["auditor"]})
    assert auditor.stderr.startswith("Error: 403: ")
    assert posted["reference"] in referrals("list", "--home", home).stdout
    listed = referrals("keys", "list", "--home", home).stdout
    made = [line for line in listed.splitlines() if line.endswith("a terminal")]
    assert made
    assert all("revoked" in line for line in made)


def test_it_is_acknowledged_rerouted_and_returned(posted: dict[str, Any], home: Path) -> None:
    reference, by = posted["reference"], ("--by", "Dr A. Okafor", "--home", home)
    taken = referrals("acknowledge", reference, *by, "--note", "Seen.")
    assert "taken by Dr A. Okafor" in taken.stdout, taken.stderr
    other = referrals("acknowledge", reference, "--by", "Dr B. Haile", "--home", home)
    assert other.stderr.startswith("Error: 409: ")
    move = ("reroute", reference, "--to", "neurology", "--reason", "A nerve.", *by)
    assert referrals(*move).stderr.startswith("Error: 422: ")
    assert re.search("neurology .* queued", referrals(*move, "--confirm").stdout)
    back = referrals("return", reference, "--reason", "Refer again with the MRI.", *by, "--json")
    assert json.loads(back.stdout)["returned"]["reason"] == "Refer again with the MRI."
    assert "Refer again with the MRI." in referrals("show", reference, "--home", home).stdout
    assert referrals("return", reference, "--reason", "Again.", *by).stderr.startswith("Error: 409: ")


def test_watch_shows_what_is_due_and_its_keys_choose(running: Up, keys: dict[str, str], home: Path) -> None:
    request(f"{running.url}/v1/intakes", keys["submitter"], RED_FLAG)
    once = referrals("watch", "--once", "--home", home).stdout
    assert re.search(r"^R-\S+ +urgent +emergency +in \d+m\d\ds +queued", once, re.MULTILINE)
    assert "MRN-1" not in once
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 140, 0, 0))
    command = [REFERRALS, "watch", "--home", home, "--every", "60"]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, env=os.environ | {"TERM": "xterm"}) as watching:
        os.close(terminal)
        try:
            shown_until(controller, "open in all queues")
            os.write(controller, b"2")
            shown_until(controller, "open in neurology")
            os.write(controller, b"o")
            shown_until(controller, "overdue in neurology")
            os.write(controller, b"q")
            assert watching.wait(20) == 0
        finally:
            watching.kill()
            os.close(controller)


def shown_until(controller: int, words: str, seconds: float = 30) -> None:
    deadline, shown = time.monotonic() + seconds, ""
    while words not in shown:
        left = deadline - time.monotonic()
        assert left > 0, shown
        if select.select([controller], [], [], left)[0]:
            shown += os.read(controller, 65536).decode(errors="replace")
