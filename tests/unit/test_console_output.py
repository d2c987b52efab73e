"""What `referrals up` writes: lines for a terminal, or an object a line for a log collector."""

import json
import os

from services.embedded.supervisor.console import Console


def written(*, as_json: bool) -> list[str]:
    reader, writer = os.pipe()
    console = Console(writer, as_json=as_json)
    console.pass_on("api", '{"event": "request", "status": 200}')
    console.pass_on("postgres", "LOG:  ready")
    console.say("ready: http://127.0.0.1:8080")
    os.close(writer)
    with os.fdopen(reader) as lines:
        return lines.read().splitlines()


def test_a_terminal_sees_the_name_of_the_process_before_its_line():
    assert written(as_json=False)[0].startswith("api      | {")


def test_a_collector_gets_one_object_a_line_with_the_name_of_the_process():
    assert [json.loads(line) for line in written(as_json=True)] == [
        {"process": "api", "event": "request", "status": 200},
        {"process": "postgres", "event": "LOG:  ready"},
        {"process": "up", "event": "ready: http://127.0.0.1:8080"},
    ]
