"""Builds what a team reads of a stored form: contact, free text and answers in words."""

from collections.abc import Mapping
from typing import Any

from services.api.context import AppContext
from services.api.schemas.patients import identity_of
from shared.clinical.presentation.wording import answered
from shared.protocols import version
from shared.store.contact.forms import StoredForm

SEALED = ("callback_phone", "referrer_contact")
ANSWERED = ("interpreter_language", "source", "completed_by")


def sent_form(stored: StoredForm, context: AppContext) -> dict[str, Any]:
    """Return contact, free text and answers; the words are those of the protocol that decided, or of the active one."""
    identity = identity_of(context.cipher, stored.identity, stored.intake_id)
    answers: Mapping[str, Any] = stored.answers["answers"]
    decided_by = version(stored.protocol_version) if stored.protocol_version else None
    sealed = identity or {}
    return {
        "contact": {name: sealed.get(name) for name in SEALED} | {name: answers.get(name) for name in ANSWERED},
        "free_text": sealed.get("free_text"),
        "answers": answered(answers, decided_by or context.protocol),
        "identity_unreadable": identity is None,
    }
