"""The enhancer on a folder of many kinds of images, as one comes to it with.

`make check-enhance CARDS=folder PAGES=folder` runs it: cards degraded by the project's own functions, scanned pages,
and drawn photographs as phones take them, in many formats. It fails where the command fails, or where an output differs
from its input in size, format, mode or profile. The page with before and after stays for looking at.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from srcnn_lib import images, stress
from srcnn_lib.specimens import degradations

PAGES = 12
PHONE = 4032, 3024  # pixels


def build(folder: Path, cards: Path, pages: Path) -> None:
    """Write the folder, in formats, modes and with profiles that take turns."""
    rng = np.random.default_rng(1)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for strength, (number, card) in zip((0.3, 0.7, 1.0, 0.5), enumerate(_images(cards)), strict=False):
        low = degradations.apply(card, degradations.recipe(rng, strength))
        modes = ("RGB", "CMYK", "L", "RGBA")
        _save(folder / "cards" / f"{number}.tif", low, modes[number % 4], profile if number % 4 == 0 else None)
        _save(folder / "cards" / f"{number}.jpg", low, "RGB", profile)
    for number, page in zip(range(PAGES), _images(pages), strict=False):
        _save(folder / "pages" / f"{number}.{('png', 'webp')[number % 2]}", page, "RGB" if number % 2 else "L")
    for number, card in zip(range(2), _images(cards), strict=False):
        exif = Image.Exif()
        exif[274], exif[271] = (1, 6)[number], "a phone"
        _save(folder / "phone" / f"{number}.jpg", photograph(card, rng), "RGB", profile, exif=exif, quality=88)


def photograph(card: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A card that lies on a table, out of focus: uint8 RGB of 12 megapixels."""
    width, height = PHONE
    table = Image.fromarray(rng.integers(70, 140, (9, 12, 3), dtype=np.uint8)).resize(PHONE, Image.Resampling.BICUBIC)
    lying = Image.fromarray(card).convert("RGBA")
    lying = lying.resize((width * 2 // 3, round(width * 2 / 3 * card.shape[0] / card.shape[1])))
    lying.thumbnail((width * 2 // 3, height * 2 // 3))
    lying = lying.rotate(float(rng.uniform(-8, 8)), expand=True, resample=Image.Resampling.BICUBIC)
    table.paste(lying, ((width - lying.width) // 2, (height - lying.height) // 2), lying)
    return degradations.apply(np.array(table), degradations.recipe(rng, 0.7, letter=stress.LETTER))


def differences(folder: Path, out: Path) -> Iterator[str]:
    """What is otherwise than it should be in the outputs."""
    for source in sorted(file for file in folder.rglob("*") if file.is_file()):
        target = out / source.relative_to(folder)
        if not target.exists():
            yield f"{target} is missing"
            continue
        with Image.open(source) as before, Image.open(target) as after:
            turned = before.getexif().get(274, 1) > 4
            size = before.size[::-1] if turned else before.size
            wanted = (before.format, before.mode, size, before.info.get("icc_profile"))
            got = (after.format, after.mode, after.size, after.info.get("icc_profile"))
        if wanted != got:
            yield f"{target}: expected {wanted[:3]} and the profile, found {got[:3]}"


def _images(folder: Path) -> Iterator[np.ndarray]:
    return (images.read(file) for file in sorted(folder.iterdir()) if file.suffix.lower() in (".png", ".jpg"))


def _save(path: Path, pixels: np.ndarray, mode: str, profile: bytes | None = None, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path, icc_profile=profile, **options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cards", type=Path, help="folder of sharp cards")
    parser.add_argument("pages", type=Path, help="folder of noisy pages")
    parser.add_argument("--folder", type=Path, default=Path("reports/mixed-folder"), help="where all of it goes")
    arguments = parser.parse_args()
    before, after = arguments.folder / "before", arguments.folder / "after"
    build(before, arguments.cards, arguments.pages)
    command = [sys.executable, "-m", "srcnn_lib", "enhance", before, "-o", after, "--force", "--compare"]
    done = subprocess.run(command)
    if done.returncode:
        sys.exit(done.returncode)
    wrong = list(differences(before, after))
    print("\n".join(wrong) or f"all as it should be; to be looked at: {after / 'compare.html'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
