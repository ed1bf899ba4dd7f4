"""What a run was made of: enough to make it again, and to know what to compare it with."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from srcnn_lib.files import ROOT

PACKAGES = (
    "tensorflow",
    "keras",
    "numpy",
    "opencv-python",
    "pandas",
    "seaborn",
    "scikit-image",
    "papermill",
    "nbconvert",
    "jupytext",
    "jupyterlab",
)


def collect() -> dict[str, str]:
    """Commit, lock file, versions and machine, as names and values for people to read."""
    return {
        "commit": _commit(),
        "requirements.lock": "SHA-256 " + hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest(),
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
        "device": _device(),
        "operating system": f"{platform.system()} {platform.release()}",
    }


def _commit() -> str:
    """The commit the run was made from, marked where files differ from it."""
    try:
        commit, changes = (
            subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown (not a git checkout)"
    return commit + (" with uncommitted changes" if changes else "")


def _device() -> str:
    return f"{_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
