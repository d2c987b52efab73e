"""A home keeps its secrets, serves one `up` at a time, and never makes new secrets for old data."""

from pathlib import Path

import pytest

from services.embedded.home import Home, HomeError, is_taken, open_home, take_lock
from services.embedded.home_secrets import CHAIN_KEY, METRICS_TOKEN, NAMES, SERVICE_PASSWORD, home_secrets
from shared.platform.settings import load_settings

LATER = (METRICS_TOKEN, SERVICE_PASSWORD, CHAIN_KEY)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "new" / "home")


def test_a_new_home_is_closed_to_others(home: Home) -> None:
    assert home.path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert open_home(tmp_path).path.stat().st_mode & 0o777 == 0o755


def test_the_lock_is_taken_once_and_names_its_holder(home: Home) -> None:
    assert not is_taken(home)
    take_lock(home)
    assert is_taken(home)
    with pytest.raises(HomeError, match=f"{home.path} is in use by another `referrals up`, process [0-9]+"):
        take_lock(home)


def test_secrets_are_made_once_and_only_their_owner_reads_them(home: Home) -> None:
    made = home_secrets(home)
    assert home_secrets(home) == made
    assert {(home.secrets / name).stat().st_mode & 0o777 for name in (*NAMES, *LATER)} == {0o600}
    assert home.secrets.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("there", [False, True])
def test_secrets_may_lie_apart_from_the_data(tmp_path: Path, there: bool) -> None:
    apart = tmp_path / "of" / "psoas"
    if there:
        apart.mkdir(parents=True)
    home = open_home(tmp_path / "home", apart)
    made = home_secrets(home)
    assert sorted(file.name for file in apart.iterdir()) == sorted((*NAMES, *LATER))
    assert not (home.path / "secrets").exists()
    assert home_secrets(open_home(tmp_path / "home", apart)) == made
    home.postgres.mkdir()
    with pytest.raises(HomeError, match="is gone"):
        home_secrets(open_home(tmp_path / "home"))


def test_secrets_of_a_turned_key_are_read_where_they_are(home: Home) -> None:
    made = home_secrets(home)
    (home.secrets / "lookup_key_previous").write_text("before\n")
    assert home_secrets(home) == made | {"lookup_key_previous": "before"}


def test_two_homes_have_different_secrets(home: Home, tmp_path: Path) -> None:
    assert set(home_secrets(home).values()).isdisjoint(home_secrets(open_home(tmp_path / "other")).values())


def test_secrets_are_settings(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made = home_secrets(home)
    for name, value in {
        "DATABASE_URL": f"postgresql://psoas:{made['database_password']}@/psoas",
        "REDIS_URL": "redis://localhost",
        "IDENTITY_KEYS": made["identity_keys"],
        "LOOKUP_KEY": made["lookup_key"],
        "CHAIN_KEY": made["chain_key"],
    }.items():
        monkeypatch.setenv(name, value)
    assert list(load_settings().identity_keys) == ["k1"]


def test_a_secret_that_is_gone_is_not_made_again(home: Home) -> None:
    home_secrets(home)
    (home.secrets / "lookup_key").unlink()
    with pytest.raises(HomeError, match="lookup_key is gone"):
        home_secrets(home)


def test_a_database_without_secrets_gets_no_new_ones(home: Home) -> None:
    home.postgres.mkdir()
    with pytest.raises(HomeError, match="secrets is gone"):
        home_secrets(home)
    assert not home.secrets.exists()


def test_secrets_that_were_half_made_are_made_afresh(home: Home) -> None:
    half = home.path / "secrets.new"
    half.mkdir()
    (half / "identity_keys").touch()
    assert sorted(home_secrets(home)) == sorted((*NAMES, *LATER))
    assert not half.exists()


@pytest.mark.parametrize("name", LATER)
def test_a_home_of_an_earlier_release_gets_what_it_lacks_and_keeps_its_secrets(home: Home, name: str) -> None:
    before = home_secrets(home)
    (home.secrets / name).unlink()
    after = home_secrets(home)
    assert after.pop(name) != before.pop(name)
    assert after == before
    assert home_secrets(home)[name] == home_secrets(home)[name]
