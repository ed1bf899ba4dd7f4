"""Refuse images in git: what shows a person's card must never get there, in whatever file.

Looks into all files that git tracks or would add, by their content; `make lint` calls it. Standard library only.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {"reports/example.webp"}  # a page of the report on drawn cards
SIGNS = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|II\*\0|MM\0\*|BM.{4}\0{4}|RIFF.{4}WEBP|%PDF-|8BPS|.{4}jP  "
    rb"|.{4}ftyp(heic|heix|avif|mif1)",
    re.S,
)
# Base64 in the cells of a notebook or in a page.
EMBEDDED = re.compile(
    rb"image/(?:png|jpe?g|webp|gif|tiff|bmp)[\"']?\s*[:;][^,\"']{0,30}[,\"']\s*[\"']?[A-Za-z0-9+/\\n]{200}"
)


def images(root: Path) -> list[str]:
    """The files that are images or hold one, apart from those that are allowed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode(errors="surrogateescape")
    names = {name for name in listed.split("\0") if name and (root / name).is_file()}
    return sorted(name for name in names - ALLOWED if _holds_image((root / name).read_bytes()))


def _holds_image(content: bytes) -> bool:
    return bool(SIGNS.match(content) or EMBEDDED.search(content))


if __name__ == "__main__":
    try:
        found = images(ROOT)
    except (OSError, subprocess.CalledProcessError):
        sys.exit(0)  # no git checkout, so nothing can be added
    for name in found:
        print(f"{name}: holds an image; images of cards must not enter git (allowed: {', '.join(ALLOWED)})")
    sys.exit(bool(found))
