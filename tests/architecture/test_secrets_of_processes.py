"""Which process gets which secret, in compose and on Kubernetes: as files, what it needs, none in an environment."""

import re
from pathlib import Path

import pytest
import yaml

from services.worker.main import WORKERS
from shared.platform.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
PODS = {
    manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]
    for file in (ROOT / "deploy" / "kubernetes").glob("*.yaml")
    for manifest in yaml.safe_load_all(file.read_text())
    if manifest["kind"] in ("Deployment", "Job")
}
TRIAGE = {"database_url", "redis_url"}
DELIVERY = TRIAGE | {"identity_keys", "webhook_keys", "key_encryption_key"}
API = TRIAGE | {"identity_keys", "lookup_key", "lookup_key_previous", "key_encryption_key", "metrics_token"}
NEEDS = {
    "migrate": {
        *("database_url", "owner_database_url", "reader_database_url", "maintenance_database_url"),
        *("identity_keys", "lookup_key", "lookup_key_previous", "webhook_keys", "key_encryption_key"),
        "chain_key",  # covers what an erasure leaves, where erasures are run
    },
    "api": API | {"webhook_keys", "chain_key", "oidc_client_secret"},  # `doctor` and `keys issue` run there, too
    "events": API,
    "worker-urgent": TRIAGE,
    "worker-routine": TRIAGE,
    "worker-urgent-delivery": DELIVERY,
    "worker-delivery": DELIVERY,
    "watchman": DELIVERY | {"lookup_key", "chain_key"},
}
OTHERS = {"postgres": {"postgres_password", "database_password"}, "redis": {"redis_password"}, "nginx": set()}
OF_THE_CHAIN, OF_THE_OWNER = {"chain_key"}, {"owner_database_url", "reader_database_url", "maintenance_database_url"}


def files(environment):
    """Return the secrets that an environment names files for, each where it has to be."""
    found = {name: path for name, path in environment.items() if str(path).startswith("/run/secrets/")}
    assert {f"/run/secrets/{name.removesuffix('_FILE').lower()}" for name in found} == set(found.values())
    return {Path(path).name for path in found.values()}


def copied():
    """Return what the container `secrets` copies, by volume."""
    mounted = dict(volume.split(":") for volume in SERVICES["secrets"]["volumes"])
    folders = {folder: volume for volume, folder in mounted.items()}
    found = {volume: set() for volume in mounted}
    for entry in SERVICES["secrets"]["configs"]:
        target = Path(entry["target"])
        assert target.name == entry["source"]
        found[folders[str(target.parent)]].add(entry["source"])
    return found


def volume_of(service):
    found = [volume.split(":")[0] for volume in service.get("volumes", []) if volume.endswith(":/run/secrets:ro")]
    return found[0] if found else None


@pytest.mark.parametrize("name", sorted({*NEEDS, *OTHERS}))
def test_a_service_of_compose_gets_what_it_needs(name):
    volume = volume_of(SERVICES[name])
    assert (copied()[volume] if volume else set()) == (NEEDS | OTHERS)[name]
    if name in NEEDS:
        assert files(SERVICES[name]["environment"]) == NEEDS[name]


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_a_pod_gets_what_it_needs(name):
    (container,) = PODS[name]["containers"]
    assert files({each["name"]: each["value"] for each in container["env"]}) == NEEDS[name]
    (volume,) = (each for each in PODS[name]["volumes"] if each["name"] == "secrets")
    assert {"name": "secrets", "mountPath": "/run/secrets", "readOnly": True} in container["volumeMounts"]
    given = {}
    for source in volume["projected"]["sources"]:
        for item in source["secret"]["items"]:
            assert item["key"] == item["path"].upper()
            given[item["path"]] = source["secret"]["name"]
    assert set(given) == NEEDS[name]
    for secret, kept in given.items():
        apart = {True: "psoas"} | {secret in OF_THE_OWNER: "psoas-owner"} | {secret in OF_THE_CHAIN: "psoas-chain"}
        assert kept == apart[True]


def test_every_service_and_pod_is_listed():
    assert set(SERVICES) == {*NEEDS, *OTHERS, "secrets"}
    assert set(PODS) == set(NEEDS)


def test_the_volumes_of_secrets_are_shared_by_equals_alone():
    users = {}
    for name, service in SERVICES.items():
        users.setdefault(volume_of(service), []).append(name)
    assert {tuple(names) for volume, names in users.items() if volume and len(names) > 1} == {
        ("worker-urgent", "worker-routine"),
        ("worker-urgent-delivery", "worker-delivery"),
    }


def test_no_secret_stands_in_an_environment():
    secret = {name.upper() for needed in (NEEDS | OTHERS).values() for name in needed}
    assert secret == {name.upper() for name in COMPOSE["configs"]}
    variables = set(re.findall(r"\$\{([A-Z_]+)", str(COMPOSE["configs"])))  # those that the contents are made of
    for service in SERVICES.values():
        assert secret.isdisjoint(service.get("environment", {}))
        rest = str({**service, "configs": None})
        assert variables.isdisjoint(re.findall(r"\$\{([A-Z_]+)", rest))
        assert not service.get("env_file")
    for pod in PODS.values():
        for container in pod["containers"]:
            assert secret.isdisjoint(each["name"] for each in container["env"])
            assert all("value" in each for each in container["env"])  # and so none comes from a Secret
            assert container["envFrom"] == [{"configMapRef": {"name": "psoas"}}]


def test_what_no_repr_shows_is_a_secret():
    hidden = {name for name, each in Settings.__dataclass_fields__.items() if not each.repr}
    named = {"previous_lookup_key": "lookup_key_previous"}
    service = {name for needed in NEEDS.values() for name in needed}
    assert {named.get(name, name) for name in hidden} == service - {"key_encryption_key"}  # which no process keeps


def test_a_key_apart_reaches_those_that_have_wrapped_keys():
    apart = yaml.safe_load((ROOT / "deploy" / "key-encryption-key.yml").read_text())["services"]
    assert set(apart) == {name for name, needed in NEEDS.items() if "key_encryption_key" in needed}


def test_a_worker_lacks_what_its_container_lacks():
    for name, worker in WORKERS.items():
        assert {key.lower() for key in worker.without} == {"identity_keys", "lookup_key"} - NEEDS[f"worker-{name}"]
