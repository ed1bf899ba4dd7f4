"""How fast is the enhancer, beside Keras, OpenCV and scikit-image on the same image? And how much memory does it take?

`make bench-enhance` runs it. Every turn lets each method enhance the same image once; printed are the medians over the
turns, once by the clock and once by the processor time of all threads (which other work on the machine hardly changes),
and how many times as fast as Keras' `predict` of SRCNN these are. Start-up and memory are measured on the command
itself, in processes of their own. OpenVINO takes part where it is installed. What came out is kept in
`srcnn_lib/records/enhancer.json` for the report, unless a part was left out.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from srcnn_lib import enhancer, photos, records
from srcnn_lib.files import write_json

SIDE = 1024  # pixels
BASE = "Keras predict, SRCNN 9-1-5"


def methods(image: np.ndarray) -> dict[str, Callable[[], object]]:
    """What is compared, ready to run on `image`, uint8 RGB (H, W, 3)."""
    import cv2

    from srcnn_lib import models, preprocess

    network = models.build("srcnn-9-1-5")
    batch = image[None].astype(np.float32) / 255
    found = {BASE: lambda: network.predict(batch, verbose=0)}
    for name in enhancer.models():
        found[f"enhancer, {name}"] = lambda name=name: enhancer.enhance(image, model=name)
    dnn = cv2.dnn.readNetFromONNX(str(enhancer.WEIGHTS / enhancer.models()["srcnn"]["file"]))

    def with_opencv() -> np.ndarray:
        dnn.setInput(batch)
        return dnn.forward()

    return (
        found
        | with_openvino(batch)
        | {
            "OpenCV dnn, srcnn": with_opencv,
            "OpenCV non-local means": lambda: preprocess.denoise(image),
            "scikit-image Richardson-Lucy, 10 rounds": lambda: preprocess.richardson_lucy(image, sigma=1.0),
        }
    )


def with_openvino(batch: np.ndarray) -> dict[str, Callable[[], object]]:
    """The enhancer's files run by OpenVINO, float32 as ONNX Runtime computes; nothing where it is not installed."""
    try:
        import openvino
    except ImportError:
        return {}
    core = openvino.Core()
    found = {}
    for name, known in enhancer.models().items():
        model = core.read_model(enhancer.WEIGHTS / known["file"])
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found[f"OpenVINO, {name}"] = lambda compiled=compiled: compiled([batch])
    return found


# The system counts to a new process what the one that starts it held at most, so a small one stands between.
BETWEEN = """
import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def run_command(*arguments: str | Path) -> tuple[float, float]:
    """Seconds and peak memory in MiB of `python -m srcnn_lib enhance`, which is one process.

    It runs as a user calls it, without what the Makefile tells malloc for the sake of TensorFlow.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", BETWEEN, sys.executable, "-m", "srcnn_lib", "enhance", *map(str, arguments)]
    seconds, peak = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=plain).stdout.split()
    return float(seconds), float(peak) / (2**20 if sys.platform == "darwin" else 2**10)


def write_photo(path: Path, megapixels: float, *, deep: bool = False) -> None:
    """An image of coloured patches with grain, 4 by 3, of sixteen bits if `deep`."""
    rng = np.random.default_rng(1)
    size = round((megapixels * 1e6 * 4 / 3) ** 0.5), round((megapixels * 1e6 * 3 / 4) ** 0.5)
    patches = Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    grain = rng.integers(0, 24, (256, 256, 3), dtype=np.uint8)
    pixels = np.array(patches.resize(size, Image.Resampling.BILINEAR))
    for top in range(0, size[1], 256):
        for left in range(0, size[0], 256):
            part = pixels[top : top + 256, left : left + 256]
            part += np.minimum(grain[: part.shape[0], : part.shape[1]], 255 - part)
    if deep:
        pixels = pixels.astype(np.uint16) * 257
        photos.write(path, photos.Photo(pixels, "PNG" if path.suffix == ".png" else "TIFF", False, None, None), pixels)
    else:
        Image.fromarray(pixels).save(path)


# Format, whether of sixteen bits, network, and the largest size in megapixels. What a network takes grows with
# the image only up to the size of a tile, so that the slow one need not see large ones.
MEASURED = (
    ("jpg", False, enhancer.DEFAULT, np.inf),
    ("png", False, enhancer.DEFAULT, np.inf),
    ("png", True, enhancer.DEFAULT, np.inf),
    ("tif", True, enhancer.DEFAULT, np.inf),
    ("jpg", False, "house-large", 12),
)


def curve(megapixels: list[float]) -> pd.DataFrame:
    """Seconds and peak memory of the command for images of several sizes and kinds, see `MEASURED`."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in megapixels:
            for kind, deep, model, largest in MEASURED:
                if size > largest:
                    continue
                photo = Path(folder) / f"{size:g}.{kind}"
                write_photo(photo, size, deep=deep)
                seconds, memory = run_command(photo, "-o", Path(folder) / "out", "--model", model, "--force")
                bits = ", 16 bits" if deep else ""
                row = {"megapixels": size, "format": kind + bits, "network": model}
                rows.append(row | {"peak, MiB": memory, "seconds": seconds})
    return pd.DataFrame(rows)


def speed(turns: int) -> pd.DataFrame:
    """Seconds of every method on one image, and how many times as fast as `BASE` it is."""
    rng = np.random.default_rng(1)
    compared = methods(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    for run in compared.values():
        run()  # traces, compiles, loads
    rows = []
    for _ in range(turns):
        for name, run in compared.items():
            began = time.perf_counter(), time.process_time()
            run()
            rows.append({"method": name, "clock": time.perf_counter() - began[0]})
            rows[-1]["processor"] = time.process_time() - began[1]
    seconds = pd.DataFrame(rows).groupby("method", sort=False).median()
    table = seconds.add_prefix("seconds, ")
    table["megapixels/s"] = SIDE**2 / 1e6 / seconds["clock"]
    for kind in seconds:
        table[f"times as fast, {kind}"] = seconds.loc[BASE, kind] / seconds[kind]
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--megapixels", type=float, nargs="*", default=[0.4, 3, 12, 50, 100], help="for the memory")
    arguments = parser.parse_args()
    speeds = speed(arguments.turns).reset_index() if arguments.turns else pd.DataFrame()
    if len(speeds):
        print(speeds.round(3).to_string(index=False))
    with tempfile.TemporaryDirectory() as folder:
        write_photo(Path(folder) / "a.jpg", 0.1)
        starts = [run_command(Path(folder) / "a.jpg", "-o", Path(folder) / str(turn))[0] for turn in range(5)]
    print(f"from the command to the first result, of 0.1 megapixels: {min(starts):.2f} to {max(starts):.2f} s")
    memory = curve(arguments.megapixels) if arguments.megapixels else pd.DataFrame()
    if len(memory):
        print(memory.round(1).to_string(index=False))
    if len(speeds) and len(memory):
        write_json(records.FOLDER / "enhancer.json", record(speeds, starts, memory))


def record(speeds: pd.DataFrame, starts: list[float], memory: pd.DataFrame) -> dict:
    """What is kept: seconds, MiB and megapixels as the columns say, and of which files, when and where."""
    return {
        **enhancer.measured_now(),
        "side_pixels": SIDE,
        "start_seconds": sorted(starts),
        "speed": speeds.round(4).to_dict("records"),
        "memory": memory.round(2).to_dict("records"),
    }


if __name__ == "__main__":
    main()
