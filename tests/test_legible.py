import dataclasses
import itertools

import cv2
import keras
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import tensorflow as tf

from srcnn_lib import batches, enhancer, evaluation, export, legible, models, reading, scenes, training
from srcnn_lib.errors import ForeseenError
from srcnn_lib.files import write_json
from srcnn_lib.specimens import artwork, typefaces

SIDE = 96


@pytest.fixture(scope="module")
def drawn():
    faces = scenes.families((), "train")
    return [scenes.draw(np.random.default_rng([1, number]), faces) for number in range(3)]


@pytest.fixture(scope="module")
def lessons(drawn):
    return legible.Lessons([(0.5, drawn), (0.5, drawn[:1])], 2, SIDE, 3, 7, 4)


def test_a_scene_follows_from_its_seed_and_has_text_where_it_says(drawn):
    again = scenes.draw(np.random.default_rng([1, 0]), scenes.families((), "train"))
    assert np.array_equal(again.image, drawn[0].image) and again.texts == drawn[0].texts
    for scene in drawn:
        assert scene.image.shape == (scenes.SIZE, scenes.SIZE, 3) and scene.image.dtype == np.uint8
        assert len(scene.lines) == len(scene.texts) > 5
        edges = cv2.Laplacian(cv2.cvtColor(scene.image, cv2.COLOR_RGB2GRAY).astype(np.float32), -1)
        inside = [np.abs(edges[int(y0) : int(y1), int(x0) : int(x1)]).mean() for x0, y0, x1, y1 in scene.lines]
        assert np.median(inside) > 2 * np.median(np.abs(edges))


def test_low_pictures_can_be_drawn():
    for seed in (173, 186, 196):  # their shoulders are out of sight
        assert artwork.portrait(np.random.default_rng(seed), 100, 70).shape == (70, 100, 3)


def test_no_typeface_of_another_pool_and_none_of_those_to_watch_is_learned_from():
    faces = {
        part: {face.name for family in scenes.families((), part) for face in family} for part in ("train", "watched")
    }
    pools = typefaces.typefaces()
    others = {face.name for pool in ("validation", "test") for face in pools[pool]}
    assert faces["train"] == {face.name for face in pools["train"]}
    assert not faces["train"] & (others | faces["watched"])
    with pytest.raises(ValueError, match="expected train or watched, received 'test'"):
        scenes.families((), "test")


def test_spoiling_leaves_the_clean_image_alone_and_is_sometimes_faint(drawn):
    clean = drawn[0].image[:128, :128].copy()
    before = clean.copy()
    distances = [
        np.abs(scenes.degraded(clean, np.random.default_rng(seed)).astype(int) - clean).mean() for seed in range(40)
    ]
    assert np.array_equal(clean, before)
    assert min(distances) < 4 and max(distances) > 15


def test_batches_follow_from_seed_epoch_and_step(lessons):
    later = next(iter(lessons.from_epoch(1).as_numpy_iterator()))
    low, (high, lines) = later
    for ours, theirs in zip(lessons.batch(lessons.steps), (low, high, lines), strict=True):
        assert np.array_equal(ours, theirs)
    assert low.shape == (2, SIDE, SIDE, 3) and high.shape == (2, SIDE, SIDE, 4) and lines.shape == (3, 5)
    assert set(np.unique(high[..., 3])) == {0, 1}
    assert low.min() >= 0 and low.max() <= 1 and not np.array_equal(low, high[..., :3])
    assert set(lines[:, 0]) <= {0, 1} and lines[:, 1:].min() >= 0 and lines[:, 1:].max() <= SIDE - 1
    assert (lines[:, 3] > lines[:, 1]).all() and (lines[:, 4] > lines[:, 2]).all()


def test_a_scene_smaller_than_a_crop_is_continued(drawn):
    small = scenes.Scene(drawn[0].image[:50, :70], drawn[0].lines[:0], ())
    low, high, _ = legible.Lessons([(1, [small])], 1, SIDE, 2, 1, 1).batch(0)
    assert low.shape == (1, SIDE, SIDE, 3) and not high[..., 3].any()


