"""Listens to server-sent events as a department's system would: over one connection, line by line."""

import json
from http.client import HTTPConnection
from typing import Any

TIMEOUT_SECONDS = 60  # seconds; a heartbeat comes every fifteen


class Stream:
    """An open stream of events."""

    def __init__(self, port: int, key: str, path: str = "/v1/events", **headers: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream", **named}
        self._connection.request("GET", path, headers=sent)
        self._answer = self._connection.getresponse()
        self.status, self.headers = self._answer.status, self._answer.headers
        self.last_id = headers.get("Last_Event_ID", "")

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._answer.close()
        self._connection.close()

    def line(self) -> str:
        """Return the next line without its end; `EOF` when the server has ended the stream."""
        line = self._answer.readline()
        return line.decode().removesuffix("\n") if line else "EOF"

    def event(self) -> dict[str, Any]:
        """Return the next event; its id and type have to be those of the stream's own fields."""
        while "data" not in (fields := self.fields()):
            pass
        event = json.loads(fields["data"])
        assert (fields["id"], fields["event"]) == (str(event["id"]), event["type"])
        return event

    def fields(self) -> dict[str, str]:
        """Return the fields up to the next empty line, as a client reads them."""
        fields: dict[str, str] = {}
        while line := self.line():
            assert line != "EOF"
            name, _, value = line.partition(": ")
            fields[name] = value
        self.last_id = fields.get("id", self.last_id)
        return fields
