"""A receiver counts whole requests: an attempt that is cut off is no delivery, wherever it is cut."""

import socket

import pytest

from tests.receiver import receiver

HEAD = b"POST /hook HTTP/1.1\r\nwebhook-id: msg_1\r\nContent-Length: 20\r\n\r\n"
BODY = b'{"data": {"some": 1}'


@pytest.mark.parametrize("sent", [b"", HEAD[:10], HEAD[:40], HEAD[:-2], HEAD, HEAD + BODY[:7]], ids=len)
def test_what_is_cut_off_is_not_received(sent):
    with receiver() as box:
        with socket.create_connection(("127.0.0.1", box.port)) as caller:
            caller.sendall(sent)
            caller.shutdown(socket.SHUT_WR)
            assert caller.recv(100) == b""  # hung up, without an answer
        assert box.received == []


def test_what_is_whole_is_received_and_answered():
    with receiver() as box:
        with socket.create_connection(("127.0.0.1", box.port)) as caller:
            caller.sendall(HEAD + BODY)
            assert caller.recv(100).startswith(b"HTTP/1.1 200")
        assert [each.body for each in box.received] == [BODY]