@pytest.mark.parametrize(
    "load, kind, width, sides",
    [
        (reading.recogniser, "rec", 120, (15, 120)),
        (reading.letters, "rec", 120, (15, 18_710)),
        (reading.detector, "det", 96, (reading.HEIGHT * 2, 96, 1)),
    ],
)
def test_a_reader_sees_what_onnx_runtime_sees(rng, load, kind, width, sides):
    import onnx

    reader = load()
    file = next(iter(reading.files("rapidocr").joinpath("models").glob(f"*{kind}*.onnx")))
    graph = onnx.load(str(file))
    graph.graph.output.append(onnx.helper.make_tensor_value_info(reader.last, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    text = np.float32(rng.random((2, reading.HEIGHT * (2 if kind == "det" else 1), width, 3)))
    (expected,) = session.run([reader.last], {"x": (2 * text[..., ::-1] - 1).transpose(0, 3, 1, 2)})
    seen = np.array(reader(tf.constant(text)))
    assert seen.shape == (2, *sides)
    expected = expected.transpose(0, 2, 3, 1) if kind == "det" else expected
    assert np.abs(seen - expected).max() < 1e-3 * np.abs(expected).max()


def test_windows_are_cut_where_they_say():
    ramp = np.broadcast_to(np.arange(64, dtype=np.float32)[:, None, None], (1, 64, 64, 1)) / 63
    cut = reading.lines(tf.constant(ramp), tf.constant([[10.0, 5.0, 57.0, 30.0]]), tf.constant([0]), 40).numpy()
    assert cut.shape == (1, reading.HEIGHT, 40, 1)
    assert 63 * cut[0, [0, -1], 0, 0] == pytest.approx([10, 57], abs=1e-3)


def test_kinds_that_are_left_out_are_never_drawn(drawn):
    kinds = ("motion", "periodic", "noise")
    lessons = legible.Lessons([(1, drawn)], 1, SIDE, 2, 1, 1, without=kinds)
    rng = np.random.default_rng(5)
    found = {step.kind for _ in range(40) for step in scenes.recipe(lessons._spoiling(rng))}
    assert found and not found & set(kinds)


def test_noisy_labels_have_the_faint_noise_of_a_sharp_photograph(drawn):
    clean, noisy = (legible.Lessons([(1, drawn)], 1, SIDE, 2, 1, 1, clean=clean).batch(3) for clean in (True, False))
    assert np.array_equal(clean[0], noisy[0]), "the same spoilt crop"
    distance = 255 * np.abs(clean[1] - noisy[1])[..., :3].mean()
    assert 0.2 < distance < 5


def test_the_spectral_distance_is_that_of_numpys_transform(rng):
    truth, made = np.float32(rng.random((2, 2, 16, 16, 3)))
    spectrum = np.fft.rfft2(truth - made, axes=(1, 2), norm="ortho")
    assert float(legible._spectral_distance(tf.constant(truth), tf.constant(made))) == pytest.approx(
        np.abs(spectrum).mean(), rel=1e-4
    )


def test_fooling_teaches_the_network_and_not_the_discriminator(lessons):
    network = models.build("house", width=12, blocks=1, light=0)
    low, high, _ = lessons.batch(0)

    def gradients(weight):
        keras.utils.set_random_seed(3)
        how = legible.Experiment("house", 1, fooling=weight, crop_size=SIDE)
        taught = legible.Reader(network, how, name="taught")
        with tf.GradientTape() as tape:
            lost = taught._judged(tf.constant(high[..., :3]), network(low))
        return tape.gradient(lost, [network.get_layer("tail").kernel, *taught.discriminator.trainable_variables])

    (little, *judging), (much, *also_judging) = gradients(0.1), gradients(10.0)
    assert np.abs(little).max() > 0 and np.allclose(much, 100 * little, rtol=1e-2, atol=1e-3)
    assert all(np.allclose(one, other, atol=1e-7) for one, other in zip(judging, also_judging, strict=True))


@pytest.mark.slow
def test_a_clean_crop_is_told_and_found_best(lessons):
    class Fixed:
        def __init__(self, spoilt):
            self.spoilt = spoilt

        def batch(self, number):
            low, high, lines = lessons.batch(number)
            return (low if self.spoilt else high[..., :3]), high, lines

    same = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Identity()])
    spoilt, clean = (legible.seen(same, Fixed(how), 2) for how in (True, False))
    assert (clean[["letters", "finding"]] < spoilt[["letters", "finding"]]).all(axis=None)


