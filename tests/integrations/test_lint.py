"""The linters that integrators run on an OpenAPI document find no error in ours."""

import pytest

from services.api.openapi.generator import COMMITTED
from tests.integrations.node import install, run


@pytest.mark.timeout(400)
def test_redocly_finds_no_error(tmp_path):
    folder = install("@redocly/cli@2.77.0")
    done = run(folder, "redocly", "lint", COMMITTED, "--extends=recommended", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(400)
def test_spectral_finds_no_error(tmp_path):
    folder = install("@stoplight/spectral-cli@6.16.3")
    (tmp_path / "rules.yaml").write_text('extends: ["spectral:oas"]\n')
    done = run(folder, "spectral", "lint", COMMITTED, "--ruleset", "rules.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
