"""Files that appear whole or not at all."""

import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.tmp(\..*)?", re.DOTALL)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and move it there only if the block ends well.

    The temporary name keeps the suffix, because writers choose their format by it, and is short, since `path` may
    have the longest name there can be. Folders are made as needed. Raises whatever the block raises, and then
    leaves `path` as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(6)}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_left_behind(paths: Iterable[Path]) -> None:
    """Remove those of `paths` that `whole` named, and left behind because their process was killed; no others."""
    for path in paths:
        if _TEMPORARY.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_text_if_changed(path: Path, text: str) -> bool:
    """Like `write_text`, but leave a file that says the same alone, so that Make sees no change.

    Returns whether the file was written.
    """
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    write_text(path, text)
    return True


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
