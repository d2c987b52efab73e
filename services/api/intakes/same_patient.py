"""Checks that a form and the form that it amends are of the same patient."""

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from services.api.context import AppContext
from services.api.schemas.patients import identity_of
from shared.platform.crypto import birth_date_hash
from shared.store.intakes import NewIntake, NothingToAmendError
from shared.store.patients import identities
from shared.store.patients.identities import KeptIdentity
from shared.store.patients.record_numbers import mrn_hashes


class OtherPatientError(Exception):
    """The form names another patient than the one that it amends, as far as can be known; nothing was stored."""


def check_patient(context: AppContext, connection: Connection | Session, new: NewIntake) -> None:
    """Do nothing for a form that amends none, or one with the same record number and birth date.

    Raises NothingToAmendError or OtherPatientError. In one transaction with the storing of `new`, so that no correction
    comes in between.
    """
    if new.amends is None:
        return
    kept = identities.amended(connection, new.facility, new.amends)
    if kept is None:
        raise NothingToAmendError
    if not _is_same(context, kept, new):
        raise OtherPatientError


def _is_same(context: AppContext, kept: KeptIdentity, new: NewIntake) -> bool:
    """Compare by the hashes; where one is missing or was made otherwise, by hashes of the identity itself."""
    wanted = (new.patient_hash, new.birth_date_hash)
    if (kept.patient_hash, kept.birth_date_hash) == wanted:
        return True
    identity = identity_of(context.cipher, kept.identity, kept.intake_id)
    if identity is None:
        return False
    key = context.settings.lookup_key
    own = (
        mrn_hashes(key, kept.facility, identity["mrn"]).normalised,
        birth_date_hash(key, kept.facility, identity["birth_date"]),
    )
    return own == wanted
