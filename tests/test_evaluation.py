import numpy as np
import pandas as pd
import pytest

from srcnn_lib import evaluation, images, metrics, models, ocr, stress
from srcnn_lib.errors import DataError


def test_scores_include_doing_nothing_and_both_averages(rng):
    high = rng.integers(0, 200, (16, 16, 3), dtype=np.uint8)
    low = {"a": high + 10, "b": high + 40}
    enhancers = evaluation.methods({"network": models.build("srcnn-9-1-5")})
    scores = evaluation.score(["a", "b"], lambda name: (low[name], {"label": high, "input": low[name]}), enhancers)
    assert scores["method"].unique().tolist() == [evaluation.UNTOUCHED, evaluation.CLASSICAL, "network"]
    assert (scores.query("truth == 'input' and method == @evaluation.UNTOUCHED")["mse"] == 0).all()
    scores = scores[scores["truth"] == "label"]
    untouched = evaluation.summary(scores).set_index("method").loc[evaluation.UNTOUCHED]
    errors = np.array([10, 40]) ** 2 / 255**2
    assert untouched["mse"] == pytest.approx(errors.mean())
    assert untouched["psnr_of_mean_mse"] == pytest.approx(metrics.psnr_from_mse(errors.mean()))
    assert untouched["psnr_mean"] == pytest.approx(np.mean([metrics.psnr_from_mse(error) for error in errors]))
    assert untouched["psnr_mean"] > untouched["psnr_of_mean_mse"]


def test_predictions_are_images(rng):
    image = rng.integers(0, 256, (21, 34, 3), dtype=np.uint8)
    predicted = evaluation.predict(models.build("srcnn-9-1-5"), image)
    assert predicted.shape == image.shape and predicted.dtype == np.uint8


@pytest.fixture
def counting_engine(monkeypatch):
    """An engine that reads the brightness of an image as as many letters."""

    def read(image):
        return [ocr.Line("x" * int(image.mean()), (0, 0, 9, 9), 0.5)]

    monkeypatch.setattr(ocr, "engines", lambda: {"counting": read})
    monkeypatch.setattr(ocr, "_version", lambda engine: "1")


def test_reading_counts_the_sharp_image_as_the_ceiling(tmp_path, counting_engine):
    def read(name):
        return np.full((4, 4, 3), 2, np.uint8), {"sharp file": np.full((4, 4, 3), 8, np.uint8)}

    enhancers = {evaluation.UNTOUCHED: lambda image: image, "brighter": lambda image: image + 4}
    arguments = {"engine": "counting", "cache_folder": tmp_path}
    known = {"a": pd.DataFrame([{"kind": "value", "name": "number", "text": "x" * 8}])}
    reading = evaluation.legibility(["a"], read, enhancers, known, **arguments)
    sums = evaluation.per_image(reading.scores, "value").set_index("method")
    assert sums["errors"].to_dict() == {evaluation.UNTOUCHED: 6, "brighter": 2, evaluation.SHARP: 0}
    assert (sums["characters"] == 8).all() and sums.loc[evaluation.SHARP, "exact"] == 1
    without = evaluation.per_image(evaluation.legibility(["a"], read, enhancers, None, **arguments).scores, "page")
    assert without.set_index("method")["errors"].to_dict() == {
        evaluation.UNTOUCHED: 6,
        "brighter": 2,
        evaluation.SHARP: 0,
    }


def test_stress_cases_are_pairs_that_repeat_with_the_seed(rng):
    clean = rng.integers(0, 256, (60, 90, 3), dtype=np.uint8)
    for name, case in stress.CASES.items():
        low, sharp = case(clean, np.random.default_rng(3))
        assert low.shape == sharp.shape and low.dtype == sharp.dtype == np.uint8, name
        again, _ = case(clean, np.random.default_rng(3))
        assert np.array_equal(low, again) and not np.array_equal(low, sharp)


def test_one_card_is_set_in_typefaces_of_training_and_in_those_held_out():
    sides = [
        stress.CASES[name](np.zeros((4, 4, 3), np.uint8), np.random.default_rng([1, 0]))
        for name in ("another card, in typefaces of training", "the same card, in typefaces held out")
    ]
    (low, sharp), (other_low, other_sharp) = sides
    assert low.shape == other_low.shape and 0.5 < (np.abs(sharp.astype(int) - other_sharp) < 8).mean() < 1
    assert np.corrcoef(low.ravel(), other_low.ravel())[0, 1] > 0.8, "the same damage"


