"""What the actions on a referral are told; every one names the person who acts."""

from typing import Any

from services.api.fields import Choice, Flag, Text
from services.api.parser import Body
from shared.clinical.lifecycle import QUEUES

MOST_IN_A_NAME = 200
MOST_IN_WORDS = 4000


def words(example: str, *, required: bool) -> Text:
    """Return a field for what a person writes."""
    optional: dict[str, Any] = {} if required else {"load_default": None, "allow_none": True}
    return Text(least=1, most=MOST_IN_WORDS, required=required, metadata={"example": example}, **optional)


class ByPerson(Body):
    """The named person who acts."""

    by = Text(least=1, most=MOST_IN_A_NAME, required=True, metadata={"example": "Example (write your own name)"})


class AcknowledgeBody(ByPerson):
    """Who has the referral now."""

    note = words("Seen by telephone.", required=False)


class CompleteBody(ByPerson):
    """What came of the referral."""

    outcome = words("MRI done, admitted.", required=True)


class RerouteBody(ByPerson):
    """Where the referral goes; out of `urgent` only with a reason, and confirmed."""

    queue = Choice(QUEUES, required=True)
    reason = words("The imaging points to another service.", required=False)
    confirm = Flag(load_default=False)


class ReturnBody(ByPerson):
    """The advice with which the referral goes back; out of `urgent` only if confirmed."""

    reason = words("Refer again with the imaging report.", required=True)
    confirm = Flag(load_default=False)


class ReleaseBody(ByPerson):
    """Why somebody lets go of the referral."""

    reason = words("Handed over at the end of the shift.", required=True)
