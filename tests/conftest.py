"""What several test files share: small drawn folders of pairs, and how `make` is called."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from srcnn_lib import images

hypothesis.settings.register_profile("project", deadline=None)  # a busy machine is no fault
hypothesis.settings.load_profile("project")

ROOT = Path(__file__).resolve().parent.parent
# What `make test` itself was called with must not reach the runs below.
CLEAN = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def make(*arguments, check=True, folder=ROOT) -> subprocess.CompletedProcess:
    environment = CLEAN | {"PYTHONPATH": str(folder)}
    done = subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, env=environment)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


LIMIT = 2 * 2**30
"""Bytes of memory that nothing may take, whatever the files are."""


def tree_memory(pid: int) -> int:
    """Bytes that a process and all its descendants hold, shared pages counted once (Linux)."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            children.setdefault(int(status.read_text().rpartition(")")[2].split()[1]), []).append(
                int(status.parent.name)
            )
        except OSError:  # it has ended
            continue
    total, waiting = 0, [pid]
    while waiting:
        current = waiting.pop()
        waiting += children.get(current, [])
        try:
            total += 1024 * int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{current}/smaps_rollup").read_text(), re.M)[1])
        except (OSError, TypeError):
            continue
    return total


def watched(action: Callable[[], subprocess.Popen]) -> tuple[int, int]:
    """Exit status and peak memory of the process tree that `action` starts."""
    process, peak = action(), 0
    while process.poll() is None:
        peak = max(peak, tree_memory(process.pid))
        time.sleep(0.1)
    return process.returncode, peak


def pytest_collection_modifyitems(items):
    """The report takes longest: where tests run side by side, it comes first."""
    items.sort(key=lambda item: item.path.name != "test_report.py")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def make_pairs(tmp_path, rng):
    """A function that writes pairs of small images with given stems, and returns their folder."""

    def make(stems, suffix=".png", size=(48, 64)) -> Path:
        for stem in stems:
            sharp = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            images.write(tmp_path / "sharpened_images" / f"{stem}{suffix}", sharp)
            images.write(tmp_path / "blurred_images" / f"{stem}{suffix}", sharp // 2 + 60)
        return tmp_path

    return make
