"""Secrets reach containers as files alone: no process has one in its environment, and the engine shows none."""

import base64
import json
import os
from pathlib import Path

import pytest

from shared.platform.data_keys.encoding import KeyReader, wrapped_text
from shared.platform.data_keys.wrapping import AesKeyWrapper

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


def test_keys_may_be_wrapped_by_a_key_in_a_file_apart(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "kek"
    file.write_text(base64.b64encode(os.urandom(32)).decode())
    for path in (file, *list(tmp_path.parents)[:2]):
        path.chmod(0o755)  # a container reads it under its own user
    wrapper = AesKeyWrapper(KeyReader().key(file.read_text()))
    own = {name: wrapped_text(stack.environment[name], wrapper) for name in ("IDENTITY_KEYS", "LOOKUP_KEY")}
    own["COMPOSE_FILE"] = f"{stack.environment['COMPOSE_FILE']}:deploy/key-encryption-key.yml"
    wrapped = Stack(stack.environment | own | {"KEY_ENCRYPTION_KEY_AT": str(file)}, stack.folder)
    rotate = ("run", "--rm", "--no-deps", "-T", "migrate", "referrals", "keys", "rotate-identity")
    try:
        wrapped.compose("up", "--detach", "--no-deps", "secrets")
        wrapped.compose(*rotate)
        with pytest.raises(AssertionError, match="KEY_ENCRYPTION_KEY_FILE"):
            stack.compose(*rotate)  # with the same files, and without the key
    finally:
        stack.compose("up", "--detach", "--no-deps", "secrets")
    stack.compose(*rotate)
