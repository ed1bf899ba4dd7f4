"""One at a time: a lock that the system takes back when the last process that holds it ends, however it ends.

`python srcnn_lib/locking.py FILE COMMAND…` waits for the lock FILE and becomes COMMAND. All that COMMAND starts
inherits the open file, so that the lock outlives a make that was killed as long as something of it still writes. Needs
nothing beyond the standard library.
"""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def acquire(file: Path, waiting: Callable[[str], object]) -> int:
    """Take the lock `file`, and return its descriptor; closing it gives the lock back.

    Where another process holds it, `waiting` is called with that process' number, and then the wait begins.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting(os.pread(descriptor, 20, 0).decode())
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


@contextmanager
def held(file: Path, waiting: Callable[[str], object] = lambda holder: None) -> Iterator[None]:
    """Hold the lock `file` during a block."""
    descriptor = acquire(file, waiting)
    try:
        yield
    finally:
        os.close(descriptor)


def main(file: str, *command: str) -> None:
    """Hold the lock `file` as long as `command`, and whatever it starts, runs."""

    def say(holder: str) -> None:
        print(f"{file} is held by process {holder}: waiting until that make has ended (Ctrl-C stops the waiting)")
        sys.stdout.flush()

    try:
        descriptor = acquire(Path(file), say)
    except OSError as error:
        sys.exit(f"error: {file}: cannot be locked ({error.strerror})")
    except KeyboardInterrupt:
        sys.exit(130)
    os.set_inheritable(descriptor, True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
