"""What may pass in the clear: listeners, the addresses of the servers, and the hosts of destinations."""

import click
import pytest

from services.cli.admin.destination_url import check_url
from shared.platform.settings import SettingsError, load_settings
from shared.platform.transport.listener import PlainHttpError, check_listener
from shared.platform.transport.servers import in_the_clear

SOCKET, LOCAL = "postgresql:///psoas?host=/tmp/x", "redis://127.0.0.1:6379/0"
KEY = "A" * 43 + "="


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_may_be_plain(host):
    check_listener(host, None, None, insecure=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.4", "api.hospital.example"])  # noqa: S104
def test_other_machines_get_tls_or_nothing(host, tmp_path):
    with pytest.raises(PlainHttpError, match="--insecure"):
        check_listener(host, None, None, insecure=False)
    check_listener(host, None, None, insecure=True)
    for name in ("chain.pem", "key.pem"):
        (tmp_path / name).write_text("")
    check_listener(host, tmp_path / "chain.pem", tmp_path / "key.pem", insecure=False)


def test_a_certificate_needs_its_key_and_both_need_files(tmp_path):
    (tmp_path / "chain.pem").write_text("")
    for key in (None, tmp_path / "missing.pem"):
        with pytest.raises(PlainHttpError, match="TLS_KEY_FILE"):
            check_listener("127.0.0.1", tmp_path / "chain.pem", key, insecure=True)


@pytest.mark.parametrize(
    ("database", "redis"),
    [
        (SOCKET, LOCAL),
        ("postgresql://psoas:p@localhost/psoas", "unix:///tmp/valkey.sock"),
        ("postgresql://psoas:p@[::1]:5432/psoas", "redis://localhost"),
        ("postgresql://psoas:p@db.example/psoas?sslmode=verify-full&sslrootcert=system", "rediss://:p@redis.example/0"),
    ],
)
def test_servers_that_are_here_or_verified(database, redis):
    assert in_the_clear({"DATABASE_URL": database}, redis) == []


@pytest.mark.parametrize(
    ("database", "redis", "wrong"),
    [
        ("postgresql://psoas:p@db.example/psoas", LOCAL, ["DATABASE_URL"]),
        ("postgresql://psoas:p@db.example/psoas?sslmode=require", LOCAL, ["DATABASE_URL"]),
        ("postgresql://psoas:p@localhost,db.example/psoas", LOCAL, ["DATABASE_URL"]),
        ("postgresql://psoas:p@localhost/psoas?hostaddr=10.0.0.9", LOCAL, ["DATABASE_URL"]),
        (SOCKET, "redis://:p@redis.example:6379/0", ["REDIS_URL"]),
        (SOCKET, "rediss://:p@redis.example:6379/0?ssl_cert_reqs=none", ["REDIS_URL"]),
        (SOCKET, "rediss://:p@redis.example:6379/0?ssl_check_hostname=False", ["REDIS_URL"]),
        ("postgresql://psoas:p@db/psoas", "redis://redis", ["DATABASE_URL", "REDIS_URL"]),
    ],
)
def test_servers_beyond_this_machine_are_verified(database, redis, wrong):
    said = in_the_clear({"DATABASE_URL": database}, redis)
    assert [each.partition(" ")[0] for each in said] == wrong
    assert ":p@" not in "".join(said)


def test_nothing_starts_in_the_clear_unless_the_network_is_trusted(monkeypatch):
    for name, value in {
        "DATABASE_URL": "postgresql://psoas:p@db/psoas",
        "REDIS_URL": "redis://redis",
        "IDENTITY_KEYS": f"k1:{KEY}",
        "LOOKUP_KEY": KEY,
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=r"DATABASE_URL .*REDIS_URL .*DATA_NETWORK_TRUSTED"):
        load_settings()
    monkeypatch.setenv("DATA_NETWORK_TRUSTED", "true")
    assert load_settings().data_network_trusted
    monkeypatch.setenv("REDIS_URL", "rediss://redis.example/0")
    assert load_settings().broker_url == "rediss://redis.example/0?ssl_cert_reqs=required"


@pytest.mark.parametrize(
    "url",
    [
        "https://his.example/referrals",
        "https://his.example:8443/referrals?tenant=1",
        "https://xn--klinikum-mnchen-ssb.example/",
        "https://192.0.2.7/hook",
        "https://[2001:db8::7]:8443/hook",
        "https://his/hook",
    ],
)
def test_a_destination_that_can_be_called(url):
    check_url(url, insecure=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://his%00.example/",
        "https://his.example%2f@evil.example/",
        "https://user@his.example/",
        "https://@his.example/",
        "https://user:secret@his.example/",
        "https://klinikum-m\u00fcnchen.example/",
        "https://his_1.example/",
        "https://-his.example/",
        "https://his..example/",
        "https://his.example\\@evil.example/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0x1/",
        "https://[fe80::1%25eth0]/",
        "https://his.example/\x00",
        "https://" + "a" * 64 + ".example/",
        "https:///referrals",
        "ftp://his.example/",
        "http://his.example/",
    ],
)
def test_a_destination_whose_host_is_not_plain_is_refused(url):
    with pytest.raises(click.BadParameter):
        check_url(url, insecure=False)
