"""What `make weights` does: the networks of a finished run become the files that `enhancer` uses."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path

import keras
import nbformat
import numpy as np
import tensorflow as tf
from keras import layers, ops

from srcnn_lib import comparison, evaluation, models, training
from srcnn_lib.enhancer import WEIGHTS
from srcnn_lib.errors import RunError
from srcnn_lib.files import whole, write_json
from srcnn_lib.models import blocks
from srcnn_lib.runs import Run

NETWORKS = {"srcnn": "srcnn-9-1-5"}
"""What the enhancer calls a run's networks, and their names in the registry; `legible` trains the house models."""

_LARGE = 4096  # weights of a tensor from which on they are kept in half precision


def weights(run: Run, folder: Path = WEIGHTS) -> list[Path]:
    """Write the networks of section 2.7's native track as ONNX, and note them in `weights.json`; returns the files.

    `weights.json` says what each was made from, by the whole recipe that section 2.7 left, and how it scores on all
    test cards (see `comparison.against`).

    Raises RunError if the run has not trained them, or if tf2onnx is not installed.
    """
    provenance = nbformat.read(run.existing("06_training.ipynb"), as_version=4).metadata["provenance"]
    settings = run.inputs["settings"]
    recipe = {name: value for name, value in settings.items() if name.startswith("native_") or name == "seed"}
    recipe |= run.read_json("06_training/native_recipe.json")
    made = {
        "recipe": recipe,
        "updates": settings["native_epochs"] * settings["native_epoch_steps"],
        "commit": provenance["commit"],
    }
    return [
        ship(run, name, training.load(run.existing(f"06_training/native/{registered}.keras")), registered, made, folder)
        for name, registered in NETWORKS.items()
    ]


def ship(run: Run, name: str, network: keras.Model, registered: str, made: dict, folder: Path = WEIGHTS) -> Path:
    """Write one network as ONNX, score it on all test cards of a run, and note both in `weights.json`.

    Parameters
    ----------
    name, registered
        What the enhancer calls it, and the name of its architecture.
    made
        What it was made from: recipe, updates, commit.

    Returns the file. Weights of large tensors are rounded to half precision first, so that the file is half as large
    and what is scored is what it holds.
    """
    network.set_weights(rounded(network.get_weights()))
    file = folder / f"{name}.onnx"
    write_onnx(network, file)
    scores = _scores(run, {name: network})
    cost = models.cost(network)
    note = {
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "reach": cost["receptive field"] // 2,
        **cost,
        "network": registered,
        **made,
        "test": scores[name] | {"untouched": scores[evaluation.UNTOUCHED]["figure"]},
        "data_sha256": run.read_json("01_inspection/summary.json")["data_sha256"],
        "date": date.today().isoformat(),
    }
    listed = folder / "weights.json"
    others = json.loads(listed.read_text(encoding="utf-8")) if listed.exists() else {}
    write_json(listed, others | {name: note})
    return file


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


def write_onnx(network: keras.Model, file: Path) -> None:
    """Write a network as ONNX for images whose sides its cells divide, as the enhancer pads them.

    Raises RunError if tf2onnx is not installed.
    """
    try:
        import tf2onnx  # noqa: F401  what Keras exports with
    except ImportError:
        raise RunError("tf2onnx is not installed: it is in requirements.lock") from None
    streamlined = for_whole_cells(network)
    sides = (side or 64 for side in network.input_shape[1:3])
    streamlined(np.zeros((1, *sides, network.input_shape[-1]), np.float32))  # Keras exports only what has been called
    with whole(file) as temporary:
        streamlined.export(temporary, format="onnx", verbose=False)
        _halve(temporary)


