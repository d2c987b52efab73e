"""Formats values for the pages in words: priorities, durations and times, ages without a birth date."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.clinical.referral.lifecycle import PRIORITIES

MINUTE, HOUR, DAY = 60, 3600, 86_400
SOON = 5 * MINUTE  # before its time a countdown is marked
HOURS_SHOWN = 48  # beyond it days say enough
OLDEST_BAND = 90


@dataclass(frozen=True, slots=True)
class PriorityTag:
    """How a priority is shown: by shape, word and colour together, so that none has to be told by one alone."""

    name: str
    word: str
    shape: str


TAGS = {
    name: PriorityTag(name, word, shape)
    for name, word, shape in zip(
        PRIORITIES, ("Emergency", "Urgent", "Prompt", "Routine"), ("▲", "◆", "■", "●"), strict=True
    )
}
STATUS_WORDS = {
    "queued": "Waiting",
    "acknowledged": "Acknowledged",
    "completed": "Completed",
    "returned": "Returned",
    "superseded": "Superseded",
}

DONE = {  # what an action did, as the page says it afterwards
    "acknowledge": "acknowledged",
    "complete": "completed",
    "reroute": "rerouted",
    "return": "returned to the referrer",
    "release": "released",
    "contacted": "noted the call of",
    "take-over": "took over",
    "confirm-downgrade": "confirmed the lower place of",
    "correct-identity": "corrected the patient of",
}
CONTACT_WORDS = {
    "reached": "Reached",
    "no_answer": "No answer",
    "left_message": "Left message",
    "not_needed": "Not needed",
}
NUMBER_AND_UNIT = re.compile(r"(\d+) (h|days|weeks|more)\b")
REFERENCE = re.compile(r"[0-9A-Z-]{8,12}")


def reference_in(text: str) -> str:
    """Return a reference that an address names, or nothing where it names something else."""
    return text if REFERENCE.fullmatch(text) else ""


def duration(seconds: float) -> str:
    """Return a length of time in words that fit: `9 min`, `2 h 10`, `3 days`; never less than a minute."""
    minutes = max(1, math.ceil(seconds / MINUTE))
    if minutes < HOUR // MINUTE:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < HOURS_SHOWN:
        return f"{hours} h {rest:02}"
    return f"{int(seconds // DAY)} days"


def due_in(due: datetime, now: datetime) -> str:
    """Return how long is left until `due`, or by how much it is over."""
    left = (due - now).total_seconds()
    return f"Overdue {duration(-left)}" if left < 0 else duration(left)


def call_in(due: datetime, now: datetime) -> str:
    """Return how long is left for the call to the patient, or by how much it is over."""
    left = (due - now).total_seconds()
    return f"Call overdue {duration(-left)}" if left < 0 else f"Call within {duration(left)}"


def due_state(due: datetime, now: datetime) -> str:
    """Return `overdue`, `soon` or `later`, by which a countdown is coloured."""
    left = (due - now).total_seconds()
    return "overdue" if left < 0 else "soon" if left <= SOON else "later"


def clock_time(moment: datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return f"{moment:%d %b %Y, %H:%M} UTC"


def hour(moment: datetime, now: datetime | None = None) -> str:
    """Return the time of day of a moment in UTC, with its day where that is not the day of `now`."""
    same_day = now is None or moment.date() == now.date()
    return f"{moment:%H:%M} UTC" if same_day else f"{moment:%d %b, %H:%M} UTC"


def written_time(moment: str) -> str:
    """Return a moment that is written in ISO 8601, as `clock_time` does."""
    return clock_time(datetime.fromisoformat(moment).astimezone(UTC))


def iso(moment: datetime) -> str:
    """Return a moment as a machine reads it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def age_band(years: int | None, sex: str | None) -> str:
    """Return an age in tens of years and the sex, as lists show a patient: `40-49, female`."""
    if years is None:
        band = "age unknown"
    elif years >= OLDEST_BAND:
        band = f"{OLDEST_BAND} or over"
    elif years < 18:
        band = f"{years} years"
    else:
        band = f"{years // 10 * 10}-{years // 10 * 10 + 9}"
    return f"{band}, {sex}" if sex in ("female", "male") else band


def imaging_line(imaging: list[Mapping[str, Any]], status: str | None) -> str:
    """Return what is advised first, with its time, and how much more there is."""
    if not imaging:
        return {"hold_for_review": "Hold until reviewed", "not_indicated": "None indicated"}.get(
            status or "", "None yet"
        )
    first, more = imaging[0], len(imaging) - 1
    return f"{first['text']}, {within(first['within'])}" + (f" and {more} more" if more else "")


def unbroken(line: str) -> str:
    """Return a line whose numbers stay beside their units: `within 4 h` is never left with an `h` of its own."""
    return NUMBER_AND_UNIT.sub("\\1\N{NO-BREAK SPACE}\\2", line)


def within(time: str) -> str:
    """Return how soon imaging is advised: `at once`, `within 4 h`, `within 2 weeks`, `routine`."""
    if time == "immediate":
        return "at once"
    number, unit = time[:-1], {"h": "h", "d": "days", "w": "weeks"}.get(time[-1])
    return f"within {number} {unit}" if unit and number.isdigit() else time
