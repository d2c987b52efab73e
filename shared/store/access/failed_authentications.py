"""Counts failed authentication by the minute: by address, and by key id with a wrong secret."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

KEPT = timedelta(days=90)
_ADD = text("""
    insert into failed_authentications (minute, address, count)
    select * from unnest(cast(:minutes as timestamptz[]), cast(:addresses as text[]), cast(:counts as bigint[]))
    on conflict (minute, address) do update set count = failed_authentications.count + excluded.count
""")
_FIND = text("""
    select address, count from failed_authentications
    where minute = :minute and address = any(cast(:names as text[]))
""")
_DELETE_OLD = text("delete from failed_authentications where minute < now() - cast(:kept as interval)")


def add_failures(session: Session, counts: Mapping[tuple[datetime, str], int]) -> None:
    """Add to the counts of minutes and addresses, in one order, so that two processes never wait for each other."""
    in_order = sorted(counts.items())
    minutes, addresses = [place[0] for place, _ in in_order], [place[1] for place, _ in in_order]
    session.execute(_ADD, {"minutes": minutes, "addresses": addresses, "counts": [count for _, count in in_order]})


def failures_of(connection: Connection, minute: datetime, names: Sequence[str]) -> dict[str, int]:
    """Return what is stored for this minute, by address or `key_name`."""
    rows = connection.execute(_FIND, {"minute": minute, "names": list(names)})
    return {row[0]: row[1] for row in rows}


def key_name(key_id: str) -> str:
    """Return under which name, in the place of an address, the wrong secrets of a key id are counted."""
    return f"key {key_id}"


def delete_old_failures(session: Session) -> None:
    """Forget what is older than KEPT."""
    session.execute(_DELETE_OLD, {"kept": KEPT})
