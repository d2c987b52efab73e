"""Spans of time as people say them."""

from datetime import datetime, timedelta


def span(seconds: float | None) -> str:
    """Return a span: `12s`, `3m20s`, `5h07m`, `2d03h`; `-` where there is none."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    for unit, smaller, size, part in (("d", "h", 86400, 3600), ("h", "m", 3600, 60), ("m", "s", 60, 1)):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // part:02d}{smaller}"
    return f"{whole}s"


def due(by: datetime, now: datetime) -> str:
    """Return how far away a moment is: `in 3m20s`, or `overdue by 12s`."""
    left = by - now
    if left < timedelta(0):
        return f"overdue by {span(-left.total_seconds())}"
    return f"in {span(left.total_seconds())}"
