"""Builds the webhook of a delivery: body and signature (Standard Webhooks), with the same body in every attempt."""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

import orjson
from standardwebhooks import Webhook

USER_AGENT = f"Psoas/{version('psoas')}"


def body_of(payload: Mapping[str, Any]) -> bytes:
    """Return the bytes that are sent and signed; the database keeps no order of keys, so it is the alphabet's."""
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)


def headers_of(
    webhook_id: str, body: bytes, secret: str, now: datetime, traceparent: str | None = None
) -> dict[str, str]:
    """Return the headers of an attempt at `now`; the id is the same in each, time and signature are not."""
    continued = {"traceparent": traceparent} if traceparent else {}
    return {
        **continued,
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body.decode()),
    }
