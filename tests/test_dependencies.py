"""pyproject.toml, requirements.lock and environment.yml say the same."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from tests.conftest import ROOT

BUILT_ON = {"jupyterlab", "tensorflow", "opencv-python", "pandas", "seaborn", "papermill", "nbconvert", "jupytext"}


@pytest.fixture(scope="module")
def direct() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


@pytest.fixture(scope="module")
def locked() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / "requirements.lock").read_text(), re.M):
        found.setdefault(name, set()).add(version)
    return found


def test_direct_dependencies_are_locked_within_their_bounds(direct, locked):
    assert direct.keys() >= BUILT_ON
    for name, requirement in direct.items():
        assert locked.get(name), f"{name} is not in requirements.lock"
        for version in locked[name]:
            assert Version(version) in requirement.specifier, f"{name} {version}"


def test_conda_environment_has_the_locked_versions(direct, locked):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    pinned = dict(line.split("==") for line in pip)
    assert pinned.keys() == direct.keys()
    for name, version in pinned.items():
        assert version in locked[name], f"{name} {version}"


def test_every_locked_package_is_hashed_and_no_index_is_named():
    text = (ROOT / "requirements.lock").read_text()
    packages = re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:]
    assert len(packages) > 100
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text and "--index" not in text and "--find-links" not in text


def test_cv2_has_one_owner():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    owners = [line for line in lines if line.startswith("opencv") and "sys_platform == 'never'" not in line]
    assert len(owners) == 1 and owners[0].startswith("opencv-python==")
