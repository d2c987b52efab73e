"""Which referrals `referrals watch` shows, and which keys change that."""

from dataclasses import dataclass, replace

from shared.clinical.referral.lifecycle import QUEUES

HELP = "keys: 1 urgent, 2 neurology, 3 orthopedics, 4 clinical_review, 0 all queues, o overdue alone, space now, q quit"


@dataclass(frozen=True, slots=True)
class View:
    """The queue that is shown, or None for all, and whether only what is overdue is."""

    queue: str | None = None
    overdue: bool = False
    ended: bool = False

    def after(self, key: str | None) -> "View":
        """Return the view after a key; a key that means nothing changes nothing."""
        if key == "q":
            return replace(self, ended=True)
        if key == "o":
            return replace(self, overdue=not self.overdue)
        if key and key in "01234":
            return replace(self, queue=None if key == "0" else QUEUES[int(key) - 1])
        return self

    def __str__(self) -> str:
        return f"{'overdue' if self.overdue else 'open'} in {self.queue or 'all queues'}"
