"""What is executed without SQLAlchemy fails as if it had executed it."""

from datetime import timedelta

import pytest
from sqlalchemy import literal, select, text
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

from shared.platform.raw_statement import RawStatement

QUOTIENT = RawStatement(text("select 6 / :by"))
CUT_OFF = RawStatement(text("select pg_terminate_backend(pg_backend_pid())"))


def test_it_gives_what_the_driver_gives(engine):
    with engine.connect() as connection:
        assert QUOTIENT.execute(connection, {"by": 2}).fetchone() == (3,)


def test_a_value_that_stands_in_the_statement_need_not_be_given(engine):
    kept = RawStatement(select(literal(timedelta(days=1))))
    with engine.connect() as connection:
        assert kept.execute(connection, {}).fetchone() == (timedelta(days=1),)


def test_it_shares_the_transaction_of_a_session(engine):
    with Session(engine) as session:
        session.execute(text("set local lock_timeout = '123ms'"))
        assert RawStatement(text("show lock_timeout")).execute(session, {}).fetchone() == ("123ms",)


def test_an_error_is_sqlalchemys_and_says_no_value(engine):
    with engine.connect() as connection, pytest.raises(DataError) as caught:
        QUOTIENT.execute(connection, {"by": 0})
    assert not caught.value.connection_invalidated
    assert caught.value.params is None


def test_after_a_lost_connection_all_are_made_anew(engine):
    with engine.connect() as one, engine.connect() as other:
        gone = {each.scalar(text("select pg_backend_pid()")) for each in (one, other)}
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        CUT_OFF.execute(connection, {})
    assert caught.value.connection_invalidated
    with engine.connect() as one, engine.connect() as other:
        assert gone.isdisjoint({each.scalar(text("select pg_backend_pid()")) for each in (one, other)})
