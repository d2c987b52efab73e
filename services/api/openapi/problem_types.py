"""Registers every kind of problem of the API: its statuses, what it means, whether to send again, and its members.

A kind that is raised and missing here, or that stands here and is never raised, fails a test.
"""

from dataclasses import dataclass
from typing import Any

from services.api.http.problems import TITLES, TYPE

NEVER = "no"  # the same request gets the same answer
CHANGED = "after a change"  # of the request, of the key, or of what is stored
LATER = "yes"  # the same request, after Retry-After where it is sent
TEXT: dict[str, Any] = {"type": "string"}
ID: dict[str, Any] = {"type": "string", "format": "uuid"}


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem."""

    kind: str
    statuses: tuple[int, ...]
    meaning: str
    retry: str
    members: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """Return what `type` says."""
        return TYPE + self.kind


# The members that problems have beyond those that every problem has.
MEMBERS: dict[str, dict[str, Any]] = {
    "held_by": TEXT | {"description": "Who holds the referral."},
    "queue": TEXT | {"description": "In which queue the referral is."},
    "referral_status": TEXT | {"description": "In which status the referral is."},
    "superseded_by": TEXT | {"description": "Where the referral of the newer version of the form is read."},
    "contacted_by": TEXT | {"description": "Who ended the clock of the contact."},
    "outcome": TEXT | {"description": "How the contact ended."},
    "delivery_status": TEXT | {"description": "In which status the delivery is."},
    "intake_id": ID | {"description": "The intake that the name stands for."},
    "intake_ids": {"type": "array", "items": ID, "description": "The intakes that the two names stand for."},
}

PROBLEM_TYPES = (
    ProblemType("bad-request", (400,), "The request cannot be read.", CHANGED),
    ProblemType("not-strict-json", (400,), "The body is not strict JSON in UTF-8, or is nested too deep.", CHANGED),
    ProblemType("empty-batch", (400,), "A batch has no line or no form.", CHANGED),
    ProblemType("invalid-line", (400,), "A line of a batch is no object with a form.", CHANGED),
    ProblemType("missing-idempotency-key", (422,), "A line of a batch has no name of its own.", CHANGED),
    ProblemType("idempotency-key", (400,), "The Idempotency-Key has a length or characters that none has.", CHANGED),
    ProblemType("unauthorized", (401,), "There is no key, or no valid one.", CHANGED),
    ProblemType("forbidden", (403,), "The role, queue or facility of the key does not allow it.", CHANGED),
    ProblemType("facility-closed", (403,), "The facility of the key is closed: it can read, and not post.", NEVER),
    ProblemType("not-you", (403,), "The key is a person's, and `by` names another.", CHANGED),
    ProblemType("not-found", (404,), "There is nothing here, or nothing that the key may see.", NEVER),
    ProblemType("nothing-to-amend", (404,), "The facility has no intake with the id in `amends`.", CHANGED),
    ProblemType("method-not-allowed", (405,), "The address has other methods; `Allow` names them.", CHANGED),
    ProblemType("timeout", (408,), "The request did not arrive in time.", LATER),
    ProblemType("conflict", (409,), "It contradicts what is stored.", CHANGED),
    ProblemType("held-by-another", (409,), "Another person has acknowledged the referral.", CHANGED, ("held_by",)),
    ProblemType("same-queue", (409,), "The referral is in that queue already.", CHANGED, ("queue",)),
    ProblemType(
        "already-contacted", (409,), "The clock of the contact has ended already.", NEVER, ("contacted_by", "outcome")
    ),
    ProblemType(
        "transition-forbidden",
        (409,),
        "The status of the referral does not allow the action.",
        CHANGED,
        ("referral_status", "superseded_by"),
    ),
    ProblemType("nothing-proposed", (409,), "No lower place is proposed for the referral.", CHANGED),
    ProblemType("identity-unreadable", (409,), "The identity of the patient does not open.", CHANGED),
    ProblemType("other-patient", (409,), "The form amends the form of another patient.", CHANGED),
    ProblemType("names-differ", (409,), "Key and external id name two intakes.", CHANGED, ("intake_ids",)),
    ProblemType(
        "external-id-taken", (409,), "The external id names an intake with another body.", CHANGED, ("intake_id",)
    ),
    ProblemType("not-parked", (409,), "The delivery is not parked.", CHANGED, ("delivery_status",)),
    ProblemType("precondition-failed", (412,), "The referral has changed since it was read (If-Match).", CHANGED),
    ProblemType("too-large", (413,), "The body, a line or the batch is larger than is taken.", CHANGED),
    ProblemType("unsupported-media-type", (415,), "The media type or coding of the body is not taken.", CHANGED),
    ProblemType("validation", (422,), "Values are refused; `errors` names each by its pointer.", CHANGED, ("errors",)),
    ProblemType(
        "idempotency-key-reused", (422,), "The Idempotency-Key came with another body.", CHANGED, ("intake_id",)
    ),
    ProblemType("unprocessable", (422,), "What was sent cannot be accepted.", CHANGED),
    ProblemType("too-many-requests", (429,), "Too much comes from one sender at once.", LATER),
    ProblemType("rate-limit", (429,), "This key or address has made too many requests within a minute.", LATER),
    ProblemType("too-many-wrong-keys", (429,), "Too many wrong keys were presented within a minute.", LATER),
    ProblemType("too-many-incomplete-bodies", (429,), "Too many bodies of one sender are arriving at once.", LATER),
    ProblemType("internal-error", (500,), "Something went wrong; it is logged under the request id.", LATER),
    ProblemType("unavailable", (503,), "The database is unavailable.", LATER),
    ProblemType("busy", (503,), "All that can be worked on at once is being worked on.", LATER),
    ProblemType("storage-low", (503,), "Storage is low, and the form is not stored.", LATER),
    ProblemType("too-many-streams", (503,), "The process has as many event streams as it can have.", LATER),
)
BY_KIND = {each.kind: each for each in PROBLEM_TYPES}


def title_of(problem: ProblemType) -> str:
    """Return the title that a problem of this kind has."""
    return TITLES[problem.statuses[0]][0]
