"""What several test files share: small drawn folders of pairs."""

from pathlib import Path

import numpy as np
import pytest

from srcnn_lib import images

ROOT = Path(__file__).resolve().parent.parent


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
