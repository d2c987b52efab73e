"""Builds the row of an intake from a form: clinical answers apart, identity sealed, hashes for comparison."""

from typing import Any

import orjson
from flask import g
from uuid_utils.compat import uuid7

from services.api.context import AppContext
from services.api.forms.receive_form import ReceivedForm
from services.api.forms.screening import choose_lane
from services.api.http.tracing import continued_trace
from shared.clinical.text import without_control_characters
from shared.platform.crypto import birth_date_hash, keyed_hash
from shared.store.intakes import AsSent, NewIntake
from shared.store.names.external_ids import columns_of, external_id_hash
from shared.store.patients.record_numbers import mrn_hashes


def build_intake(context: AppContext, received: ReceivedForm, facility: str) -> NewIntake:
    """Return the row of an intake that `facility` posts in the current request."""
    intake_id = uuid7()
    external_id = received.given("encounter", "external_id")
    named = columns_of(external_id, facility, intake_id, key=context.settings.lookup_key, cipher=context.cipher)
    hashed = mrn_hashes(context.settings.lookup_key, facility, received.given("patient", "mrn"))
    return NewIntake(
        id=intake_id,
        facility=facility,
        external_id=named.clear,
        external_id_hash=named.hash,
        external_id_sealed=named.sealed,
        amends=received.amends,
        lane=choose_lane(context, received.form),
        today=received.today,
        answers=received.form.record(),
        identity=context.cipher.seal(orjson.dumps(_identity(context, received)), row=str(intake_id)),
        mrn_hash=hashed.as_typed,
        patient_hash=hashed.normalised,
        birth_date_hash=birth_date_hash(context.settings.lookup_key, facility, received.given("patient", "birth_date")),
        body_hash=keyed_hash(context.settings.lookup_key, canonical(["body", received.body])),
        request_id=g.request_id,
        traceparent=continued_trace(),
        sent=_as_sent(context, received, facility, external_id),
    )


def canonical(value: Any) -> bytes:
    """Return the same bytes for equal bodies: the order of keys says nothing."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _as_sent(context: AppContext, received: ReceivedForm, facility: str, external_id: str | None) -> AsSent:
    """Return the names and hashes by which a form is recognised that was stored under the LOOKUP_KEY before."""
    key = context.settings.previous_lookup_key
    return AsSent(
        external_id,
        external_id_hash(key, facility, external_id) if key and external_id is not None else None,
        keyed_hash(key, canonical(["body", received.body])) if key else None,
    )


def _identity(context: AppContext, received: ReceivedForm) -> dict[str, Any]:
    sealed = (each for each in context.protocol.form.fields.values() if each.keep == "identity")
    given = ((each, received.given(each.section, each.name)) for each in sealed)
    return {
        each.name: without_control_characters(answer) if each.multiline else answer
        for each, answer in given
        if answer is not None
    }
