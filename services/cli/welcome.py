"""What `referrals up` says when everything is ready: where it answers, the first keys, and a line to try it with."""

import json
import shlex
import sys
from pathlib import Path

FORM = {
    "patient": {"mrn": "DEMO-1", "birth_date": "1980-01-01"},
    "symptoms": {"cannot_lift_leg_supine": "present", "onset": "sudden", "bladder_change": "new_or_worse"},
}


def welcome(url: str, home: Path, first_keys: Path) -> str:
    """Return the lines to show. `first_keys`, there at the first start alone, is removed: keys are shown once."""
    lines = [f"ready: {url}  (API documentation at {url}/docs, Ctrl-C stops everything)"]
    try:
        keys = json.loads(first_keys.read_text())
    except FileNotFoundError:
        command = f"{shlex.quote(sys.argv[0])} keys issue --home {shlex.quote(str(home))}"
        return "\n".join([*lines, f"another key: {command} --role submitter --facility demo-hospital"])
    first_keys.unlink()
    lines.append("keys, shown this once:")
    lines += [f"  {each['role']:<10} {each['key']}  {each['for']}".rstrip() for each in keys]
    submitter = next(each["key"] for each in keys if each["role"] == "submitter")
    return "\n".join([*lines, "try it:", f"  {curl(url, submitter)}"])


def curl(url: str, key: str) -> str:
    """Return a line for a shell that posts a form and shows the decision."""
    headers = (f"Authorization: Bearer {key}", "Content-Type: application/json", "Prefer: wait=5")
    options = " ".join(f"-H {shlex.quote(header)}" for header in headers)
    return f"curl -sS {options} -d {shlex.quote(json.dumps(FORM))} {url}/v1/intakes"
