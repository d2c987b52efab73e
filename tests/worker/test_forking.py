"""No child of a worker reads through a connection that it inherited: such a one answers with other patients' rows."""

import subprocess
import sys


def test_each_child_reads_its_own(environment, engine):
    engine.dispose()
    subprocess.run([sys.executable, "-m", "tests.worker.forking"], env=environment, check=True, timeout=60)
