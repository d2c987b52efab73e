"""The audit compares each identity with the hashes by which its patient is found."""

import pytest
from sqlalchemy import text

from shared.platform.ciphers import identity_cipher
from shared.store.patients.identity_audit import identity_findings
from tests.conftest import LOOKUP_KEY


@pytest.fixture
def pair(referral):
    """Two referrals of two patients."""
    return referral("urgent"), referral("neurology", mrn=" mrn  2")


@pytest.fixture
def counts(sessions, settings):
    """A function that changes rows as the service can, and returns what is unreadable and what is misnamed."""
    cipher = identity_cipher(settings)

    def after(statement=None, keys=(LOOKUP_KEY,)):
        with sessions() as session:
            if statement:
                session.execute(text(statement))
            found = identity_findings(session, cipher, keys)
            session.rollback()
        return found.unreadable.count, found.misnamed.count

    return after


@pytest.mark.usefixtures("pair")
def test_what_was_posted_fits(counts):
    assert counts() == (0, 0)
    assert counts(keys=(bytes(32), LOOKUP_KEY)) == (0, 0)
    assert counts(keys=(bytes(32),)) == (0, 2)
    assert counts(keys=()) == (0, 0)


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("column", ["mrn_hash", "patient_hash", "birth_date_hash"])
def test_another_hash_beside_an_identity_is_found(counts, column):
    assert counts(f"update intakes set {column} = sha256('other')") == (0, 2)  # noqa: S608 - a constant


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("column", ["mrn_hash", "patient_hash"])
def test_a_referral_that_is_found_under_another_number_is_found(counts, column):
    assert counts(f"update referrals set {column} = sha256('other')") == (0, 2)  # noqa: S608 - a constant


@pytest.mark.usefixtures("pair")
def test_an_identity_that_was_wiped_or_exchanged_is_found(counts):
    assert counts("update intakes set identity = '\\x006572617365640a'") == (2, 0)
    assert counts("update intakes set identity = (select identity from intakes order by id limit 1)") == (1, 0)
