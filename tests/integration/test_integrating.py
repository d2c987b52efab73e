"""docs/integrating.md works as it stands: its blocks are run in order, as one session, against a running service."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.receiver import Received, receiver
from tests.referrals import REFERRALS, Up, referrals, request, up

PAGE = Path(__file__).parents[2] / "docs/integrating.md"
BLOCKS = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
PYTHON = "\n".join(content for kind, content in BLOCKS if kind == "python")
STREAM, VERIFY = (content for kind, content in BLOCKS if kind == "javascript")
SHELL = "".join(content for kind, content in BLOCKS if kind == "sh")
FORM = {
    "patient": {"mrn": "SM-99", "birth_date": "1980-01-01"},
    "symptoms": {"cannot_lift_leg_supine": "present"},
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Up, dict[str, Any]]]:
    """Yield a service and how a program of the page is run: in the folder of its home, with the key of the page."""
    folder = tmp_path_factory.mktemp("integrating")
    with up(folder / "var") as running:
        environment = os.environ | {"PSOAS_URL": running.url, "PATH": f"{REFERRALS.parent}:{os.environ['PATH']}"}
        options: dict[str, Any] = {"cwd": folder, "env": environment}
        said = run(["bash", "-euo", "pipefail", "-c", SHELL + '\necho; echo "$PSOAS_KEY"'], **options).splitlines()
        assert said[0] == "added st-marys"
        answer = json.loads(said[1])
        assert (answer["status"], answer["decision"]["queue"]) == ("triaged", "urgent")
        environment["PSOAS_KEY"] = said[-1]
        assert re.search(
            "^st-marys +test ", referrals("facilities", "list", "--home", running.home).stdout, re.MULTILINE
        )
        yield running, options


@pytest.fixture(scope="module")
def hook(service: tuple[Up, dict[str, Any]]) -> tuple[Received, str]:
    """Return a webhook of the facility's own system as it came, and the secret that the command printed."""
    running, options = service
    with receiver() as system:
        added = referrals(
            "destinations", "set", "--facility", "st-marys", system.url, "--insecure", "--json", "--home", running.home
        )
        key = options["env"]["PSOAS_KEY"]
        assert request(f"{running.url}/v1/intakes", key, FORM)[0] == 200
        return system.wait_for(1)[0], json.loads(added.stdout)["secret"]


def run(command: list[str], **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_programs_in_python_work(service: tuple[Up, dict[str, Any]]) -> None:
    said = run([str(REFERRALS.parent / "python"), "-W", "error", "-c", PYTHON], **service[1])
    assert said.startswith("triaged ")
    assert re.search(r"^R-\w{4}-\w{4} queued None None$", said, re.MULTILINE)


def test_the_stream_is_read_with_node(service: tuple[Up, dict[str, Any]]) -> None:
    said = run(["node", "--input-type=module", "-e", STREAM], **service[1])
    assert re.fullmatch(r"\d+ referral\.queued R-\w{4}-\w{4}\n", said)


def test_a_webhook_is_verified_in_python(hook: tuple[Received, str]) -> None:
    received, secret = hook
    (content,) = (content for kind, content in BLOCKS if kind == "python" and "def verify" in content)
    page = ModuleType("page")
    exec(content, page.__dict__)  # noqa: S102 - our own page
    assert page.verify(received.headers, received.body, secret)
    assert not page.verify(received.headers, received.body + b" ", secret)
    assert not page.verify(received.headers | {"webhook-timestamp": "1"}, received.body, secret)


def test_a_webhook_is_verified_in_node(hook: tuple[Received, str], tmp_path: Path) -> None:
    received, secret = hook
    (tmp_path / "verify.mjs").write_text(VERIFY)
    given = json.dumps([received.headers, received.body.decode(), secret])
    program = f"""
        import {{ verify }} from "./verify.mjs";
        const [headers, body, secret] = {given};
        console.log(verify(headers, Buffer.from(body), secret), verify(headers, Buffer.from(body + " "), secret),
                    verify({{ ...headers, "webhook-timestamp": "1" }}, Buffer.from(body), secret));
    """
    (tmp_path / "try.mjs").write_text(program)
    assert run(["node", "try.mjs"], cwd=tmp_path) == "true false false\n"


def test_no_block_is_left_out() -> None:
    assert {kind for kind, _ in BLOCKS} == {"sh", "python", "javascript"}