@pytest.mark.parametrize(
    "weights",
    [
        {"spectra": 0.1, "fooling": 0.1, "teacher": "a network"},
        pytest.param({"reading": 0.05, "finding": 0.1, "telling": 0.1}, marks=pytest.mark.slow),
    ],
)
def test_a_network_learns_from_a_reader(tmp_path, lessons, weights):
    keras.utils.set_random_seed(1)
    network = models.build("house", width=12, blocks=1, light=0)
    before = [values.copy() for values in network.get_weights()]
    watched = batches.stream(
        [(np.uint8(255 * low[0]), np.uint8(255 * high[0, ..., :3])) for low, high, _ in [lessons.batch(9)]],
        batch_size=1,
    )
    recipe = training.Recipe(epochs=2, learning_rate=1e-3, loss="gradient", clip_norm=1.0)
    teacher = models.build("house", width=8, blocks=1, light=0) if "teacher" in weights else None
    how = legible.Experiment("house", 2, text=4.0, crop_size=SIDE, **weights)
    taught = legible.Reader(network, how, teacher, name="taught")
    history = training.fit(taught, lessons, watched, recipe, folder=tmp_path)
    assert np.isfinite(history["loss"]).all() and history["val_mse"].notna().all()
    assert any(not np.array_equal(old, new) for old, new in zip(before, network.get_weights(), strict=True))
    training.save(network, tmp_path / "network.keras")  # the network alone, which needs no reader


def test_a_bank_is_drawn_once(tmp_path, monkeypatch):
    monkeypatch.setattr(legible, "FOLDER", tmp_path)
    bank = legible.bank(2, 1, "watched")
    assert len(bank) == 2 and bank[1].image.shape == (scenes.SIZE, scenes.SIZE, 3)
    assert len(bank[0].lines) + len(bank[1].lines) == len(bank.table)
    monkeypatch.setattr(legible, "_keep", None)
    again = legible.bank(2, 1, "watched")
    assert np.array_equal(again[0].image, bank[0].image)
    assert pd.api.types.is_string_dtype(again.table["text"])


@pytest.fixture(scope="module")
def prepared(drawn, tmp_path_factory):
    """Lessons after the enhancer's steps, and those that they were made of."""

    class Named(list):
        name = "three scenes"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(legible, "FOLDER", tmp_path_factory.mktemp("banks"))
        whole = legible.Lessons([(1, Named(drawn))], 1, 200, 1, 4, 1)
        teacher = models.build("srcnn-9-1-5")
        bank = legible.prepared(whole, 2, teacher)
        patch.setattr(legible, "_keep", None)
        assert legible.prepared(whole, 2, teacher).name == bank.name, "made once"
        other = dataclasses.replace(whole, seed=5)
        with pytest.raises(TypeError):
            legible.prepared(other, 2, teacher)
    return legible.Prepared([(1, bank)], 3, SIDE, 2, 7, 4), whole, teacher


def test_prepared_images_are_those_of_the_enhancer(prepared):
    lessons, whole, teacher = prepared
    ((_, bank),) = lessons.sources
    for number, scene in enumerate(bank):
        spoilt, clean, lines = whole.crop(number)
        low, high, taught = np.split(scene.image, 3, axis=2)
        assert np.array_equal(low, enhancer.prepare(spoilt)) and np.array_equal(high, clean)
        assert np.array_equal(taught, evaluation.predict(teacher, low)) and not np.array_equal(taught, low)
        assert np.allclose(scene.lines, lines)


def test_prepared_lessons_show_the_same_piece_of_all_three(prepared):
    lessons, *_ = prepared
    ((_, bank),) = lessons.sources
    low, high, lines = lessons.batch(5)
    assert low.shape == (3, SIDE, SIDE, 3) and high.shape == (3, SIDE, SIDE, 7) and lines.shape == (2, 5)
    assert set(np.unique(high[..., 3])) <= {0, 1}
    shown = np.concatenate([low, high[..., :3], high[..., 4:]], axis=-1)[0].reshape(SIDE, SIDE, 3, 3)
    corner = np.rint(255 * shown[:4, :4]).astype(np.uint8).transpose(2, 3, 0, 1)
    found = 0
    for scene, colours in itertools.product(bank, itertools.permutations(range(3))):
        image = scene.image.reshape(200, 200, 3, 3)[..., colours]
        windows = np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE), (0, 1))
        found += (windows[..., :4, :4] == corner).all(axis=(2, 3, 4, 5)).any()
    assert found == 1, "in one order of the colours"


