"""Clients that others' generators make of the OpenAPI document post, batch, read and act."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.api.openapi.generator import COMMITTED
from tests.integrations.node import install, program, run

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
TYPESCRIPT, BUNDLER = "typescript@5.9.3", "esbuild@0.25.12"
STRICT = ("--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler")


def output_of(command, running, keys, cwd):
    """Run a client; return what it says it was answered."""
    given = json.dumps({"url": running.url, "submitter": keys["submitter"], "operator": keys["operator"]})
    done = subprocess.run(command, input=given, cwd=cwd, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def is_whole(answers, by):
    problem = "urn:psoas:problem:held-by-another"
    expected = {"queue": "urgent", "batched": [202], "taken": "acknowledged", "by": by, "refused": problem}
    assert answers == expected
    return True


def typescript(name, folder, running, keys, cwd):
    """Check a client's types, bundle it and run it."""
    (cwd / name).write_text((HERE / name).read_text())
    (cwd / "node_modules").symlink_to(folder / "node_modules")
    checked = run(folder, "tsc", *STRICT, "--skipLibCheck", "--types", "node", name, cwd=cwd)
    assert checked.returncode == 0, checked.stdout
    options = ("--bundle", "--platform=node", "--format=esm", "--outfile=client.mjs")
    bundled = run(folder, "esbuild", name, *options, cwd=cwd)
    assert bundled.returncode == 0, bundled.stderr
    return output_of([program("node"), "client.mjs"], running, keys, cwd)


@pytest.mark.timeout(400)
def test_openapi_typescript(running, keys, tmp_path):
    folder = install("openapi-typescript@7.13.0", TYPESCRIPT, BUNDLER, "@types/node@20")
    made = run(folder, "openapi-typescript", COMMITTED, "--default-non-nullable=false", "-o", "types.ts", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert is_whole(typescript("client_typescript.ts", folder, running, keys, tmp_path), "Dr Type")


@pytest.mark.timeout(400)
def test_hey_api(running, keys, tmp_path):
    folder = install("@hey-api/openapi-ts@0.95.0", TYPESCRIPT, BUNDLER, "@types/node@20")
    made = run(folder, "openapi-ts", "-i", COMMITTED, "-o", "hey-api", "-c", "@hey-api/client-fetch", cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    assert is_whole(typescript("client_hey_api.ts", folder, running, keys, tmp_path), "Dr Hey")


def test_openapi_python_client(running, keys, tmp_path):
    # It knows no line-delimited JSON, says so, and offers the batch as JSON.
    command = [BIN / "openapi-python-client", "generate", "--path", COMMITTED, "--output-path", tmp_path / "generated"]
    (tmp_path / "config.yaml").write_text("post_hooks: []\n")
    options = ["--meta", "none", "--config", tmp_path / "config.yaml"]
    made = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert made.returncode == 0, made.stdout
    (tmp_path / "client.py").write_text((HERE / "client_python.py").read_text())
    assert is_whole(output_of([sys.executable, "client.py"], running, keys, tmp_path), "Dr Python")
