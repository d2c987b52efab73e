"""What was sent with a referral, on a page of its own: each reading is recorded."""

from uuid import UUID

from flask import render_template
from werkzeug.exceptions import NotFound

from services.api.access.actor import event_actor
from services.api.access.recording import record_access
from services.api.console.blueprint import blueprint
from services.api.console.session import person
from services.api.context import current_context
from services.api.http.auth import READERS, allow, scope
from services.api.referrals.contact.sent_form import sent_form
from shared.store import referrals
from shared.store.contact import forms


@blueprint.get("/referrals/<uuid:referral_id>/form")
@allow(*READERS)
def read_form_of(referral_id: UUID) -> str:
    """Show whom to call back, the free text and every answer; the timeline says who read it."""
    with current_context().sessions.begin() as session:
        stored = referrals.find(session, referral_id, scope())
        form = forms.find(session, referral_id, scope()) if stored else None
        if stored is None or form is None:
            raise NotFound
        forms.record_reading(session, form, actor=event_actor(), by=person())
        record_access(session, [form.patient])
    return render_template("console/form.html", stored=stored, sent=sent_form(form, current_context()))
