"""A key is looked up once more where the server has closed the connection since."""

from sqlalchemy import text

from services.api.http import key_cache
from tests.api.test_problems import CUT_ALL_OTHERS


def test_a_valid_key_opens_right_after_the_server_has_closed_every_connection(submitter, sessions, monkeypatch):
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 0.0)  # each request looks its key up
    for _ in range(3):
        assert submitter.get("/v1/form").status_code == 200
        with sessions() as session:
            session.execute(text(CUT_ALL_OTHERS))
        assert submitter.get("/v1/form").status_code == 200
        assert (
            submitter.client.get("/v1/form", headers={"Authorization": f"Bearer {submitter.key}0"}).status_code == 401
        )
