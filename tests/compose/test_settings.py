"""The compose file is clean, and refuses to start without each of its secrets."""

import os
import subprocess

import pytest

from .stack import ROOT

SECRETS = (
    *("IDENTITY_KEYS", "LOOKUP_KEY", "CHAIN_KEY", "POSTGRES_PASSWORD", "DATABASE_PASSWORD", "REDIS_PASSWORD"),
    *("SERVICE_PASSWORD", "READER_PASSWORD", "MAINTENANCE_PASSWORD"),
)


def config(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """`docker compose config` with these variables and no .env file."""
    return subprocess.run(
        ["docker", "compose", "--env-file", os.devnull, *words, "config", "--quiet"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in SECRETS} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_file_is_clean(environment: dict[str, str]) -> None:
    done = config(environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_missing_secret_is_named(environment: dict[str, str], secret: str) -> None:
    done = config({name: value for name, value in environment.items() if name != secret})
    assert done.returncode != 0
    assert secret in done.stderr
    assert "make env" in done.stderr
