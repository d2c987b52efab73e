"""Makes this process another user's for good, with the capabilities it was left, by what Linux offers for it."""

import ctypes
import os
import re
from collections.abc import Collection
from pathlib import Path

from services.embedded.supervisor.process_control import PR_CAP_AMBIENT
from services.embedded.supervisor.service import Account

DAC_OVERRIDE, DAC_READ_SEARCH, KILL, SETPCAP, NET_BIND_SERVICE = 1, 2, 5, 8, 10
PR_SET_DUMPABLE, PR_SET_KEEPCAPS = 4, 8
PR_SET_SECUREBITS, NO_SETUID_FIXUP = 28, 1 << 2
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT_RAISE = 2
VERSION = 0x20080522  # of the kernel's interface: two words of 32 bits for each set

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def permitted() -> set[int]:
    """Return the capabilities that this process may use, by their numbers."""
    found = re.search(r"^CapPrm:\s*([0-9a-f]+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    held = int(found[1], 16) if found else 0
    return {number for number in range(64) if held >> number & 1}


def become(account: Account, keep: Collection[int] = (), *, inherited: bool = True) -> None:
    """Become `account` for good, with the capabilities in `keep` and no way to more.

    Programs that it starts have them, too; without `inherited` they do not. The signal that this process gets when its
    parent dies is forgotten.
    """
    if keep and SETPCAP in permitted():
        # Else access(2), by which Alembic looks for its folder, leaves capabilities out of account.
        _control(PR_SET_SECUREBITS, NO_SETUID_FIXUP)
    _control(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    mask = sum(1 << number for number in keep)
    low = _Sets(mask, mask, mask if inherited else 0)
    if _libc.capset(ctypes.byref(_Header(VERSION, 0)), (_Sets * 2)(low, _Sets(0, 0, 0))):
        _fail()
    for number in keep if inherited else ():
        _control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)
    _control(PR_SET_KEEPCAPS, 0)
    _control(PR_SET_DUMPABLE, 1)  # else what /proc has of this process stays root's, such as its place in the scheduler
    _control(PR_SET_NO_NEW_PRIVS, 1)


def _control(option: int, *arguments: int) -> None:
    if _libc.prctl(option, *(*arguments, 0, 0, 0)[:4]):
        _fail()


def _fail() -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"cannot give up the rights of root: {os.strerror(number)}")
