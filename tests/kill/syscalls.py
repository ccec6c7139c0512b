"""Every change that a process and all it starts make to files, stopped at the system call, and killed there.

Linux hands the calls to us before they happen (seccomp user notification), whoever makes them: Python, SQLite's C, or a
git that was started. So there is no list of places in our code, and what is written tomorrow is watched too.
"""

import ctypes
import errno
import fcntl
import os
import platform
import re
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

_X86 = {
    "write": 1, "pwrite64": 18, "writev": 20, "pwritev": 296, "pwritev2": 328, "sendfile": 40, "copy_file_range": 326,
    "fsync": 74, "fdatasync": 75, "truncate": 76, "ftruncate": 77, "fallocate": 285, "rename": 82, "renameat": 264,
    "renameat2": 316, "mkdir": 83, "mkdirat": 258, "rmdir": 84, "unlink": 87, "unlinkat": 263, "link": 86,
    "linkat": 265, "symlink": 88, "symlinkat": 266, "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452,
    "utimensat": 280, "open": 2, "openat": 257, "creat": 85, "execve": 59,
}  # fmt: skip
_ARM = {
    "write": 64, "pwrite64": 68, "writev": 66, "pwritev": 70, "pwritev2": 287, "sendfile": 71, "copy_file_range": 285,
    "fsync": 82, "fdatasync": 83, "truncate": 45, "ftruncate": 46, "fallocate": 47, "renameat": 38, "renameat2": 276,
    "mkdirat": 34, "unlinkat": 35, "linkat": 37, "symlinkat": 36, "fchmod": 52, "fchmodat": 53, "fchmodat2": 452,
    "utimensat": 88, "openat": 56, "execve": 221,
}  # fmt: skip
_MACHINES = {"x86_64": (0xC000003E, _X86, 317), "aarch64": (0xC00000B7, _ARM, 277)}
_BY_DESCRIPTOR = {
    **dict.fromkeys(
        ("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "fsync", "fdatasync", "ftruncate", "fchmod"),
        0,
    ),
    "fallocate": 0,
    "copy_file_range": 2,
}
"""Calls that name their file by a descriptor, and which argument that is."""
_BY_PATH = {
    "rename": (None, 1),
    "renameat": (2, 3),
    "renameat2": (2, 3),
    **dict.fromkeys(("truncate", "mkdir", "rmdir", "unlink", "chmod", "open", "creat", "execve"), (None, 0)),
    **dict.fromkeys(("mkdirat", "unlinkat", "fchmodat", "fchmodat2", "utimensat"), (0, 1)),
    "openat": (0, 1),
    "link": (None, 1),
    "symlink": (None, 1),
    "linkat": (2, 3),
    "symlinkat": (1, 2),
}
"""Calls that name it by a path: the arguments that hold the folder it is seen from, and the path."""
_WANT_ROOM = {
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range", "fallocate"),
    *("mkdir", "mkdirat", "open", "openat", "creat", "link", "linkat", "symlink", "symlinkat"),
}
_BEFORE = {"rename": (None, 0), "renameat": (0, 1), "renameat2": (0, 1)}
_CHANCE = re.compile(
    r"[0-9a-f]{6,}|(?<=/tmp)\w+|(?<=obj_)\w+|(?<=-)[0-9]+(?=\.)|[0-9a-f]{2}(?=/[0-9a-f]{30})|(?<=/\.)[\w-]{22}(?=\.tmp)"
)
_CREATES = os.O_CREAT | os.O_TRUNC
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_RECEIVE, _SEND, _SET_FLAGS, _GO_ON = 0xC0502100, 0xC0182101, 0x40082104, 1
_NO_NEW_PRIVILEGES, _REAPER, _LISTENER = 38, 36, 8
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that changes files, at the moment before it happens: its name, the file, bytes to write, who makes it."""

    name: str
    path: str
    size: int = 0
    by: str = ""
    other: str = ""
    """The file's name before, where it is renamed."""

    @property
    def kind(self) -> str:
        """What is the same in every run: the call without what is drawn by chance, or follows from the time."""
        return _CHANCE.sub("*", f"{self.name} {self.path}")

    def is_in(self, folder: str) -> bool:
        """Whether the file, or what it was before, is the folder or lies in it."""
        return any(f"{one}/".startswith(f"{folder}/") for one in (self.path, self.other))

    @property
    def wants_room(self) -> bool:
        return self.name in _WANT_ROOM

    def __str__(self) -> str:
        return f"{self.name} {self.path}" + (f", {self.size} bytes" if self.size else "") + f" ({self.by})"


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill at the call with this number, counted from 0; `half` lets half of its bytes be written before.

    With `kind`, at the `nth` call of that kind: threads may make their calls in another order.
    """

    number: int
    half: bool = False
    kind: str = ""
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.number}{'h' if self.half else ''}"


@dataclass(frozen=True, slots=True)
class Full:
    """From the call with this number on there is no room: whatever wants more is refused by the system."""

    number: int

    def __str__(self) -> str:
        return f"{self.number}f"


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Nothing in this folder may be changed: the system refuses it."""

    folder: str

    def __str__(self) -> str:
        return "r"


Fault = Kill | Full | ReadOnly


@dataclass(slots=True)
class Ended:
    """How a watched process ended: its exit code (None: killed by us), the calls up to then, and where it was."""

    code: int | None
    calls: list[Call]
    stack: str = ""


def unavailable() -> str:
    """Why this machine cannot watch; empty where it can."""
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return f"watching system calls needs Linux on x86_64 or aarch64, this is {sys.platform} on {platform.machine()}"
    with open("/proc/sys/kernel/seccomp/actions_avail") as file:
        return "" if "user_notif" in file.read().split() else "this kernel has no seccomp user notification (Linux 5.6)"


Note = Callable[[int, Call, tuple[int, bytes] | None], None]
"""Called at each call with its number and, where it writes, the first half of that: its place, and the bytes."""


def watched(
    act: Callable[[], int], root: str, fault: Fault | None = None, *, explain: bool = False, note: Note | None = None
) -> Ended:
    """Run `act` in a child whose exit code is what it returns; every change it and its children make under `root`.

    With a `Kill`, all of them die at that call. `explain` asks the child where in its code that is. In the end every
    process that this one started is killed: call it in one that has no others.
    """
    _libc.prctl(_REAPER, 1, 0, 0, 0)  # what the child leaves behind is ours to end
    ours, theirs = socket.socketpair()
    told, telling = os.pipe()
    child = os.fork()
    if child == 0:
        _be_watched(act, theirs, telling)
    theirs.close()
    os.close(telling)
    try:
        _, (listener,), _, _ = socket.recv_fds(ours, 1, 1)
        try:
            with suppress(OSError):  # Linux 6.6: who is told runs at once, on the processor of who tells
                fcntl.ioctl(listener, _SET_FLAGS, 1)
            return _Watch(child, listener, root, fault, told if explain else None, note).to_its_end()
        finally:
            _end_all()
            os.close(listener)
    finally:
        ours.close()
        os.close(told)


def _be_watched(act: Callable[[], int], theirs: socket.socket, telling: int) -> None:
    import faulthandler

    code = 70
    try:
        faulthandler.register(signal.SIGUSR1, telling, all_threads=True)
        socket.send_fds(theirs, [b"."], [_listen()])
        code = act()
    finally:
        os._exit(code)


def _listen() -> int:
    """Have each call of this process and its children that changes files told to the descriptor that is returned."""
    arch, numbers, seccomp = _MACHINES[platform.machine()]
    program = _filter(arch, numbers)
    code = ctypes.create_string_buffer(program)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    asked = Program(len(program) // 8, ctypes.addressof(code))
    listener = _libc.syscall(seccomp, 1, _LISTENER, ctypes.byref(asked))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return int(listener)


def _filter(arch: int, numbers: dict[str, int]) -> bytes:
    load, equal, any_bit, answer = 0x20, 0x15, 0x45, 0x06
    flags_at = {"open": 1, "openat": 2}
    steps = [(load, 0, 0, 4), (equal, 1, 0, arch), (answer, 0, 0, _ALLOW), (load, 0, 0, 0)]
    for name, argument in flags_at.items():
        if name in numbers:
            low = 16 + 8 * argument
            steps += [(equal, 0, 4, numbers[name]), (load, 0, 0, low), (any_bit, 0, 1, _CREATES)]
            steps += [(answer, 0, 0, _NOTIFY), (answer, 0, 0, _ALLOW)]
    for name, number in numbers.items():
        if name not in flags_at:
            steps += [(equal, 0, 1, number), (answer, 0, 0, _NOTIFY)]
    steps.append((answer, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", code, yes, no, value) for code, yes, no, value in steps)


@dataclass(slots=True)
class _Notice:
    id: int
    pid: int
    name: str
    arguments: tuple[int, ...]
    refused: int = 0


class _Watch:
    """One watched child from its first call to its end."""

    def __init__(
        self, child: int, listener: int, root: str, fault: Fault | None, told: int | None, note: Note | None
    ) -> None:
        self.note = note
        self.child, self.listener, self.root, self.fault, self.told = child, listener, root, fault, told
        self.names = {number: name for name, number in _MACHINES[platform.machine()][1].items()}
        self.calls: list[Call] = []
        self.met = 0

    def to_its_end(self) -> Ended:
        ready = select.poll()
        ready.register(self.listener, select.POLLIN)
        while True:
            if not any(event & select.POLLIN for _, event in ready.poll(20)) and _gone():
                return Ended(self._code(), self.calls)
            for notice in self._notices(ready):
                if self._is_last(notice):
                    stack = self._stack(notice) if self.told is not None else ""
                    if isinstance(self.fault, Kill) and self.fault.half and self.calls[-1].size > 1:
                        _write_half(notice)
                    return Ended(None, self.calls, stack)
                self._let_go(notice)

    def _notices(self, ready: select.poll) -> Iterator[_Notice]:
        while any(event & select.POLLIN for number, event in ready.poll(0) if number == self.listener):
            told = bytearray(80)
            try:
                fcntl.ioctl(self.listener, _RECEIVE, told)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR):
                    return  # it died while it asked
                raise
            number, pid, _, call = struct.unpack_from("QIIi", told)
            yield _Notice(number, pid, self.names[call], struct.unpack_from("6Q", told, 32))

    def _let_go(self, notice: _Notice) -> None:
        with suppress(OSError):
            go_on = 0 if notice.refused else _GO_ON
            fcntl.ioctl(self.listener, _SEND, bytearray(struct.pack("QqiI", notice.id, 0, -notice.refused, go_on)))

    def _is_last(self, notice: _Notice) -> bool:
        """Note the call when it is about a file of the workspace; whether it is the one to kill at."""
        try:
            path = _path(notice)
        except OSError:
            return False
        if not (os.access(path, os.X_OK) if notice.name == "execve" else path.startswith(self.root)):
            return False
        if notice.name == "execve":
            path = _words(notice)
        other = _path(notice, before=True) if notice.name in _BEFORE else ""
        short = [one.removeprefix(self.root).lstrip("/") for one in (path, other)]
        number, call = len(self.calls), Call(notice.name, short[0], other=short[1])
        is_last = isinstance(self.fault, Kill) and self._is_meant(self.fault, number, call)
        if is_last or not isinstance(self.fault, Kill):  # what costs time, where it is looked at
            call = replace(call, size=_size(notice), by=_program(notice))
        if self.note is not None:
            self.note(number, call, _half(notice)[1:] if call.size > 1 else None)
        self.calls.append(call)
        if isinstance(self.fault, Full) and number >= self.fault.number and notice.name in _WANT_ROOM:
            notice.refused = errno.ENOSPC
        if isinstance(self.fault, ReadOnly) and notice.name != "execve" and call.is_in(self.fault.folder):
            notice.refused = errno.EROFS
        return is_last

    def _is_meant(self, kill: Kill, number: int, call: Call) -> bool:
        if not kill.kind:
            return number == kill.number
        self.met += call.kind == kill.kind
        return call.kind == kill.kind and self.met - 1 == kill.nth

    def _stack(self, notice: _Notice) -> str:
        """What the child's Python says of where it is; its call is interrupted for that, and begins anew."""
        os.kill(self.child, signal.SIGUSR1)
        said, ready = b"", select.poll()
        for one in (self.listener, self.told):
            ready.register(one, select.POLLIN)
        while events := dict(ready.poll(500)):
            if self.told in events:
                said += os.read(self.told, 65536)
            if self.listener in events:
                for other in self._notices(ready):
                    if other.name == notice.name and other.arguments == notice.arguments:
                        notice.id, notice.pid = other.id, other.pid
                    else:
                        self._let_go(other)
        return said.decode(errors="replace")

    def _code(self) -> int:
        return _codes.pop(self.child, 70)


_codes: dict[int, int] = {}


def _gone() -> bool:
    """Whether every process below us has ended; those that have are laid to rest."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            return False
        _codes[pid] = os.waitstatus_to_exitcode(status)


def _end_all() -> None:
    """Kill every process below us, those that were orphaned too."""
    while not _gone():
        for pid in _below(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)


def _below(pid: int) -> list[int]:
    found = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                for child in map(int, file.read().split()):
                    found += [child, *_below(child)]
    return found


def _path(notice: _Notice, *, before: bool = False) -> str:
    """The file that the call is about, `before` under its old name; raises OSError where the process is gone."""
    if notice.name in _BY_DESCRIPTOR:
        return os.readlink(f"/proc/{notice.pid}/fd/{notice.arguments[_BY_DESCRIPTOR[notice.name]]}")
    seen_from, at = _BEFORE[notice.name] if before else _BY_PATH[notice.name]
    address = notice.arguments[at]
    path = os.fsdecode(_text(notice.pid, address)) if address else ""
    folder = -100 if seen_from is None else ctypes.c_int(notice.arguments[seen_from] & 0xFFFFFFFF).value
    if path.startswith("/"):
        return os.path.normpath(path)
    base = os.readlink(f"/proc/{notice.pid}/cwd" if folder == -100 else f"/proc/{notice.pid}/fd/{folder}")
    return os.path.normpath(os.path.join(base, path))


def _size(notice: _Notice) -> int:
    if notice.name in ("write", "pwrite64"):
        return notice.arguments[2]
    if notice.name in ("writev", "pwritev", "pwritev2"):
        return sum(size for _, size in _vectors(notice))
    if notice.name == "sendfile":
        return min(notice.arguments[3], os.stat(f"/proc/{notice.pid}/fd/{notice.arguments[1]}").st_size)
    if notice.name == "copy_file_range":
        return min(notice.arguments[4], os.stat(f"/proc/{notice.pid}/fd/{notice.arguments[0]}").st_size)
    return 0


def _vectors(notice: _Notice) -> list[tuple[int, int]]:
    data = _memory(notice.pid, notice.arguments[1], 16 * notice.arguments[2])
    return list(struct.iter_unpack("QQ", data))


def _half(notice: _Notice) -> tuple[int, int, bytes]:
    """The first half of what the call would write: to which descriptor, at which place of the file, and the bytes."""
    size, arguments = _size(notice) // 2, notice.arguments
    into = arguments[2] if notice.name == "copy_file_range" else arguments[0]
    if notice.name in ("sendfile", "copy_file_range"):
        source = arguments[1] if notice.name == "sendfile" else arguments[0]
        with open(f"/proc/{notice.pid}/fd/{source}", "rb") as file:
            data = file.read(size)
    elif notice.name in ("write", "pwrite64"):
        data = _memory(notice.pid, arguments[1], size)
    else:
        data = b"".join(_memory(notice.pid, at, length) for at, length in _vectors(notice))[:size]
    return into, arguments[3] if notice.name.startswith("pwrite") else _place(notice.pid, into), data


def _write_half(notice: _Notice) -> None:
    """Write the first half in the call's place; its process has not gone on, and never will."""
    into, place, data = _half(notice)
    out = os.open(f"/proc/{notice.pid}/fd/{into}", os.O_WRONLY)
    try:
        os.pwrite(out, data, place)
    finally:
        os.close(out)


def _place(pid: int, descriptor: int) -> int:
    """Where in an open file another process writes next."""
    with open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
        told = dict(line.split(":", 1) for line in file if ":" in line)
    appends = int(told["flags"], 8) & os.O_APPEND
    return os.stat(f"/proc/{pid}/fd/{descriptor}").st_size if appends else int(told["pos"])


def _memory(pid: int, address: int, size: int) -> bytes:
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        file.seek(address)
        return file.read(size)


def _words(notice: _Notice) -> str:
    """The command line that is about to be run."""
    words, at = [], notice.arguments[1]
    while address := struct.unpack("Q", _memory(notice.pid, at, 8))[0]:
        words.append(os.fsdecode(_text(notice.pid, address)))
        at += 8
    return " ".join(words)[:120]


def _text(pid: int, address: int) -> bytes:
    """The text that ends with a NUL at `address`; read page by page, for the next may not be there."""
    said = b""
    while b"\0" not in said and len(said) < 1 << 16:
        here = address + len(said)
        said += _memory(pid, here, 4096 - here % 4096)
    return said.split(b"\0")[0]


def _program(notice: _Notice) -> str:
    with open(f"/proc/{notice.pid}/cmdline", "rb") as file:
        words = [os.fsdecode(word) for word in file.read().split(b"\0") if word]
    name = os.path.basename(words[0]) if words else "?"
    return "hitl" if name.startswith("python") else " ".join([name, *words[1:]])[:80]
