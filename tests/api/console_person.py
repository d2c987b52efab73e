"""A person at the console, as a browser without JavaScript would be."""

import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse


class AtConsole:
    """A browser of a person who has signed in."""

    def __init__(self, app: Flask, key: str, name: str = "Dr A. Okafor") -> None:
        self.client = app.test_client()
        self.client.post("/console/sign-in", data={"key": key, "name": name})

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def press(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """Post a form with the token of the session."""
        token = re.search('name="csrf" value="([0-9a-f]+)"', self.get("/console/protocol").text)
        return self.client.post(path, data={"csrf": token[1] if token else "", **(form or {})}, headers=headers)
