"""The Kubernetes manifests satisfy the cluster's schema, run what compose runs, and name every setting."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
ROLES = {name: service for name, service in SERVICES.items() if service["image"].startswith("${PSOAS_IMAGE")}
MANIFESTS = [
    manifest for file in KUSTOMIZATION["resources"] for manifest in yaml.safe_load_all((FOLDER / file).read_text())
]
PODS = {
    manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]
    for manifest in MANIFESTS
    if manifest["kind"] in ("Deployment", "Job")
}


def containers():
    return [container for pod in PODS.values() for container in pod["containers"]]


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda manifest: f"{manifest['kind']}-{manifest['metadata']['name']}"
)
def test_a_manifest_satisfies_the_schema(manifest):
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_every_file_is_a_resource():
    assert sorted(KUSTOMIZATION["resources"]) == sorted(
        file.name for file in FOLDER.glob("*.yaml") if file.name != "kustomization.yaml"
    )


def test_every_role_of_compose_is_there_with_its_command():
    assert {name: pod["containers"][0]["args"] for name, pod in PODS.items()} == {
        name: role["command"] for name, role in ROLES.items()
    }


def test_every_image_is_named_by_the_kustomization():
    assert {container["image"] for container in containers()} == {image["name"] for image in KUSTOMIZATION["images"]}


def test_no_manifest_holds_a_secret():
    assert "Secret" not in {manifest["kind"] for manifest in MANIFESTS}


def test_every_setting_of_compose_comes_from_somewhere():
    chosen = next(set(manifest["data"]) for manifest in MANIFESTS if manifest["kind"] == "ConfigMap")
    given = {entry["name"] for container in containers() for entry in container.get("env", [])}
    assert chosen | given == {name for role in ROLES.values() for name in role["environment"]}
