"""Senders that stall keep nobody else waiting."""

import socket
import time
from contextlib import ExitStack

from tests.driver.client import Client
from tests.driver.forms import form_for

from .stack import Stack

STALLED = 500
HALF = (
    b"POST /v1/intakes HTTP/1.1\r\nHost: psoas\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n"
    + b"{" * 1000
)


def test_five_hundred_half_sent_bodies_leave_a_normal_request_under_a_second(stack: Stack, submitter: Client) -> None:
    with ExitStack() as stalled:
        for _ in range(STALLED):
            sender = stalled.enter_context(socket.create_connection(("127.0.0.1", stack.port)))
            sender.sendall(HALF)
        seconds = []
        for number in range(20):
            began = time.monotonic()
            answer = submitter.post_intake(form_for("urgent", f"slow-{number}"))
            seconds.append(time.monotonic() - began)
            assert answer.status == 202, answer

    assert max(seconds) < 1
