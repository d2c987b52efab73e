"""Starts services stage by stage, keeps them running, and stops them in order, all from one loop in one thread."""

import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from services.embedded.supervisor.console import Console
from services.embedded.supervisor.orphans import kill_all_orphans, kill_orphans
from services.embedded.supervisor.service import Service
from services.embedded.supervisor.supervised_process import SupervisedProcess

# Seconds after the stop began at which each phase has to be over; what then still runs is killed with the last one.
STOP_DEADLINES = (2.0, 8.0, 8.5, 9.0)


def stop_signals() -> list[signal.Signals]:
    """Return the signals that stop everything; the end of the terminal is none if `nohup` took care of that."""
    unheard = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return [signal.SIGTERM, signal.SIGINT, *([] if unheard else [signal.SIGHUP])]


class Supervisor:
    """Runs `stages` of services; a stage begins when all of the one before are ready."""

    def __init__(self, stages: Sequence[Sequence[Service]], console: Console) -> None:
        self._stages = stages
        self._console = console
        self._children: list[SupervisedProcess] = []
        self._stopping = False
        self._alarm, self._alarm_in = socket.socketpair()  # a signal puts a byte in, so that the loop wakes up

    def run(self, when_ready: Callable[[], None]) -> None:
        """Run until a stop signal, or raise CannotStartError for a service that cannot start; then all is stopped."""
        with self._signals():
            try:
                self._start()
                if not self._stopping:
                    when_ready()
                while not self._stopping:
                    self._turn()
            finally:
                self._stop()

    def _start(self) -> None:
        for stage in self._stages:
            started = [SupervisedProcess(service, self._console) for service in stage]
            self._children += started
            while not self._stopping and not all(child.ready for child in started):
                self._turn()

    def _turn(self) -> None:
        waits = [seconds for child in self._children if (seconds := child.waits_for()) is not None]
        self._wait(min(waits, default=None))
        for child in self._children:
            child.look()

    def _wait(self, seconds: float | None) -> None:
        readers: dict[int, Callable[[], object]] = {self._alarm.fileno(): lambda: self._alarm.recv(4096)}
        for child in self._children:
            if child.output.descriptor is not None:
                readers[child.output.descriptor] = child.output.read
        for ready in select.select(list(readers), [], [], seconds)[0]:
            readers[ready]()
        kill_orphans([child.process.pid for child in self._children if child.process])

    def _stop(self) -> None:
        self._console.say("stopping")
        begin = time.monotonic()
        for phase, deadline in enumerate(STOP_DEADLINES):
            for child in self._children:
                if child.service.stop_phase == phase:
                    child.send(child.service.stop_signal)
            self._wait_until_stopped(phase, begin + deadline)
        for child in self._children:
            child.send(signal.SIGKILL)
        self._wait_until_stopped(len(STOP_DEADLINES), begin + 30)
        kill_all_orphans(seconds=2)  # what the last of them left came to us just now
        self._console.say("stopped")

    def _wait_until_stopped(self, phase: int, deadline: float) -> None:
        stopping = [child for child in self._children if child.service.stop_phase <= phase]
        while not all(child.has_stopped() for child in stopping) and time.monotonic() < deadline:
            self._wait(0.03)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        self._alarm_in.setblocking(False)
        wakeup = signal.set_wakeup_fd(self._alarm_in.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, self._stop_soon) for number in stop_signals()}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            self._alarm.close()
            self._alarm_in.close()

    def _stop_soon(self, *_: object) -> None:
        self._stopping = True
