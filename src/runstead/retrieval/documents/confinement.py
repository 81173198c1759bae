"""Confines the process that reads one document: limits of the operating system, and a filter of system calls.

The filter is an allow-list of what it takes to compute, to read an open file and to write to an open socket. Opening
files, sockets, processes and threads fails with EPERM. It exists on Linux on x86-64 and ARM64, in containers too. On
other systems only the limits hold, and the absence of open files, of environment and of secrets.
"""

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Collection
from contextlib import suppress

from runstead.retrieval.documents.messages import ParseLimits

__all__ = ["can_filter", "confine"]

_ALLOWED = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
            "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "readv": 19,
            "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28, "getpid": 39, "exit": 60, "gettimeofday": 96,
            "getrusage": 98, "sigaltstack": 131, "gettid": 186, "futex": 202, "clock_gettime": 228, "exit_group": 231,
            "getrandom": 318, "membarrier": 324, "rseq": 334,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66, "pread64": 67, "fstat": 80,
            "exit": 93, "exit_group": 94, "futex": 98, "clock_gettime": 113, "sched_yield": 124, "sigaltstack": 132,
            "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "getrusage": 165, "gettimeofday": 169,
            "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226,
            "madvise": 233, "getrandom": 278, "membarrier": 283, "rseq": 293,
        },
    ),
}  # fmt: skip
"""By machine: how the kernel names it, and the numbers of the calls that are allowed."""
_MAX_DESCRIPTORS = 256
_GRACE = 10
"""Seconds after which a process ends itself, if the server has not ended it at its time limit."""


def can_filter() -> bool:
    """Whether system calls can be filtered here, which a fork of this process tries."""
    if sys.platform != "linux" or platform.machine() not in _ALLOWED:
        return False
    process = os.fork()
    if process == 0:
        with suppress(OSError):
            _filter_calls()
            os._exit(0)
        os._exit(1)
    return os.waitpid(process, 0)[1] == 0


def confine(limits: ParseLimits, keep: Collection[int], *, filter_calls: bool) -> None:
    """Confine this process for good, with the descriptors `keep` open. Raises `OSError` if the filter cannot be set."""
    for descriptor in range(3, _MAX_DESCRIPTORS):
        if descriptor not in keep:
            with suppress(OSError):
                os.close(descriptor)
    bounds = {
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: max(keep) + 1,
    }
    for kind, bound in bounds.items():
        with suppress(ValueError):  # a limit that the system or the server's owner has set lower
            # Beyond the first bound of processor time a signal says so, and beyond the second the process is killed.
            resource.setrlimit(kind, (bound, bound + (kind == resource.RLIMIT_CPU)))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + _GRACE)
    if filter_calls:
        _filter_calls()


class _Program(ctypes.Structure):
    """The kernel's `struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _MACHINE_AT = 0, 4
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.EPERM
_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER_MODE = 38, 22, 2


def _filter_calls() -> None:
    machine, numbers = _ALLOWED[platform.machine()]
    allowed = sorted(numbers.values())
    steps = [(_LOAD, 0, 0, _MACHINE_AT), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _FAIL), (_LOAD, 0, 0, _NUMBER_AT)]
    steps += [(_EQUAL, len(allowed) - place, 0, number) for place, number in enumerate(allowed)]
    steps += [(_RETURN, 0, 0, _FAIL), (_RETURN, 0, 0, _ALLOW)]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    program = _Program(len(steps), code)
    libc = ctypes.CDLL(None, use_errno=True)
    _control(libc, _NO_NEW_PRIVILEGES, 1)
    _control(libc, _SET_FILTER, _FILTER_MODE, ctypes.byref(program))


def _control(libc: ctypes.CDLL, option: int, *arguments: object) -> None:
    padded = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments] + [ctypes.c_ulong(0)] * 4
    if libc.prctl(ctypes.c_int(option), *padded[:4]):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")
