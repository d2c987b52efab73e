"""Data keys may be given wrapped; without the key that wrapped them nothing starts, and the setting is named."""

import base64

import pytest
from click.testing import CliRunner

from services.cli.main import main
from shared.platform.crypto import IdentityCipher, KeyNotGivenError, keyed_hash
from shared.platform.data_keys.encoding import KeyReader, KeyTextError, wrapped_text
from shared.platform.data_keys.wrapping import AesKeyWrapper, UnwrapError
from shared.platform.settings import SettingsError, given_values, load_settings

K1, K2, LOOKUP, KEK, OTHER = (bytes([number]) * 32 for number in range(1, 6))


def text(key):
    return base64.b64encode(key).decode()


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Settings in which every data key is wrapped by KEK, which is in a file."""
    (tmp_path / "kek").write_text(text(KEK) + "\n")
    (tmp_path / "other").write_text(text(OTHER) + "\n")
    wrapper = AesKeyWrapper(KEK)
    given = {
        "DATABASE_URL": "postgresql://localhost/psoas",
        "REDIS_URL": "redis://localhost",
        "IDENTITY_KEYS": wrapped_text(f"k2:{text(K2)},k1:{text(K1)}", wrapper),
        "WEBHOOK_KEYS": wrapped_text(f"w1:{text(K1)}", wrapper),
        "LOOKUP_KEY": wrapped_text(text(LOOKUP), wrapper),
        "LOOKUP_KEY_PREVIOUS": wrapped_text(text(K1), wrapper),
        "CHAIN_KEY": wrapped_text(text(K2), wrapper),
        "KEY_ENCRYPTION_KEY_FILE": str(tmp_path / "kek"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def test_wrapped_keys_are_what_was_wrapped(environment):
    settings = load_settings()
    assert list(settings.identity_keys.items()) == [("k2", K2), ("k1", K1)]
    assert (settings.webhook_keys, settings.lookup_keys, settings.chain_key) == ({"w1": K1}, (LOOKUP, K1), K2)
    assert not any(text(key) in value for key in (K1, K2, LOOKUP) for value in environment.values())


def test_plain_and_wrapped_keys_stand_beside_each_other(environment, monkeypatch):
    monkeypatch.setenv("IDENTITY_KEYS", f"k1:{text(K1)},{environment['IDENTITY_KEYS']}")
    assert list(load_settings().identity_keys) == ["k1", "k2"]


def test_a_wrong_or_missing_key_encryption_key_names_the_settings_and_no_value(environment, monkeypatch, tmp_path):
    monkeypatch.setenv("KEY_ENCRYPTION_KEY_FILE", str(tmp_path / "other"))
    with pytest.raises(SettingsError, match="does not unwrap") as wrong:
        load_settings()
    monkeypatch.delenv("KEY_ENCRYPTION_KEY_FILE")
    with pytest.raises(SettingsError, match="set KEY_ENCRYPTION_KEY_FILE") as missing:
        load_settings()
    for said in (str(wrong.value), str(missing.value)):
        assert not any(value.rpartition(":")[2] in said for value in environment.values())
        assert {"IDENTITY_KEYS", "WEBHOOK_KEYS", "LOOKUP_KEY", "LOOKUP_KEY_PREVIOUS", "CHAIN_KEY"} <= set(
            said.split("'")
        )
        assert text(OTHER) not in said
    for file, reason in ((tmp_path / "gone", "readable file"), (tmp_path / "bad", "Not 32 bytes")):
        (tmp_path / "bad").write_text("c2hvcnQ=")
        monkeypatch.setenv("KEY_ENCRYPTION_KEY_FILE", str(file))
        with pytest.raises(SettingsError, match=f"KEY_ENCRYPTION_KEY.*{reason}"):
            load_settings()


def test_the_command_wraps_what_it_reads_and_again_with_another_key(environment, monkeypatch, tmp_path):
    del environment
    (tmp_path / "plain").write_text(f"k1:{text(K1)},k2:{text(K2)}\n")
    first = CliRunner().invoke(main, ["keys", "wrap", str(tmp_path / "plain")])
    assert (first.exit_code, KeyReader(AesKeyWrapper(KEK)).keys(first.stdout.strip())) == (0, {"k1": K1, "k2": K2})
    monkeypatch.setenv("KEY_ENCRYPTION_KEY_FILE", str(tmp_path / "other"))
    command = ["keys", "wrap", "--previous", str(tmp_path / "kek")]
    for _ in range(2):
        turned = CliRunner().invoke(main, command, input=first.stdout)
        assert KeyReader(AesKeyWrapper(OTHER)).keys(turned.stdout.strip()) == {"k1": K1, "k2": K2}
    refused = CliRunner().invoke(main, ["keys", "wrap"], input=first.stdout)
    assert (refused.exit_code, "KEY_ENCRYPTION_KEY does not unwrap" in refused.stderr) == (1, True)


@pytest.mark.parametrize("damaged", ["", "wrapped:", "wrapped:AAAA", "wrapped:\u00e4", "\u00e4", text(K1)[:-4], "k1:"])
def test_what_is_no_key_is_refused_without_its_words(damaged):
    with pytest.raises(KeyTextError) as refused:
        KeyReader(AesKeyWrapper(KEK)).key(damaged)
    assert not damaged or damaged not in str(refused.value)
    with pytest.raises(KeyTextError):
        wrapped_text(damaged, AesKeyWrapper(KEK))


def test_every_changed_byte_of_a_wrapped_key_shows():
    wrapped = AesKeyWrapper(KEK).wrap(K1)
    for place in range(len(wrapped)):
        with pytest.raises(UnwrapError):
            AesKeyWrapper(KEK).unwrap(wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :])
    for short in (b"", wrapped[:-1], wrapped[:16]):
        with pytest.raises(UnwrapError):
            AesKeyWrapper(KEK).unwrap(short)


def test_a_backup_keeps_keys_wrapped(environment):
    assert given_values(("IDENTITY_KEYS", "LOOKUP_KEY")) == {
        name: environment[name] for name in ("IDENTITY_KEYS", "LOOKUP_KEY")
    }


def test_a_process_may_lack_the_keys_that_it_does_without_and_cannot_use_them(environment, monkeypatch):
    for name in ("IDENTITY_KEYS", "LOOKUP_KEY", "REDIS_URL"):
        monkeypatch.delenv(name)
    with pytest.raises(SettingsError, match=r"REDIS_URL.*IDENTITY_KEYS.*LOOKUP_KEY"):
        load_settings()
    lacking = load_settings(without=("IDENTITY_KEYS", "LOOKUP_KEY", "REDIS_URL"))
    with pytest.raises(KeyNotGivenError, match="IDENTITY_KEYS"):
        IdentityCipher(lacking.identity_keys)
    with pytest.raises(KeyNotGivenError, match="LOOKUP_KEY"):
        keyed_hash(lacking.lookup_key, b"MRN-1")
    monkeypatch.setenv("IDENTITY_KEYS", environment["IDENTITY_KEYS"])  # what is given is checked all the same
    monkeypatch.setenv("KEY_ENCRYPTION_KEY_FILE", "")
    with pytest.raises(SettingsError, match="IDENTITY_KEYS"):
        load_settings(without=("IDENTITY_KEYS", "LOOKUP_KEY", "REDIS_URL"))
