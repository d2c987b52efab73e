"""The compose file gives every setting, takes every choice from .env.example, and publishes one port on localhost."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from shared.monitoring.periodic import ROLES as BEATING

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
ROLES = [service for service in SERVICES.values() if service["image"].startswith("${PSOAS_IMAGE")]
SETTINGS = set(re.findall(r'\benv\.\w+\("([A-Z_]+)"', (ROOT / "shared" / "platform" / "settings.py").read_text()))
EXAMPLE = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
SECRETS = {
    "IDENTITY_KEYS",
    "LOOKUP_KEY",
    "POSTGRES_PASSWORD",
    "DATABASE_PASSWORD",
    "REDIS_PASSWORD",
    "CHAIN_KEY",
    "SERVICE_PASSWORD",
    "READER_PASSWORD",
    "MAINTENANCE_PASSWORD",
}


def setting(name):
    """Return the setting that a variable gives, by itself or by a file."""
    return name if name in SETTINGS else name.removesuffix("_FILE")


def test_every_setting_is_in_compose():
    assert SETTINGS
    assert {setting(name) for role in ROLES for name in role["environment"]} == SETTINGS


def test_every_choice_is_in_the_example():
    chosen = set(re.findall(r"\$\{([A-Z_]+)", TEXT)) - {"PSOAS_IMAGE"}  # the image's name is no choice of a site
    assert set(EXAMPLE) == chosen


def test_no_secret_has_a_value_anywhere():
    assert {name for name in EXAMPLE if EXAMPLE[name] == ""} - {
        "ENVIRONMENT_NAME",
        "CHAIN_HEAD_URL",
        "LOOKUP_KEY_PREVIOUS",
        "WEBHOOK_KEYS",
        "KEY_ENCRYPTION_KEY",
        "HOLIDAYS",
        "METRICS_TOKEN",
        "TRUSTED_PROXIES",
        "OIDC_ISSUER",
        "OIDC_CLIENT_ID",
        "OIDC_CLIENT_SECRET",
        "OIDC_REDIRECT_URI",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    } == SECRETS
    assert {name for name in SECRETS if re.search(rf"\$\{{{name}[^:A-Z_]|\$\{{{name}:[^?]", TEXT)} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_published_but_nginx_on_localhost(service):
    assert SERVICES[service].get("ports", []) == (["127.0.0.1:${PSOAS_PORT:-8080}:8080"] if service == "nginx" else [])


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"migrate", "secrets"}))
def test_every_service_says_whether_it_is_healthy(service):
    assert SERVICES[service]["healthcheck"]["test"]


def test_every_role_has_a_heartbeat():
    roles = {name for name, service in SERVICES.items() if service in ROLES}
    assert set(BEATING) == roles - {"migrate", "events"}  # the one ends, the other is the API once more


def test_an_env_of_an_earlier_release_gets_what_is_new_and_keeps_its_secrets(tmp_path):
    for name in ("deploy/write-env", ".env.example"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    before = "IDENTITY_KEYS=k1:own\nLOOKUP_KEY=own\nDATABASE_PASSWORD=own\nPSOAS_PORT=8123\n"
    (tmp_path / ".env").write_text(before)
    for _ in range(2):
        done = subprocess.run(["sh", tmp_path / "deploy" / "write-env"], capture_output=True, text=True, check=True)
        assert "its keys open the stored data" in done.stdout
    after = (tmp_path / ".env").read_text()
    assert after.startswith(before)
    lines = [line.partition("=") for line in after.splitlines()]
    assert sorted(name for name, _, _ in lines) == sorted(EXAMPLE)
    assert {name for name, _, value in lines if name in SECRETS and not value} == set()