def test_the_best_filter_is_that_of_the_highest_psnr_against_the_first_truth():
    high = np.full((8, 8, 3), 100, np.uint8)
    methods = {"much": lambda image: image + 40, "right": lambda image: image + 20}
    read = lambda name: (high - 20, {"label": high, "other": high + 20})  # noqa: E731
    assert evaluation.best(["a", "b"], read, methods) == "right"


def test_beyond_covers_every_case_and_method(tmp_path, counting_engine, rng):
    clean = [rng.integers(0, 256, (60, 90, 3), dtype=np.uint8)]
    enhancers = {evaluation.UNTOUCHED: lambda image: image, "darker": lambda image: image // 2}
    table = evaluation.beyond(clean, enhancers, seed=1, engine="counting", cache_folder=tmp_path)
    assert len(table) == 2 * len(stress.CASES) and table["error"].between(0, 1).all()
    wide = table.pivot(index="case", columns="method", values="psnr")
    assert wide.loc["half as strong", evaluation.UNTOUCHED] > wide.loc["twice as strong", evaluation.UNTOUCHED]


def test_truth_of_other_folders_is_unknown(tmp_path):
    images.write(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8))
    assert evaluation.fields(tmp_path, pd.DataFrame({"name": ["a"], "number": [1]}), ["a"]) is None
    assert evaluation.degradations(tmp_path, ["a"]) is None


def test_strengths_of_degradations_are_read_from_the_truth(tmp_path):
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "degradations.csv").write_text(
        "file,side,variant,number,order,kind,parameters\n"
        'a.jpg,blurred_images,h,1,0,gaussian,"{""sigma"": 1.5}"\n'
        'a.jpg,blurred_images,h,1,1,jpeg,"{""quality"": 60}"\n'
        'a.jpg,blurred_images,h,1,2,tint,"{""red"": 1, ""green"": 1, ""blue"": 1}"\n'
        'a.jpg,sharpened_images,h,1,0,noise,"{""read"": 1}"\n'
    )
    done = evaluation.degradations(tmp_path, ["a"])
    assert done["kind"].tolist() == ["gaussian", "jpeg", "tint"]
    assert done["strength"].tolist()[:2] == [1.5, -60] and np.isnan(done["strength"].iloc[2])
    assert evaluation.degradations(tmp_path / "none", ["a"]) is None


def test_a_pool_is_a_part_and_what_no_part_uses():
    index = pd.DataFrame(
        [("c", "test", "test"), ("b", "unused", "test"), ("a", "unused", "train"), ("d", "train", "train")],
        columns=["name", "part", "pool"],
    )
    assert evaluation.pool(index, "test") == ["b", "c"]
    assert evaluation.pool(index.assign(pool=""), "test") == ["c"]


@pytest.mark.parametrize("name", sorted(evaluation.FILTERS | evaluation.SQUASHED_FILTERS))
def test_classical_filters_give_an_image_back(name, rng):
    image = rng.integers(0, 256, (24, 31, 3), dtype=np.uint8)
    before = image.copy()
    after = (evaluation.FILTERS | evaluation.SQUASHED_FILTERS)[name](image)
    assert after.shape == image.shape and after.dtype == np.uint8 and (image == before).all()
    assert not np.array_equal(after, image)


def test_fields_of_cards_that_the_table_lacks_are_missed_by_name(tmp_path):
    index = pd.DataFrame({"name": ["f.h.fornt.5000", "f.h.fornt.5001"], "number": [5000, 5001]})
    file = tmp_path / "truth" / "fields.csv"
    file.parent.mkdir()
    file.write_text("number,kind,name,text,x0,y0,x1,y1\n5000,value,given,ANNA,1,1,9,9\n")
    assert evaluation.fields(tmp_path, index, ["f.h.fornt.5000"])["f.h.fornt.5000"]["text"].tolist() == ["ANNA"]
    with pytest.raises(DataError, match=r"fields\.csv: .* there are none of f\.h\.fornt\.5001"):
        evaluation.fields(tmp_path, index, list(index["name"]))
    without = pd.DataFrame({"name": ["a"], "number": pd.array([pd.NA], "Int64")})
    with pytest.raises(DataError, match=r"there are none of a$"):
        evaluation.fields(tmp_path, without, ["a"])
    file.write_text("number,kind,text\n5000,value,ANNA\n")
    with pytest.raises(DataError, match=r"fields\.csv: expected the columns .*; name, x0, y0, x1, y1 not found"):
        evaluation.fields(tmp_path, index, ["f.h.fornt.5000"])
