import os
import signal
import subprocess
import sys
import time

import pytest

from srcnn_lib import locking
from tests.conftest import ROOT


@pytest.fixture
def start(tmp_path):
    """A function that starts a command which holds the lock, and ends it in the end."""
    script, running = ROOT / "srcnn_lib" / "locking.py", []

    def start(*command):
        arguments = [sys.executable, script, tmp_path / "lock", *command]
        running.append(subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_a_second_one_waits_as_long_as_anything_of_the_first_runs(start):
    first = start("sh", "-c", "sleep 60 & echo $!; wait")
    child = int(first.stdout.readline())
    second = start("echo", "mine")
    assert f"held by process {first.pid}: waiting" in second.stdout.readline()
    first.kill()
    time.sleep(0.3)
    assert second.poll() is None, "what the first one started may still write"
    os.kill(child, signal.SIGKILL)
    assert second.stdout.readline() == "mine\n" and second.wait() == 0


def test_the_lock_of_what_was_killed_is_free(start, tmp_path):
    first = start("sh", "-c", "echo started; exec sleep 60")
    first.stdout.readline()
    first.kill()
    first.wait()
    waited = []
    with locking.held(tmp_path / "lock", waited.append):
        assert not waited and (tmp_path / "lock").read_text() == str(os.getpid())


def test_different_locks_are_held_side_by_side(tmp_path):
    with locking.held(tmp_path / "a"), locking.held(tmp_path / "b"):
        pass


def test_a_lock_that_cannot_be_made_is_said_in_a_line(tmp_path):
    (tmp_path / "file").touch()
    command = [sys.executable, ROOT / "srcnn_lib" / "locking.py", tmp_path / "file" / "lock", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "cannot be locked" in done.stderr and "Traceback" not in done.stderr
