"""What triage decides about one form, with its reasons; a recommendation to a clinician."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.clinical.evidence import Counted
from shared.clinical.imaging import Advice
from shared.clinical.referral.lifecycle import Priority, Queue
from shared.clinical.rules import ImagingStatus, Reason


@dataclass(frozen=True, slots=True)
class Undetermined:
    """A red-flag rule that is neither true nor false, and the unanswered fields that leave it so."""

    rule: str
    missing: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Return it as it stands in a decision."""
        return {"rule": self.rule, "missing": list(self.missing)}


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of triage (part 4, step 14). `protocol` names version and digest of the rules behind it.

    `teams` are all who are needed, the owner first; `evidence_lines` are those that gave points.
    """

    queue: Queue
    priority: Priority
    red_flags: tuple[str, ...]
    pattern: str
    headline: str
    suspected: str
    send_to: str | None
    imaging_status: ImagingStatus
    imaging: tuple[Advice, ...]
    cautions: tuple[str, ...]
    incomplete: bool
    evidence: Mapping[str, int]
    mentioned: tuple[str, ...]
    ambulance: bool
    contact_minutes: int | None
    teams: tuple[str, ...]
    evidence_lines: tuple[Counted, ...]
    reasons: tuple[Reason, ...]
    undetermined: tuple[Undetermined, ...]
    protocol: Mapping[str, str]

    def record(self) -> dict[str, Any]:
        """Return the decision ready for JSON, in the shape of the HTTP contract."""
        return {
            "queue": self.queue,
            "priority": self.priority,
            "red_flags": list(self.red_flags),
            "pattern": self.pattern,
            "headline": self.headline,
            "suspected": self.suspected,
            "send_to": self.send_to,
            "imaging_status": self.imaging_status,
            "imaging": [advice.record() for advice in self.imaging],
            "cautions": list(self.cautions),
            "incomplete": self.incomplete,
            "evidence": dict(self.evidence),
            "mentioned": list(self.mentioned),
            "ambulance": self.ambulance,
            "contact_minutes": self.contact_minutes,
            "teams": list(self.teams),
            "evidence_lines": [line.record() for line in self.evidence_lines],
            "reasons": [reason.record() for reason in self.reasons],
            "undetermined": [rule.record() for rule in self.undetermined],
            "protocol": dict(self.protocol),
        }
