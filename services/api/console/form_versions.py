"""Refuses what is posted from a page that shows an older state of a referral."""

from flask import request

from services.api.http.problems import ProblemError
from shared.store.referrals import StoredReferral


def refuse_other_version(stored: StoredReferral) -> None:
    """Refuse an action on a referral that was changed after its page was drawn."""
    if request.form.get("version") not in (None, str(stored.version)):
        held = f" {stored.acknowledged_by} has it." if stored.acknowledged_by else ""
        raise ProblemError(
            412, f"This referral was changed after your page was drawn.{held} Look again before you act."
        )
