"""The process in which a form that may do harm is triaged: one form a line in, one decision a line out.

It reads a number and the record of a form, and prints the number and `{"decision": …}`, or `{"error": <class>}` where
triage raised. It knows no database and no broker, so killing it leaves nothing behind.
"""

import json
import signal
import sys

from services.worker.triage.sandbox import READY
from shared.clinical.form import Form
from shared.clinical.triage import triage
from shared.protocols import active

COMMAND = (sys.executable, "-m", "services.worker.triage.sandbox_process")
MAX_SECONDS = 10  # the caller has given up long before; an orphan that hangs ends itself


def decide(record: str) -> dict[str, object]:
    """Return what triage says of the form in `record`."""
    try:
        return {"decision": triage(Form.of(json.loads(record)), active()).record()}
    except Exception as error:  # noqa: BLE001 - whatever a form raises, its class is the answer
        return {"error": type(error).__name__}


def main() -> None:
    """Answer until the input ends."""
    active()
    sys.stdout.write(READY.decode())
    sys.stdout.flush()
    for line in sys.stdin:
        signal.alarm(MAX_SECONDS)
        number, _, record = line.partition(" ")
        sys.stdout.write(f"{number} {json.dumps(decide(record))}\n")
        sys.stdout.flush()
        signal.alarm(0)


if __name__ == "__main__":
    main()
