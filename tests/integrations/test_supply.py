"""What is shipped has permissive licences, a list of components, and nothing that Bandit finds."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
# Permissive, or weak copyleft that asks nothing of who only uses a library.
ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|0BSD|Zlib|PostgreSQL|Unlicense|MPL|Mozilla|LGPL"
)
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def run(*command):
    """Run a tool in the root to its end; return what it prints."""
    return subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=100)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def shipped():
    return {normal(name) for name in LOCKED.findall((ROOT / "requirements/embedded.lock").read_text())}


def test_licences_of_what_is_shipped_are_allowed():
    done = run(BIN / "pip-licenses", "--format=json", "--from=mixed")
    found = {normal(each["Name"]): each["License"] for each in json.loads(done.stdout)}
    ours = {name: licence for name, licence in found.items() if name in shipped()}
    assert len(ours) > 20
    assert {name: licence for name, licence in ours.items() if not ALLOWED.search(licence)} == {}


def test_the_list_of_components_names_what_is_shipped(tmp_path):
    target = tmp_path / "sbom.json"
    lock = "requirements/embedded.lock"
    done = run(BIN / "cyclonedx-py", "requirements", lock, "--output-reproducible", "--of", "JSON", "-o", target)
    assert done.returncode == 0, done.stderr
    assert {normal(each["name"]) for each in json.loads(target.read_text())["components"]} == shipped()


def test_bandit_finds_nothing_of_medium_severity():
    # Ruff has the same checks, S608, S108 and S310, with a reason beside each line that may do it all the same.
    done = run(BIN / "bandit", "-q", "-r", "services", "shared", "-ll", "-ii", "-s", "B608,B108,B310")
    assert done.returncode == 0, done.stdout
