"""Where a request may go, and how it ends: checked for every address that a name has, and by a deadline."""

import socket
import ssl
import time
from ipaddress import ip_address

import pytest

from services.worker.delivery.network import may_be_spoken_to
from services.worker.delivery.sender import Sender
from tests import receiver
from tests.receiver import status

PRIVATE = ("10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "fd12:3456::1", "::ffff:10.0.0.1")
PUBLIC = ("1.1.1.1", "2606:4700::1111")
LOOPBACK = ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1")
FORBIDDEN = (
    *("169.254.169.254", "169.254.0.1", "fe80::1", "::ffff:169.254.169.254", "2002:a9fe:a9fe::1"),  # link-local
    *("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),  # metadata
    *("224.0.0.1", "239.1.1.1", "ff02::1"),  # multicast
    *("0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"),  # noqa: S104 - unspecified
    *("240.0.0.1", "255.255.255.255", "64:ff9b::a9fe:a9fe"),  # reserved
)


@pytest.fixture
def department():
    with receiver.receiver() as started:
        yield started


def found(*addresses):
    return lambda _host, _port: [ip_address(address) for address in addresses]


@pytest.mark.parametrize("address", [*PRIVATE, *PUBLIC])
def test_a_department_may_be_there(address):
    assert may_be_spoken_to(ip_address(address), loopback=False)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_nothing_is_ever_sent_there(address):
    assert not may_be_spoken_to(ip_address(address), loopback=True)


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_is_spoken_to_where_that_is_allowed(address):
    assert may_be_spoken_to(ip_address(address), loopback=True)
    assert not may_be_spoken_to(ip_address(address), loopback=False)


@pytest.mark.parametrize("address", FORBIDDEN)
@pytest.mark.parametrize("place", [0, 1])
def test_one_forbidden_address_of_a_name_is_enough(address, place, department):
    addresses = ["127.0.0.1", "127.0.0.1"]
    addresses[place] = address
    sender = Sender(loopback=True, resolve=found(*addresses))
    answer = sender.post(f"http://his.example:{department.port}/", {}, b"{}")
    assert (answer.error, answer.status, department.received) == ("address_refused", None, [])


def test_without_leave_nothing_goes_to_this_machine(department):
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"):
        answer = Sender(loopback=False).post(f"http://{host}:{department.port}/", {}, b"{}")
        assert (host, answer.error) == (host, "address_refused")
    assert department.received == []


def test_a_name_is_resolved_once_and_the_connection_goes_to_what_was_checked(department):
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return [ip_address("127.0.0.1")] if len(asked) == 1 else [ip_address("169.254.169.254")]

    answer = Sender(loopback=True, resolve=resolve).post(f"http://his.example:{department.port}/in?q=1", {}, b"{}")
    assert (answer.status, asked) == (200, [("his.example", department.port)])
    (received,) = department.received
    assert (received.path, received.headers["host"]) == ("/in?q=1", f"his.example:{department.port}")


def test_the_next_address_is_tried_where_one_does_not_answer(department):
    sender = Sender(loopback=True, resolve=found("127.0.0.2", "127.0.0.1"))
    assert sender.post(f"http://his.example:{department.port}/", {}, b"{}").status == 200


def test_a_name_that_is_none_is_tried_again():
    answer = Sender(loopback=True).post("http://his.invalid/", {}, b"{}")
    assert answer.error == "name_not_resolved"


def test_a_resolver_that_hangs_is_left_behind_at_the_deadline():
    def resolve(_host, _port):
        time.sleep(3)
        return []

    answer = Sender(loopback=True, seconds=0.3, resolve=resolve).post("http://his.example/", {}, b"{}")
    assert answer.error == "name_not_resolved"
    assert answer.duration_ms < 2500


def test_a_port_that_takes_no_connection_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        answer = Sender(loopback=True).post(f"http://127.0.0.1:{silent.getsockname()[1]}/", {}, b"{}")
    assert answer.error == "connect_failed"


def test_a_certificate_that_nobody_vouches_for_is_refused(department):
    answer = Sender(loopback=True, seconds=3).post(f"https://127.0.0.1:{department.port}/", {}, b"{}")
    assert answer.error in ("tls_failed", "timed_out"), "it speaks no TLS at all"
    assert Sender(loopback=True)._tls.verify_mode == ssl.CERT_REQUIRED  # noqa: SLF001
    assert Sender(loopback=True)._tls.check_hostname  # noqa: SLF001


def test_no_proxy_is_used_and_no_cookie_kept(department, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    department.answer = status(200, set_cookie="a=b")
    sender = Sender(loopback=True)
    assert [sender.post(department.url, {}, b"{}").status for _ in range(2)] == [200, 200]
    assert {name for each in department.received for name in each.headers} == {"host", "content-length"}


@pytest.mark.parametrize(
    "url", ["ftp://his.example/", "http://", "his.example", "http://his.example:99999/", "http://ü.example/"]
)
def test_what_is_no_url_is_no_crash(url):
    assert Sender(loopback=True).post(url, {}, b"{}").error in ("bad_url", "name_not_resolved")
