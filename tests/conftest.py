"""What several test files share: small drawn folders of pairs, and how `make` is called."""

import os
import subprocess
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
