"""What a run is made from: a checked profile and a data folder, recorded in `run.yaml`.

Beside it, `inputs/<notebook>.yaml` says the same of one notebook: data, lock and the settings that it names. Make looks
at these, so that a change of one setting re-runs only the notebooks that use it, and what follows.
"""

import hashlib
import logging
import os
from pathlib import Path

import yaml

from srcnn_lib import graph, locking, settings, specimens
from srcnn_lib.errors import DataError
from srcnn_lib.files import ROOT, remove_left_behind, write_text_if_changed
from srcnn_lib.pairs import SIDES

_LOG = logging.getLogger(__name__)


def prepare(folder: Path, *, profile: str, data: str | None) -> bool:
    """Check the profile, see that there is data, and record both in `<folder>`.

    Without `data` the default data set is drawn where it is missing. Records are rewritten only when they say something
    new, so that Make re-runs notebooks only then; returns whether `run.yaml` was.

    Raises
    ------
    srcnn_lib.settings.SettingsError
        For a profile with unknown keys or impossible values.
    DataError
        If `data` lacks one of the two folders.
    """
    folder = Path(folder)
    chosen = settings.load(settings.PROFILES / f"{profile}.yaml")
    data_folder = Path(data).expanduser() if data else _drawn(chosen)
    record = {
        "run": folder.name,
        "profile": profile,
        "data": {"drawn": not data, **_survey(data_folder)},
        "lock": hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest(),
        "settings": chosen.model_dump(),
    }
    lab = folder / "lab"  # where a person may be writing
    remove_left_behind(path for path in folder.rglob(".*") if not path.is_relative_to(lab))
    for source in graph.notebooks():
        used = {name: value for name, value in record["settings"].items() if name in graph.parameters(source)}
        write_text_if_changed(folder / "inputs" / f"{source.stem}.yaml", _text(record | {"settings": used}))
    return write_text_if_changed(folder / "run.yaml", _text(record))


def _text(record: dict) -> str:
    return yaml.safe_dump(record, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)


def _drawn(chosen: settings.Settings) -> Path:
    wanted = chosen.train_pairs + chosen.validation_pairs + chosen.test_pairs
    if wanted > 2 * chosen.identities:
        raise DataError(
            f"the profile's 'identities': {chosen.identities} numbers give {2 * chosen.identities} pairs, "
            f"but train, validation and test ask for {wanted}"
        )
    lock = ROOT / "data" / "specimens" / ".lock"
    with locking.held(lock, lambda holder: _LOG.warning("waiting: process %s draws cards", holder)):
        return specimens.provide(
            identities=chosen.identities, seed=chosen.seed, fault_share=chosen.fault_share, fonts=chosen.font_folders
        )


def _survey(folder: Path) -> dict:
    """Name, size and date of every file, condensed: cheap enough to look at on every `make`."""
    missing = [side for side in SIDES if not (folder / side).is_dir()]
    if missing:
        raise DataError(
            f"{folder}: expected the folders {' and '.join(SIDES)}, but there is no {' and no '.join(missing)}"
        )
    files = [path for side in SIDES for path in sorted((folder / side).iterdir()) if not path.name.startswith(".")]
    digest = hashlib.sha256()
    for path in files:
        status = path.stat() if path.exists() else path.lstat()  # a link that leads nowhere is inspected later
        line = f"{path.parent.name}/{path.name}:{status.st_size}:{status.st_mtime_ns}\n"
        digest.update(os.fsencode(line))
    return {
        "folder": Path(os.path.relpath(folder.resolve(), ROOT)).as_posix(),
        "files": len(files),
        "fingerprint": digest.hexdigest(),
    }
