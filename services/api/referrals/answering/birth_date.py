"""Makes a new version of the form of an open case whose birth date was corrected: another age may be another route."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.api.context import AppContext
from services.api.referrals.answering.new_version import FormChange, NewVersion, make_version
from shared.clinical.form import Form, age_in_years
from shared.store.access.scope import Scope
from shared.store.answers import hold_case, source_form
from shared.store.patients.identities import Correction

PATH = "patient.birth_date"


def version_for_birth_date(
    context: AppContext,
    session: Session,
    corrections: Sequence[Correction],
    referral_id: UUID,
    body: Mapping[str, Any],
) -> NewVersion | None:
    """Store the new version in the transaction of the corrections; None where no open form has another birth date."""
    dated = {each.before.intake_id for each in corrections if "birth_date" in each.fields}
    case = hold_case(session, referral_id, Scope.everything()) if dated else None
    opened = case.open if case else None
    if opened is None or opened.intake_id not in dated:
        return None
    held = hold_case(session, opened.referral_id, Scope.everything())
    assert held  # noqa: S101 - it was found a moment ago, and is locked
    source = source_form(session, opened.intake_id)
    form = replace(Form.of(source.answers), age_years=age_in_years(body["patient"]["birth_date"], source.today))
    return make_version(context, session, held, FormChange(form, body["by"], {"fields": [PATH]}))
