"""Whole reports under hard conditions: killed at any moment, without a network, twice over, on hostile folders.

Minutes each, so none of it runs with `make test`; see `make test-faults`, `test-hostile` and `test-determinism`.
"""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup

from tests import hostile
from tests.conftest import CLEAN, ROOT, make

KILLS = 10
SEED = 20
LIMIT = 2 * 2**30  # bytes of memory
TINY = {
    "identities": 24, "fault_share": 0.2, "train_pairs": 30, "validation_pairs": 6, "test_pairs": 4,
    "spectrum_pairs": 4, "stream_pairs": 8, "trial_pairs": 2, "trial_updates": 2, "complexity_filters": [4, 8],
    "complexity_updates": 2, "complexity_pairs": 4, "epochs": 3, "native_models": ["srcnn-9-1-5"],
    "native_epoch_steps": 4, "reader_characters": 128, "tuning_epochs": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The project without its history, data and results, with a tiny profile, sharing this .venv."""
    folder = tmp_path_factory.mktemp("project") / "copy"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", "reports", "data", ".*_cache"))
    shutil.copytree(ROOT / "reports" / "template", folder / "reports" / "template")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    profiles = folder / "notebooks" / "profiles"
    settings = yaml.safe_load((profiles / "ci.yaml").read_text(encoding="utf-8")) | TINY
    (profiles / "tiny.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return folder


def results(run: Path) -> dict[str, object]:
    """What a run found, by file: all tables and JSON files, without what measures time."""
    found: dict[str, object] = {}
    for path in sorted(run.glob("[0-9][0-9]_*/**/*")):
        name = path.relative_to(run).as_posix()
        if path.suffix == ".csv" and path.name != "speeds.csv":
            table = pd.read_csv(path, dtype="string", keep_default_na=False)
            found[name] = table[[column for column in table if "second" not in column]].to_csv(index=False)
        elif path.suffix == ".json":
            content = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(content, dict):
                content = {key: value for key, value in content.items() if "second" not in key}
            found[name] = json.dumps(content)
    return found


def differing_bytes(first: dict[str, object], second: dict[str, object]) -> int:
    """Bytes that differ between two sets of results; a file that one of them lacks counts whole."""
    count = 0
    for name in first.keys() | second.keys():
        one, two = (side.get(name, "").encode() for side in (first, second))
        count += sum(a != b for a, b in zip(one, two, strict=False)) + abs(len(one) - len(two))
    return count


def started(copy: Path, *arguments: str) -> subprocess.Popen:
    """A make in a process group of its own."""
    environment = CLEAN | {"PYTHONPATH": str(copy)}
    with open(copy / "log", "a") as log:
        return subprocess.Popen(
            ["make", *arguments], cwd=copy, env=environment, stdout=log, stderr=log, start_new_session=True
        )


def kill_after(copy: Path, seconds: float, *arguments: str) -> bool:
    """Start make, and kill it and all that it started after so long; whether there was something left to kill."""
    process = started(copy, *arguments)
    try:
        process.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def see_that_all_is_whole(run: Path) -> None:
    """Every file that has its final name can be read to its end."""
    for path in run.rglob("[!.]*"):
        if path.suffix in (".json", ".ipynb"):
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".csv":
            pd.read_csv(path)
        elif path.suffix == ".html":
            assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")


def drawn(copy: Path) -> dict[Path, int]:
    """The files of all cards that are finished, with their dates."""
    finished = {}
    for record in (copy / "data" / "specimens").glob("*/.partial/[0-9]*.json"):
        names = json.loads(record.read_text(encoding="utf-8"))["files"]
        finished |= {path: path.stat().st_mtime_ns for path in (record.parent.parent / name for name in names)}
    return finished


@pytest.mark.faults
def test_a_report_that_was_killed_again_and_again_is_the_same(copy, capfd):
    offline = ["unshare", "-rn"] if subprocess.run(["unshare", "-rn", "true"], check=False).returncode == 0 else []
    reference = subprocess.run(
        [*offline, "make", "report", "PROFILE=tiny", "RUN=reference"],
        cwd=copy, env=CLEAN | {"PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert reference.returncode == 0, reference.stdout + reference.stderr
    shutil.rmtree(copy / "data")

    chance, run = random.Random(SEED), copy / "reports" / "killed"
    target = ("report", "PROFILE=tiny", "RUN=killed")
    finished: dict[Path, int] = {}
    moments, done = [], False
    while len(moments) < KILLS and not done:
        seconds = chance.uniform(3, 14) if len(moments) < 3 else chance.uniform(5, 45)
        if killed := kill_after(copy, seconds, *target):
            last = (copy / "log").read_text(errors="replace").strip().splitlines()[-1:]
            moments.append(f"after {seconds:.1f} s: {' '.join(last)[-70:]}")
            see_that_all_is_whole(run)
            finished |= drawn(copy) | {path: path.stat().st_mtime_ns for path in run.glob("*.ipynb")}
        done = not killed
    make(*target, folder=copy)
    for seconds in (3.0, 4.5):  # while the page is put together
        (run / "report.html").unlink()
        if kill_after(copy, seconds, *target):
            moments.append(f"after {seconds:.1f} s: assembling")
            see_that_all_is_whole(run)
        make(*target, folder=copy)
    see_that_all_is_whole(run)
    redone = [path for path, date in finished.items() if path.stat().st_mtime_ns != date]
    first, second = (results(copy / "reports" / name) for name in ("reference", "killed"))
    with capfd.disabled():
        print(f"\n{len(moments)} kills survived, {len(finished)} finished files kept as they were")
        print(f"{len(first)} result files compared, {differing_bytes(first, second)} bytes differ")
        print(f"the run that was not killed had {'no' if offline else 'a'} network")
        print("\n".join(moments))
    assert len(moments) >= 5 and first and not redone
    assert first == second


@pytest.mark.determinism
def test_two_clean_runs_of_the_ci_profile_agree(copy, capfd):
    found = []
    for name in ("first", "second"):
        shutil.rmtree(copy / "data", ignore_errors=True)
        make("report", "PROFILE=ci", f"RUN={name}", folder=copy)
        found.append(results(copy / "reports" / name))
    with capfd.disabled():
        print(f"\n{len(found[0])} result files compared, {differing_bytes(*found)} bytes differ")
    assert found[0] and found[0] == found[1]


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
        time.sleep(0.3)
    return process.returncode, peak


@pytest.mark.hostile
def test_a_report_on_a_hostile_folder_names_every_file_and_its_copy_gives_none_away(copy, capfd):
    data = copy.parent / "Meier's cards"
    kinds = hostile.write_all(data)
    secret = hostile.planted_secret(data)
    status, peak = watched(lambda: started(copy, "report", "PROFILE=ci", f"DATA={data}", "RUN=hostile", "SHARE=1"))
    assert status == 0, (copy / "log").read_text(errors="replace")[-3000:]
    run = copy / "reports" / "hostile"
    shown, shared = (
        BeautifulSoup((run / name).read_text(encoding="utf-8"), "html.parser")
        for name in ("report.html", "report-share.html")
    )
    assert "<script>alert('name')<" in shown.get_text() and len(shown.find_all("script")) == 1
    text = str(shared)
    for word in (*kinds, data.name, secret, str(Path.home()), socket.gethostname()):
        if len(word) < 4:
            continue  # as a host is called here and there; such a word stands in any page
        assert not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text), word
    with capfd.disabled():
        print(f"\n{len(kinds)} kinds, peak of {peak / 2**30:.2f} GiB")
    assert peak < LIMIT