def test_a_teachers_image_that_was_given_is_learned_from(prepared):
    lessons, *_ = prepared
    low, high, lines = lessons.batch(0)
    keras.utils.set_random_seed(1)
    taught = legible.Reader(models.build("house", width=12, blocks=1, light=0), legible.Experiment("house", 1))
    clean, given, both = (
        float(taught.compute_loss(low, (its, lines), low)) for its in (high[..., :4], high[..., [4, 5, 6, 3]], high)
    )
    assert both == pytest.approx((clean + given) / 2, rel=1e-5) and abs(clean - given) > 1e-3


def test_what_was_tried_is_shown_beside_doing_nothing(tmp_path):
    assert legible.kept(tmp_path).empty
    name, experiment = next(iter(legible.EXPERIMENTS.items()))
    record = {"network": experiment.network, "multiply-adds per pixel": 5, "reading": 0.0, "epochs": 2, "seconds": 1.0}
    record |= {"batch_size": 4, "crop_size": 128}
    write_json(tmp_path / f"{name.replace(' ', '-')}.json", record | {"device": "a machine"})
    rows = [(method, test, 0.1, 0.8, 20.0) for method in (name, "untouched") for test in ("cards", "scenes")]
    table = pd.DataFrame(rows, columns=["method", "test", "error", "exact", "psnr"])
    table.to_csv(tmp_path / "scores.csv", index=False)
    shown = legible.kept(tmp_path).set_index("experiment")
    assert shown.index.tolist() == ["untouched", name]
    assert shown.loc[name, "updates"] == 2 * legible.EPOCH_STEPS and shown.loc["untouched", "cards: error"] == 0.1


def test_the_last_ones_are_shown_in_their_order(tmp_path):
    assert legible.finalists(tmp_path).empty
    rows = [(method, test, 0.2, 0.5, 20.0) for test in ("cards", "scenes") for method in ("untouched", "a")]
    table = pd.DataFrame(rows, columns=["method", "test", "error", "exact", "psnr"])
    table.to_csv(tmp_path / "finalists.csv", index=False)
    shown = legible.finalists(tmp_path)
    assert shown["method"].tolist() == ["untouched", "a"] and shown["cards: error"].tolist() == [0.2, 0.2]


def test_every_network_that_is_shipped_was_judged_among_the_last():
    assert set(legible.SHIPPED.values()) <= set(legible.FINALISTS) <= {*legible.EXPERIMENTS, *legible.BLENDS}
    assert {blend.experiment for blend in legible.BLENDS.values()} <= set(legible.EXPERIMENTS)


@pytest.fixture(scope="module")
def small():
    """A network of the large kind, whose weights are not those it begins with."""
    keras.utils.set_random_seed(1)
    network = models.build("house-large", widths=(8, 12), blocks=(1, 1))
    network.set_weights([0.1 * np.random.default_rng(2).standard_normal(w.shape) for w in network.get_weights()])
    return network


def test_a_blend_changes_its_input_by_parts_of_brightness_and_colour(small):
    image = np.random.default_rng(3).random((1, 24, 32, 3), np.float32)
    made, half = (np.asarray(network(image)) for network in (small, legible.blended(small, 0.7, 0.7)))
    assert np.allclose(half, 0.7 * made + 0.3 * image, atol=1e-6) and not np.allclose(made, image, atol=0.01)
    grey = cv2.cvtColor(made[0] - image[0], cv2.COLOR_RGB2GRAY)[..., None]
    bright = np.asarray(legible.blended(small, 0.5, 0)(image))[0]
    assert np.allclose(bright - image[0], 0.5 * grey, atol=1e-5), "the same in all three colours"
    both = np.asarray(legible.blended(small, 1, 0.2)(image))[0]
    assert np.allclose(both - image[0], 0.8 * grey + 0.2 * (made[0] - image[0]), atol=1e-5)
    streamlined = np.asarray(export.for_whole_cells(legible.blended(small, 0.7, 0))(image))
    assert np.allclose(streamlined, legible.blended(small, 0.7, 0)(image), atol=1e-4)


def test_a_deeper_network_begins_where_another_ended(small):
    image = np.random.default_rng(3).random((1, 24, 32, 3), np.float32)
    deeper = models.build("house-large", widths=(8, 12), blocks=(3, 1))
    legible._begin_with(deeper, small)
    assert np.allclose(deeper(image), small(image), atol=1e-6)
    with pytest.raises(
        ForeseenError, match=r"has no layers named down_1_block_2_in, .*; expected those of house-large"
    ):
        legible._begin_with(small, deeper)


def test_unknown_experiments_list_the_known_ones():
    with pytest.raises(ForeseenError, match="unknown experiment 'none'; the known ones are cards alone"):
        legible.experiment("none")
