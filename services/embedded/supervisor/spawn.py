"""Starts the process of a service: in a session of its own, tied to this process, with its output in one place."""

import os
import subprocess

from services.embedded.supervisor.process_control import die_with_parent, pass_on_no_capability
from services.embedded.supervisor.service import Service, as_account


def spawn(service: Service, output: int) -> subprocess.Popen[bytes]:
    """Start `service` with its output on the file descriptor `output`; raise OSError if that is impossible.

    The working folder is entered before the user changes, so a process may work in a folder that it could not walk to.
    """
    service.prepare()
    tied = die_with_parent(os.getpid(), service.stop_signal)

    def become() -> None:
        tied()
        if service.bare:
            pass_on_no_capability()

    return subprocess.Popen(  # noqa: S603 - commands of this package
        service.command,
        cwd=service.folder,
        env=dict(service.environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops everything in order
        preexec_fn=become,
        **as_account(service.account),
    )
