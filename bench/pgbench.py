"""Asks PostgreSQL's own benchmark how many durable rows a second the disk and the server allow."""

import os
import re
import secrets
import subprocess
from pathlib import Path

from sqlalchemy import make_url, text

from bench.scene import Scene

CLIENTS = 16
THREADS = 2


def row_bytes(scene: Scene) -> int:
    """Return the mean size of a stored intake."""
    with scene.engine.connect() as connection:
        return int(connection.scalar(text("select avg(pg_column_size(intakes.*)) from intakes")) or 0)


def inserts_per_second(scene: Scene, size: int, seconds: float) -> float:
    """Return how many rows of `size` bytes 16 clients insert in a second, each in a transaction of its own."""
    with scene.engine.begin() as connection:
        connection.execute(text("create table if not exists ceiling (id uuid primary key, content text not null)"))
        connection.execute(text("truncate ceiling"))
    script = scene.servers.folder / "insert.sql"
    content = secrets.token_hex(size // 2)  # like sealed identity, it does not shrink
    script.write_text(f"insert into ceiling values (uuidv7(), '{content}');\n", encoding="utf-8")  # noqa: S608
    return _run(scene, script, seconds)


def _run(scene: Scene, script: Path, seconds: float) -> float:
    url = make_url(scene.servers.database_url)
    options = [f"--client={CLIENTS}", f"--jobs={THREADS}", f"--time={max(1, round(seconds))}", "--no-vacuum"]
    said = subprocess.run(  # noqa: S603 - a program of the wheel
        [scene.servers.programs / "pgbench", *options, "--protocol=prepared", f"--file={script}", str(url.database)],
        env={
            **os.environ,
            "PGHOST": str(url.query["host"]),
            "PGUSER": str(url.username),
            "PGPASSWORD": str(url.password),
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"tps = ([0-9.]+)", said)
    if found is None:
        raise ValueError(f"pgbench said: {said}")
    return float(found[1])
