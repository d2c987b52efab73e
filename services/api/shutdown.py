"""Ends the event streams when this process gets a stop signal, because they never end by themselves."""

import signal
import socket
import threading
from collections.abc import Callable

STOP = {signal.SIGTERM, signal.SIGINT}


def on_shutdown(act: Callable[[], None]) -> None:
    """Call `act` from a thread once SIGTERM or SIGINT comes, whichever handler the server sets for it later.

    To be called in the main thread, once a process.
    """
    read_end, write_end = socket.socketpair()
    write_end.setblocking(False)
    signal.set_wakeup_fd(write_end.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(read_end, write_end, act), name="stopping", daemon=True).start()


def _listen(read_end: socket.socket, _kept_open: socket.socket, act: Callable[[], None]) -> None:
    while (number := read_end.recv(1)) and number[0] not in STOP:
        pass
    act()
