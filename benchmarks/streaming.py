"""Does memory stay put when the number of streamed pairs grows, and what does streaming cost?

`make bench` runs it on the data of the standard profile. Each row is measured in a process of its own, since a
process's peak memory never falls. Where the data set has fewer pairs than a row asks for, they are streamed
again under the same names: that changes neither memory nor speed.
"""

import argparse
import json
import resource
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

from srcnn_lib import batches, pairs

COUNTS = (855, 4060)  # what the original used, and what it had


def measure(folder: Path, count: int) -> dict[str, float]:
    """Stream `count` pairs once, in crops; images/s of decoding alone and of the stream, and peak memory in MiB."""
    index = pairs.index(folder, max_megapixels=100).pairs
    low, high = ([folder / file for file in islice(cycle(index[side]), count)] for side in ("low", "high"))
    decoding = batches.decoding_speed([*low[:400], *high[:400]])
    stream = batches.Shuffled(batches.Files(low, high), batch_size=10, seed=0, crop_size=64)
    streaming = batches.speed(stream.from_epoch(0), stream.steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {"pairs": count, "decoding images/s": decoding, "streaming images/s": streaming, "peak MiB": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds blurred_images and sharpened_images")
    parser.add_argument("--count", type=int, help="measure this one number of pairs, and print JSON")
    arguments = parser.parse_args()
    if arguments.count:
        print(json.dumps(measure(arguments.folder, arguments.count)))
        return
    rows = []
    for count in COUNTS:
        command = [sys.executable, __file__, str(arguments.folder), "--count", str(count)]
        rows.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        print("  ".join(f"{name}: {value:,.0f}" for name, value in rows[-1].items()), flush=True)
    few, many = rows
    print(f"memory, {many['pairs']} pairs against {few['pairs']}: {many['peak MiB'] / few['peak MiB']:.2f} times")
    print(f"streaming against decoding: {many['streaming images/s'] / many['decoding images/s']:.2f} times the speed")


if __name__ == "__main__":
    main()
