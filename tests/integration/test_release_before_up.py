"""`referrals up` goes from the release before to this one and back on one home, while forms are posted."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.migrations.head import HEAD
from tests import release_before
from tests.api.test_server import free_port
from tests.driver.client import Client
from tests.driver.load import History, Tenant, load
from tests.driver.verdict import assert_each_routed_once
from tests.referrals import Up, up

MORE = 10  # forms that have to be taken after each start


@pytest.mark.timeout(300)  # three starts
def test_it_goes_forward_and_back_while_forms_are_posted(tmp_path: Path) -> None:
    assert HEAD > release_before.HEAD, "there is no migration to go across"
    home, port = tmp_path / "home", free_port()
    code = release_before.unpack(tmp_path / "code")
    of_before = {"cwd": code, "env": release_before.environment(code)}
    before, port_of = (sys.executable, "-m", "services.cli"), ("--port", str(port))

    with ExitStack() as loaded:
        with up(home, *port_of, command=before, **of_before) as running:
            keys = running.keys()
            tenant = Tenant(Client(port, keys["submitter"]), Client(port, keys["operator"]))
            history = loaded.enter_context(load(History("up", [tenant]), rate=5, version=release_before.PROTOCOL))
            history.wait_for_more(MORE)
            stop(running)
        with up(home, *port_of, env=os.environ | {"SEALING_FORMAT": "1"}) as running:  # which the release before reads
            history.wait_for_more(MORE)
            stop(running)
        with up(home, *port_of, command=before, **of_before) as running:
            history.wait_for_more(MORE)
            assert tenant.hospital.request("GET", "/health/ready").status == 200
            loaded.close()
            assert_each_routed_once(history)


def stop(running: Up) -> None:
    assert running.stop() == 0
