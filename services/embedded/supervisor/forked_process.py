"""Starts the process of a service as a fork of this one: what is loaded already is shared, not loaded again."""

import gc
import os
import signal
import sys
import traceback
from collections.abc import Collection

from services.embedded.supervisor.process_control import die_with_parent, set_process_name
from services.embedded.supervisor.service import Service


class ForkedProcess:
    """A forked process, with the methods of `subprocess.Popen` that the supervisor uses."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, negative for the signal that ended it, or None while it runs."""
        if self._status is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if ended else None
        return self._status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


def fork_process(service: Service, output: int) -> ForkedProcess:
    """Start `service` as `spawn` does, but as a fork of this process, which has one thread, that calls its `run`."""
    service.prepare()
    gc.freeze()  # the collector of a fork would otherwise write on every page, and so share none
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        os._exit(_live(service, output, supervisor))  # what is above on the stack is the supervisor's
    return ForkedProcess(pid)


def _live(service: Service, output: int, supervisor: int) -> int:
    try:
        _become(service, output, supervisor)
        service.run()
    except SystemExit as end:
        return _code_of(end)
    except BaseException:  # noqa: BLE001 - the end of a process; nothing above could still tell of it
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
    return 0


def _close_all_but(kept: Collection[int]) -> None:
    begin = 3
    for descriptor in sorted(kept):
        os.closerange(begin, descriptor)
        begin = descriptor + 1
    os.closerange(begin, os.sysconf("SC_OPEN_MAX"))


def _code_of(end: SystemExit) -> int:
    if isinstance(end.code, int) or end.code is None:
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def _become(service: Service, output: int, supervisor: int) -> None:
    """Leave everything behind that is the supervisor's: its session, signals, open files and environment."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        if signal.getsignal(number) != signal.SIG_IGN:  # `nohup` is inherited
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, wanted in enumerate((nothing, output, output)):
        os.dup2(wanted, descriptor)
    _close_all_but(service.keep)
    os.environ.clear()
    os.environ.update(service.environment)
    set_process_name(service.name)
    die_with_parent(supervisor, service.stop_signal)()
