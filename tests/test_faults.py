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
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup

from srcnn_lib import graph
from srcnn_lib.pairs import SIDES
from srcnn_lib.runs import Run
from tests import hostile
from tests.conftest import CLEAN, LIMIT, ROOT, make, watched

KILLS = 10  # at least: one is aimed at the drawing of cards, one at each notebook, and two at assembling the page
SEED = 20
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
            if path.name == "map.csv":
                table = table[~table["here"].str.contains("speed of decoding")]
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


def kill_after(copy: Path, said: str, seconds: float, *arguments: str) -> bool:
    """Start make, and kill it and all that it started so long after it `said` something ("": after its start).

    Returns whether there was something left to kill.
    """
    before = (copy / "log").stat().st_size if (copy / "log").exists() else 0
    process = started(copy, *arguments)
    while said.encode() not in (copy / "log").read_bytes()[before:] and process.poll() is None:
        time.sleep(0.05)
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


@pytest.fixture(scope="module")
def reference(copy) -> bool:
    """Make a report that nothing disturbs; whether it had no network, which only some machines can take away."""
    offline = ["unshare", "-rn"]
    cut_off = shutil.which("unshare") and subprocess.run([*offline, "true"], check=False).returncode == 0
    done = subprocess.run(
        [*(offline if cut_off else []), "make", "report", "PROFILE=tiny", "RUN=reference"],
        cwd=copy, env=CLEAN | {"PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return bool(cut_off)


@pytest.mark.faults
def test_a_report_needs_no_network(reference):
    if not reference:
        pytest.skip("this machine lets nobody cut off the network (unshare -rn): the report was made with one")


@pytest.mark.faults
def test_a_report_that_was_killed_again_and_again_is_the_same(copy, reference, capfd):
    shutil.rmtree(copy / "data")
    chance, run = random.Random(SEED), copy / "reports" / "killed"
    target = ("report", "PROFILE=tiny", "RUN=killed")
    finished: dict[Path, int] = {}
    moments = []

    def kill(what: str, said: str, longest: float) -> None:
        """Kill the report at a random moment after it said something; what had been finished is noted."""
        seconds = chance.uniform(0, longest)
        if kill_after(copy, said, seconds, *target):
            last = (copy / "log").read_text(errors="replace").strip().splitlines()[-1:]
            moments.append(f"{what}, after {seconds:.1f} s: {' '.join(last)[-70:]}")
        see_that_all_is_whole(run)
        finished.update(drawn(copy) | {path: path.stat().st_mtime_ns for path in run.glob("[!.]*.ipynb")})

    kill("while cards are drawn", "drawing cards", longest=3)
    for source in graph.notebooks():  # in the order in which one process makes them
        executed = nbformat.read(copy / "reports" / "reference" / f"{source.stem}.ipynb", as_version=4)
        kill(source.stem, f"[{source.stem}] started", longest=0.8 * executed.metadata.papermill.duration)
        make(f"reports/killed/{source.stem}.ipynb", *target[1:], folder=copy)
    began = time.monotonic()
    make(*target, folder=copy)
    assembling = time.monotonic() - began
    for share in (0.5, 0.8):
        (run / "report.html").unlink()
        if kill_after(copy, "", share * assembling, *target):
            moments.append(f"assembling, after {share * assembling:.1f} s")
            see_that_all_is_whole(run)
        make(*target, folder=copy)
    see_that_all_is_whole(run)
    redone = [path for path, date in finished.items() if path.stat().st_mtime_ns != date]
    first, second = (results(copy / "reports" / name) for name in ("reference", "killed"))
    with capfd.disabled():
        print(f"\n{len(moments)} kills survived, {len(finished)} finished files kept as they were")
        print(f"{len(first)} result files compared, {differing_bytes(first, second)} bytes differ")
        print(f"the run that was not killed had {'no' if reference else 'a'} network")
        print("\n".join(moments))
    assert len(moments) >= KILLS and first and not redone
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


def spaced(text: str) -> str:
    """Text as a browser shows it: white space is one space."""
    return " ".join(text.split())


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
    assert "<script>alert('name')<" in shown.main.get_text() and not shown.main.find_all("script")
    index, set_aside = (Run(run).read_table(f"01_inspection/{name}.csv") for name in ("pairs", "set_aside"))
    accounted = [*index["low"], *index["high"], *set_aside["file"]]
    assert len(accounted) == len(set(accounted)) == sum(len(os.listdir(data / side)) for side in SIDES)
    (listed,) = (table for table in shown.find_all("table") if "Files set aside" in table.caption.get_text())
    rows = [tuple(spaced(cell.get_text()) for cell in row.find_all("td")) for row in listed.tbody.find_all("tr")]
    assert rows == [(spaced(row.file), spaced(row.reason)) for row in set_aside.itertuples()]
    text = str(shared)
    for word in (*kinds, data.name, secret, str(Path.home()), socket.gethostname()):
        if len(word) < 4:
            continue  # as a host is called here and there; such a word stands in any page
        assert not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text), word
    with capfd.disabled():
        print(f"\n{len(kinds)} kinds, peak of {peak / 2**30:.2f} GiB")
    assert peak < LIMIT
