"""A home whose data keys are wrapped starts with the key that wrapped them, and is backed up and restored so."""

import base64
import os
from pathlib import Path

from tests.referrals import RED_FLAG, referrals, request, up

KEYS = ("identity_keys", "lookup_key", "chain_key")


def with_key(file: Path) -> dict[str, str]:
    return {**os.environ, "KEY_ENCRYPTION_KEY_FILE": str(file)}


def written(file: Path) -> Path:
    file.write_text(base64.b64encode(os.urandom(32)).decode())
    file.chmod(0o600)
    return file


def wrap(home: Path, file: Path, *options: str | Path) -> None:
    """Wrap the keys of a home that does not run."""
    for name in KEYS:
        done = referrals("keys", "wrap", home / "secrets" / name, *options, env=with_key(file))
        assert done.returncode == 0, done.stderr
        (home / "secrets" / name).write_text(done.stdout)


def test_a_home_whose_keys_are_wrapped_starts_with_the_key_that_wrapped_them_alone(tmp_path: Path) -> None:
    home, key, other = tmp_path / "home", written(tmp_path / "kek"), written(tmp_path / "other")
    with up(home) as plain:
        keys = plain.keys()
        submitter, operator = keys["submitter"], keys["operator"]
        before = request(f"{plain.url}/v1/intakes", submitter, RED_FLAG)[1]
        assert plain.stop() == 0
    wrap(home, key)
    assert all("wrapped:" in (home / "secrets" / name).read_text() for name in KEYS)

    for wrong in (dict(os.environ), with_key(other)):
        refused = referrals("up", "--home", home, "--port", "0", env=wrong)
        assert refused.returncode == 1
        assert {"IDENTITY_KEYS", "LOOKUP_KEY", "CHAIN_KEY"} <= set(refused.stderr.split("'"))
        assert "KEY_ENCRYPTION_KEY" in refused.stderr
        assert other.read_text() not in refused.stderr

    with up(home, env=with_key(key)) as wrapped:
        found = request(f"{wrapped.url}/v1/referrals/{before['referral']['id']}", operator)[1]
        assert found["patient"]["mrn"] == "MRN-1"
        assert request(f"{wrapped.url}/v1/intakes", submitter, RED_FLAG)[0] == 200
        assert referrals("audit", "--home", home).returncode == 0  # a shell without the setting finds the file
        note = (home / "running.json").read_text()
        assert key.read_text() not in note
        assert referrals("backup", tmp_path / "copy", "--home", home).returncode == 0
        assert "IDENTITY_KEYS=k1:wrapped:" in (tmp_path / "copy.secrets").read_text()
        assert wrapped.stop() == 0

    restore = ("restore", tmp_path / "copy", "--home", tmp_path / "restored")
    assert "KEY_ENCRYPTION_KEY" in referrals(*restore).stderr
    done = referrals(*restore, env=with_key(key))
    assert done.returncode == 0, done.stderr

    wrap(home, other, "--previous", key)
    with up(home, env=with_key(other)) as turned:
        assert (
            request(f"{turned.url}/v1/referrals/{before['referral']['id']}", operator)[1]["patient"]["mrn"] == "MRN-1"
        )
        assert turned.stop() == 0
