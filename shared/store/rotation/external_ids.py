"""Hashes and seals the external ids that stand in the clear, as releases before wrote them."""

from functools import partial
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.platform.crypto import IdentityCipher
from shared.platform.database import Sessions
from shared.store.names.external_ids import external_id_hash, sealed_external_id
from shared.store.rotation.batches import BATCH, Batch, Walked, locked, walk

_PAGE = text("""
    select id, facility, external_id from intakes where id > :after and external_id is not null
    order by id limit :limit
""")
# A name that another row has by its hash stays as it is, and is counted: two such rows are for a person to look at.
_SEAL = text("""
    update intakes set external_id = null, external_id_hash = given.hash, external_id_sealed = given.sealed
    from unnest(cast(:ids as uuid[]), cast(:names as text[]), cast(:hashes as bytea[]), cast(:sealed as bytea[]))
        as given (id, name, hash, sealed)
    where intakes.id = given.id and intakes.external_id = given.name and not exists (
        select from intakes as other
        where other.facility = intakes.facility and other.external_id_hash = given.hash and other.id <> given.id
    )
    returning intakes.id
""")


def seal_external_ids(sessions: Sessions, cipher: IdentityCipher, lookup_key: bytes, limit: int = BATCH) -> Walked:
    """Hash and seal every external id that stands in the clear."""
    return walk(sessions, partial(_step, cipher, lookup_key), limit)


def _step(cipher: IdentityCipher, lookup_key: bytes, session: Session, after: UUID, limit: int) -> Batch:
    found = session.execute(_PAGE, {"after": after, "limit": limit}).all()
    free = locked(session, "intakes", [row.id for row in found])
    ours = [row for row in found if row.id in free]
    given = {
        "ids": [row.id for row in ours],
        "names": [row.external_id for row in ours],
        "hashes": [external_id_hash(lookup_key, row.facility, row.external_id) for row in ours],
        "sealed": [sealed_external_id(cipher, row.external_id, row.id) for row in ours],
    }
    changed = len(session.execute(_SEAL, given).all()) if ours else 0
    last = found[-1].id if len(found) == limit else None
    return Batch(changed, len(found) - len(ours), len(ours) - changed, last)
