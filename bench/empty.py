"""An empty Flask application behind the same server: what a POST costs before anything is done for it."""

import sys

from flask import Flask, request

from bench.serving import serve


def create_app() -> Flask:
    """Return an application that reads a body and answers."""
    app = Flask("empty")

    @app.post("/v1/intakes")
    def post() -> tuple[dict[str, str], int]:
        request.get_data()
        return {}, 202

    app.add_url_rule("/health/live", view_func=dict)
    return app


if __name__ == "__main__":
    serve("bench.empty:create_app", int(sys.argv[1]))