def read_onnx(network: keras.Model, file: Path) -> None:
    """Give a network the weights that `write_onnx` wrote of one with the same layers, by their names.

    Raises RunError, naming file and layer, for one whose weights are not there, or have other shapes.
    """
    import onnx
    from onnx import numpy_helper

    found: dict[str, list[np.ndarray]] = {}
    for tensor in onnx.load(str(file)).graph.initializer:
        _, *layer = tensor.name.split("/")  # network_1/layer_1/…: what runs a graph gave them
        values = numpy_helper.to_array(tensor).astype(np.float32)
        if len(layer) > 1 and values.ndim in (1, 4):
            values = values.transpose(2, 3, 1, 0) if values.ndim == 4 else values
            found.setdefault(layer[0].removesuffix("_1"), []).append(values)
    for layer in network.layers:
        if not layer.weights:
            continue
        values = sorted(found.get(layer.name, []), key=np.ndim, reverse=True)  # kernel, bias
        expected, shapes = ([tuple(its.shape) for its in sides] for sides in (layer.weights, values))
        if shapes != expected:
            raise RunError(f"{file}: expected weights of shapes {expected} for layer {layer.name}, found {shapes}")
        layer.set_weights(values)


def _halve(file: Path) -> None:
    """Keep large tensors of an ONNX file in half precision; they are made single again when it is loaded."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(file))
    for number, tensor in enumerate(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _LARGE:
            continue
        name, half = tensor.name, f"{tensor.name}_half"
        model.graph.initializer[number].CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        model.graph.node.insert(0, helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT))
    onnx.save(model, str(file))


def rounded(weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Weights as a file keeps them: those of large tensors in half precision; float32 in and out."""
    return [values.astype(np.float16).astype(np.float32) if values.size >= _LARGE else values for values in weights]


def for_whole_cells(network: keras.Model) -> keras.Model:
    """The same network with fewer operations: exact up to rounding, where its cells divide the sides of the image.

    Shuffles are single operations, nothing is padded or cut off, and wide windows are gone through one side after the
    other, which takes 2·n values instead of n².
    """
    copy = keras.models.clone_model(network, clone_function=_streamlined)
    copy.set_weights(network.get_weights())
    return copy


def _streamlined(layer: layers.Layer) -> layers.Layer:
    replacement = _REPLACEMENTS.get(type(layer), type(layer))
    if isinstance(layer, layers.AveragePooling2D | layers.MaxPooling2D) and tuple(layer.strides) == (1, 1):
        return _SideBySide(type(layer), layer.pool_size, name=layer.name)
    return replacement.from_config(layer.get_config())


class _SpaceToDepth(blocks.PixelUnshuffle):
    def call(self, image):
        return tf.nn.space_to_depth(image, self.factor)


class _DepthToSpace(blocks.PixelShuffle):
    def call(self, features, reference):
        return tf.nn.depth_to_space(features, self.factor)


class _Relight(blocks.Relight):
    def call(self, image, fields):
        gains, offsets = (
            tf.image.resize(half, self.factor * tf.shape(half)[1:3]) for half in ops.split(fields, 2, axis=-1)
        )
        return image * (1 + gains) + offsets


class _Spread(blocks.Spread):
    def _mean(self, image):
        cells = ops.average_pool(image, self.cell, self.cell, "same")
        columns = ops.average_pool(cells, (self.window, 1), 1, "same")
        return ops.average_pool(columns, (1, self.window), 1, "same")


class _SideBySide(layers.Layer):
    """A pooling over a window, as one over its columns and one over its rows."""

    def __init__(self, kind: type[layers.Layer], window: tuple[int, int], **kwargs) -> None:
        super().__init__(**kwargs)
        sides = {"strides": 1, "padding": "same"}
        self.pools = kind((window[0], 1), **sides), kind((1, window[1]), **sides)

    def call(self, values):
        columns, rows = self.pools
        return rows(columns(values))

    def compute_output_shape(self, values_shape):
        return values_shape


_REPLACEMENTS = {
    blocks.PixelUnshuffle: _SpaceToDepth,
    blocks.PixelShuffle: _DepthToSpace,
    blocks.Relight: _Relight,
    blocks.Spread: _Spread,
}
