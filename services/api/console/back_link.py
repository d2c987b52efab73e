"""Makes the back link of a case: the list from which it was opened, at the same place."""

from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from flask import request, url_for

LISTS = ("/console", "/console/handover", "/console/failed", "/console/queues/")
MAX_LENGTH = 1000


def back_link(referral_id: UUID) -> str | None:
    """Return the address of the list, with the case's row as its fragment; None where the page was opened otherwise."""
    address = request.values.get("back") or _referrer()
    if not address or len(address) > MAX_LENGTH:
        return None
    parts = _split(address)
    is_list = parts.path in LISTS or parts.path.startswith(LISTS[-1])
    if parts.scheme or parts.netloc or not is_list or "\\" in address or "//" in parts.path:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.path}{query}#row-{referral_id}"


def label(address: str, labels: dict[str, str]) -> str:
    """Return what a list is called."""
    path = urlsplit(address).path
    if path.startswith(LISTS[-1]):
        return labels.get(path.removeprefix(LISTS[-1]), "Queue")
    return {url_for("console.handover"): "Handover", url_for("console.failed"): "Failed"}.get(path, "Board")


def _referrer() -> str | None:
    parts = _split(request.referrer or "")
    if parts.netloc != request.host:
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # what a client sends need not be an address
        return urlsplit("")
