"""How fast is the enhancer, beside Keras, OpenCV and scikit-image on the same image? And how much memory does it take?

`make bench-enhance` runs it. Every turn lets each method enhance the same image once; printed are the medians over the
turns, and how many times as fast as Keras' `predict` of SRCNN that is. Start-up and memory are measured in processes of
their own.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from srcnn_lib import enhancer

TURNS = 5
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

    return found | {
        "OpenCV dnn, srcnn": with_opencv,
        "OpenCV non-local means": lambda: preprocess.denoise(image),
        "scikit-image Richardson-Lucy, 10 rounds": lambda: preprocess.richardson_lucy(image, sigma=1.0),
    }


def start_up() -> float:
    """Seconds from nothing to a first small result, in a new process."""
    code = "import numpy, srcnn_lib; srcnn_lib.enhance(numpy.zeros((64, 64, 3), numpy.uint8))"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def peak(megapixels: int) -> tuple[float, float]:
    """Peak memory in MiB and seconds of enhancing one image, in a new process."""
    done = subprocess.run(
        [sys.executable, __file__, "--memory", str(megapixels)], capture_output=True, text=True, check=True
    )
    memory, seconds = done.stdout.split()
    return float(memory), float(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=int, help="enhance one image of so many megapixels; print peak MiB, seconds")
    arguments = parser.parse_args()
    rng = np.random.default_rng(1)
    if arguments.memory:
        side = int((arguments.memory * 1e6) ** 0.5)
        image = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        began = time.perf_counter()
        enhancer.enhance(image)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        print(memory, time.perf_counter() - began)
        return
    print(f"start to first result: {min(start_up() for _ in range(3)):.2f} s")
    for megapixels in (1, 12, 50, 100):
        memory, seconds = peak(megapixels)
        print(f"{megapixels} megapixels: peak {memory:.0f} MiB, {seconds:.1f} s")
    compared = methods(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    for run in compared.values():
        run()  # traces, compiles, loads
    rows = []
    for _ in range(TURNS):
        for name, run in compared.items():
            began = time.perf_counter()
            run()
            rows.append({"method": name, "seconds": time.perf_counter() - began})
    medians = pd.DataFrame(rows).groupby("method", sort=False)["seconds"].median()
    table = pd.DataFrame({"megapixels/s": SIDE**2 / 1e6 / medians, "times as fast": medians[BASE] / medians})
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
