"""Installs npm packages once into a cache folder, and runs their commands."""

import os
import shutil
import subprocess
from pathlib import Path

INSTALL_SECONDS = 300


def install(*packages: str) -> Path:
    """Return a folder in whose `node_modules` these exact versions stand."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "psoas-tests" / "-".join(each.strip("@").replace("/", "-") for each in packages)
    whole = folder / "whole"
    if not whole.exists():
        folder.mkdir(parents=True, exist_ok=True)
        options = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder]
        done = subprocess.run(
            [program("npm"), "install", *options, *packages], capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
        assert done.returncode == 0, done.stderr
        whole.touch()
    return folder


def run(folder: Path, command: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of an installed package to its end."""
    return subprocess.run(
        [folder / "node_modules/.bin" / command, *arguments], cwd=cwd, capture_output=True, text=True, timeout=100
    )


def program(name: str) -> str:
    """Return where a program stands."""
    found = shutil.which(name)
    assert found, f"{name} is needed"
    return found
