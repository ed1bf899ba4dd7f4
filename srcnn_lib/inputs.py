"""What a run is made from: a checked profile and a data folder, recorded in `run.yaml`."""

import hashlib
import os
from pathlib import Path

import yaml

from srcnn_lib import settings, specimens
from srcnn_lib.errors import DataError
from srcnn_lib.files import ROOT, write_text_if_changed
from srcnn_lib.pairs import SIDES


def prepare(folder: Path, *, profile: str, data: str | None) -> bool:
    """Check the profile, see that there is data, and record both in `<folder>/run.yaml`.

    Without `data` the default data set is drawn where it is missing. The record is rewritten only
    when it says something new, so that Make re-runs notebooks only then; returns whether it was.

    Raises
    ------
    srcnn_lib.settings.SettingsError
        For a profile with unknown keys or impossible values.
    DataError
        If `data` lacks one of the two folders.
    """
    chosen = settings.load(settings.PROFILES / f"{profile}.yaml")
    data_folder = Path(data) if data else specimens.provide(identities=chosen.identities, seed=chosen.seed)
    record = {
        "run": Path(folder).name,
        "profile": profile,
        "data": {"drawn": not data, **_survey(data_folder)},
        "settings": chosen.model_dump(),
    }
    text = yaml.safe_dump(record, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    return write_text_if_changed(Path(folder) / "run.yaml", text)


def _survey(folder: Path) -> dict:
    """Name, size and date of every file, condensed: cheap enough to look at on every `make`."""
    missing = [side for side in SIDES if not (folder / side).is_dir()]
    if missing:
        raise DataError(
            f"{folder}: expected the folders {' and '.join(SIDES)}, but there is no {' and no '.join(missing)}"
        )
    files = [entry for side in SIDES for entry in sorted(os.scandir(folder / side), key=lambda entry: entry.name)]
    digest = hashlib.sha256()
    for entry in files:
        status = entry.stat(follow_symlinks=False)
        digest.update(
            os.fsencode(f"{Path(entry.path).parent.name}/{entry.name}:{status.st_size}:{status.st_mtime_ns}\n")
        )
    return {
        "folder": Path(os.path.relpath(folder.resolve(), ROOT)).as_posix(),
        "files": len(files),
        "fingerprint": digest.hexdigest(),
    }
