"""Schemathesis, with keys of four roles and along the links between operations, finds nothing against the document."""

import subprocess
import sys
from pathlib import Path

import pytest

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
SECONDS = 15  # for each role; a minute in all
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"


@pytest.mark.timeout(150)
@pytest.mark.parametrize("role", ["submitter", "department", "operator", "auditor"])
def test_the_service_does_what_its_document_says(role, running, keys, tmp_path):
    options = ("--max-time", str(SECONDS), "--phases", "examples,fuzzing,stateful", "--checks", CHECKS, "--seed", "1")
    stream = ("--suppress-health-check", "all", "--request-timeout", "20", "--no-color")
    done = subprocess.run(
        [
            SCHEMATHESIS,
            "run",
            f"{running.url}/openapi.json",
            "-H",
            f"Authorization: Bearer {keys[role]}",
            *options,
            *stream,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=140,
    )
    assert done.returncode == 0, done.stdout[-6000:]
