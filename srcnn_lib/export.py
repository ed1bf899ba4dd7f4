"""What `make weights` does: the networks of a finished run become the files that `enhancer` uses."""

import hashlib
from datetime import date
from functools import partial
from pathlib import Path

import keras
import nbformat
import numpy as np

from srcnn_lib import comparison, evaluation, models, training
from srcnn_lib.enhancer import WEIGHTS
from srcnn_lib.errors import RunError
from srcnn_lib.files import whole, write_json
from srcnn_lib.runs import Run

NETWORKS = {"house": "house", "srcnn": "srcnn-9-1-5"}
"""What the enhancer calls them, and their names in the registry."""


def weights(run: Run, folder: Path = WEIGHTS) -> list[Path]:
    """Write the networks of section 2.7's native track as ONNX, and `weights.json`; returns the files.

    `weights.json` says what each was made from, and how it scores on all test cards (see `comparison.against`).

    Raises RunError if the run has not trained them, or if tf2onnx is not installed.
    """
    provenance = nbformat.read(run.existing("06_training.ipynb"), as_version=4).metadata["provenance"]
    settings = run.inputs["settings"]
    recipe = {name: value for name, value in settings.items() if name.startswith("native_") or name == "seed"}
    networks = {
        name: training.load(run.existing(f"06_training/native/{registered}.keras"))
        for name, registered in NETWORKS.items()
    }
    scores = _scores(run, networks)
    made, written = {}, []
    for name, registered in NETWORKS.items():
        network = networks[name]
        file = folder / f"{name}.onnx"
        _write_onnx(network, file)
        cost = models.cost(models.build(registered))
        made[name] = {
            "file": file.name,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "reach": cost["receptive field"] // 2,
            **cost,
            "network": registered,
            "recipe": recipe,
            "test": scores[name] | {"untouched": scores[evaluation.UNTOUCHED]["figure"]},
            "data_sha256": run.read_json("01_inspection/summary.json")["data_sha256"],
            "commit": provenance["commit"],
            "date": date.today().isoformat(),
        }
        written.append(file)
    write_json(folder / "weights.json", made)
    return written


def _scores(run: Run, networks: dict[str, keras.Model]) -> dict[str, dict[str, float]]:
    index = run.read_table("01_inspection/pairs.csv").merge(run.read_table("03_split/split.csv"), on="name")
    methods = {evaluation.UNTOUCHED: lambda image: image}
    methods |= {name: partial(evaluation.predict, network) for name, network in networks.items()}
    scores = evaluation.score(
        evaluation.pool(index, "test"), evaluation.unsquashed(run.data_folder, index), methods
    ).query("truth == 'sharp file'")
    seed = run.inputs["settings"]["seed"]
    compared = comparison.against(scores, evaluation.UNTOUCHED, "psnr", seed=seed).set_index("method")
    return compared.drop(columns="p").round(4).to_dict("index")


def _write_onnx(network: keras.Model, file: Path) -> None:
    try:
        import tf2onnx  # noqa: F401  what Keras exports with
    except ImportError:
        raise RunError("tf2onnx is not installed: `make weights` installs it") from None
    network(np.zeros((1, 64, 64, network.input_shape[-1]), np.float32))  # Keras exports only what has been called
    with whole(file) as temporary:
        network.export(temporary, format="onnx", verbose=False)
