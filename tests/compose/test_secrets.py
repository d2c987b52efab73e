"""Secrets reach containers as files alone: no process has one in its environment, and the engine shows none."""

import json

import pytest

from .stack import Stack
from .test_containers import SERVICES
from .test_settings import SECRETS


@pytest.fixture
def secrets(stack: Stack) -> set[str]:
    """The secrets of the stack, without what is in front of them."""
    return {stack.environment[name].rpartition(":")[2] for name in (*SECRETS, "METRICS_TOKEN")}


@pytest.mark.parametrize("service", SERVICES)
def test_no_process_has_a_secret_in_its_environment(service: str, stack: Stack, secrets: set[str]) -> None:
    script = "for each in /proc/[0-9]*/environ; do cat $each 2>/dev/null; done; true"
    shown = stack.compose("exec", "-T", service, "sh", "-c", script)
    assert "PATH=" in shown
    assert [secret for secret in secrets if secret in shown] == []


def test_the_engine_shows_no_secret(stack: Stack, secrets: set[str]) -> None:
    shown = json.dumps(stack.every_container())
    assert '"/run/secrets"' in shown
    assert [secret for secret in secrets if secret in shown] == []


@pytest.mark.parametrize(
    ("service", "files"),
    [
        ("worker-urgent", ["database_url", "redis_url"]),
        ("worker-delivery", ["database_url", "identity_keys", "key_encryption_key", "redis_url", "webhook_keys"]),
        ("redis", ["redis_password"]),
        ("postgres", ["database_password", "postgres_password"]),
    ],
)
def test_a_container_has_its_own_secrets_and_cannot_change_them(service: str, files: list[str], stack: Stack) -> None:
    assert stack.compose("exec", "-T", service, "ls", "/run/secrets").split() == files
    (mount,) = (each for each in stack.containers(service)[0]["Mounts"] if each["Destination"] == "/run/secrets")
    assert not mount["RW"]
    with pytest.raises(AssertionError, match="Read-only"):
        stack.compose("exec", "-T", service, "sh", "-c", "echo other > /run/secrets/other")


def test_a_secret_that_was_changed_or_emptied_is_copied_by_the_next_up(stack: Stack) -> None:
    def token() -> str:
        return stack.compose("exec", "-T", "api", "cat", "/run/secrets/metrics_token").strip()

    before = token()
    assert before == stack.environment["METRICS_TOKEN"]
    for value in ("another", "", before, before):
        changed = Stack({**stack.environment, "METRICS_TOKEN": value}, stack.folder)
        changed.compose("up", "--detach", "--no-deps", "secrets")
        assert token() == value
    stack.wait_until_healthy()


@pytest.mark.usefixtures("submitter")  # whose facility is known then
def test_an_operator_reaches_what_the_documents_name(stack: Stack) -> None:
    for words in (
        ("exec", "-T", "api", "referrals", "doctor"),
        ("exec", "-T", "watchman", "referrals", "audit"),
        ("exec", "-T", "worker-delivery", "referrals", "destinations", "list"),
        ("run", "--rm", "migrate", "referrals", "keys", "rotate-identity"),
        ("run", "--rm", "-T", "migrate", "referrals", "retention", "run", "--facility", "st-marys", "--dry-run"),
    ):
        stack.compose(*words)
