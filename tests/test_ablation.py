import dataclasses

import cv2
import numpy as np
import pandas as pd
import pytest

from srcnn_lib import ablation, enhancer, evaluation, figures, legible
from srcnn_lib.errors import DataError, ForeseenError
from srcnn_lib.files import write_json


def test_every_experiment_differs_from_the_unchanged_one_in_what_its_change_names():
    unchanged = dataclasses.asdict(ablation.EXPERIMENTS[ablation.name_of(ablation.BASE)])
    for change, fields in ablation.CHANGES.items():
        experiment = dataclasses.asdict(ablation.EXPERIMENTS[ablation.name_of(change)])
        assert {name for name in experiment if experiment[name] != unchanged[name]} == set(fields), change


def test_every_training_shows_as_many_pixels():
    shown = {
        change: sum(
            its.epochs * its.batch_size * its.crop_size**2
            for its in (experiment, ablation.EXPERIMENTS.get(experiment.start))
            if its
        )
        for change, experiment in zip(ablation.CHANGES, ablation.EXPERIMENTS.values(), strict=True)
        if change not in ablation._LATER
    }
    assert set(shown.values()) == {shown[ablation.BASE]}


def test_teachers_and_beginnings_are_known():
    known = {*legible.EXPERIMENTS, *legible.BLENDS, *ablation.EXPERIMENTS}
    named = {name for its in ablation.EXPERIMENTS.values() for name in (its.teacher, its.start) if name}
    assert named and named <= known


def test_what_is_shipped_teaches_where_nothing_is_trained(rng, tmp_path):
    image = rng.integers(0, 256, (64, 72, 3), dtype=np.uint8)
    for name, chosen in legible.SHIPPED.items():
        network = legible.known(chosen, tmp_path)
        made = evaluation.predict(network, image).astype(int)
        assert np.abs(made - enhancer.enhance(image, model=name, waves=False, blur=False)).max() <= 1
    with pytest.raises(ForeseenError, match=r"'large' is neither trained in .* yet nor shipped"):
        legible.known("large", tmp_path)


def test_real_pages_are_shown_once_each_and_asked_for_by_name(tmp_path, rng):
    one, other = (rng.integers(0, 256, (40, 50), dtype=np.uint8) for _ in range(2))
    for name, image in (("a", one), ("b", one), ("c", other)):
        for side in ("blurred_images", "sharpened_images"):
            (tmp_path / side).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / side / f"{name}.png"), image)
    pages = legible.Pages(tmp_path)
    assert len(pages) == 2 and all(scene.image.shape == (40, 50, 3) and not len(scene.lines) for scene in pages)
    assert {scene.image[..., 0].tobytes() for scene in pages} == {one.tobytes(), other.tobytes()}
    low, high, _ = legible.Lessons([(1, pages)], 2, 64, 3, 1, 1).batch(0)
    assert low.shape == (2, 64, 64, 3) and not high[..., 3].any()
    learns = next(how for how in ablation.EXPERIMENTS.values() if how.pages)
    with pytest.raises(ForeseenError, match="PAGES="):
        legible.train("a", learns, fonts=(), work=tmp_path)
    with pytest.raises(DataError, match="blurred_images"):
        ablation.run(fonts=(), work=tmp_path, pages=tmp_path / "blurred_images")


def test_measures_are_compared_on_the_same_cards():
    table = pd.DataFrame(
        {
            "name": ["h.1", "v.1", "h.2"] * 3,
            "card": ["1", "1", "2"] * 3,
            "method": [ablation.BASE] * 3 + ["other"] * 3 + ["the sharp image itself"] * 3,
            "errors": [4, 2, 6, 2, 2, 2, 0, 0, 0],
            "characters": [10] * 9,
        }
    )
    measured = ablation._measured(table, "cards: error", "errors", "characters", "card").set_index("method")
    assert list(measured.index) == [ablation.BASE, "other"] and set(measured["measure"]) == {"cards: error"}
    assert measured.loc["other", "difference"] == pytest.approx(-0.2)
    assert measured.loc[ablation.BASE, "difference_low"] == measured.loc[ablation.BASE, "difference_high"] == 0


def test_only_what_is_beyond_other_seeds_and_has_an_interval_without_0_is_decided(tmp_path):
    rows = {  # difference, low, high
        "untouched": (0.5, 0.4, 0.6),
        ablation.BASE: (0.0, 0.0, 0.0),
        "second seed": (-0.2, -0.3, -0.1),
        "third seed": (0.1, -0.1, 0.3),
        "as a seed does": (0.15, 0.1, 0.2),
        "more": (-0.3, -0.4, -0.2),
        "more, or not": (0.3, -0.1, 0.7),
    }
    table = pd.DataFrame(rows.values(), columns=["difference", "difference_low", "difference_high"])
    table.assign(method=list(rows), measure="letters", figure=0.7 + table["difference"]).to_csv(
        tmp_path / "ablation.csv", index=False
    )
    kept = ablation.kept(tmp_path / "ablation.csv").set_index("method")
    assert list(kept.index) == list(rows)[2:]
    assert set(kept["unchanged"]) == {0.7} and set(kept["chance"]) == {0.2}
    assert list(kept.index[kept["decided"]]) == ["more"]


def test_what_a_training_began_with_counts_as_its_time(tmp_path):
    assert ablation.seconds(tmp_path) == {} and ablation.kept(tmp_path / "none.csv").empty
    for change, seconds in (("small crops", 2.0), ("small crops, then large", 3.0)):
        write_json(tmp_path / f"{legible._file(ablation.name_of(change))}.json", {"seconds": seconds})
    assert ablation.seconds(tmp_path)["small crops, then large"] == 5.0


def test_without_training_only_what_is_trained_is_judged(tmp_path, monkeypatch):
    (tmp_path / "ablation-unchanged.keras").touch()
    (tmp_path / "ablation-noisy-labels.keras").touch()
    asked, judged = [], []
    monkeypatch.setattr(legible, "train", lambda name, *_, **__: asked.append(name) or name)

    def read(enhancers, **_):
        judged.extend(enhancers)
        raise InterruptedError

    monkeypatch.setattr(legible, "read_after", read)
    with pytest.raises(InterruptedError):
        ablation.run(fonts=(), work=tmp_path, train=False)
    assert asked == ["ablation: unchanged", "ablation: noisy labels"]
    assert judged == [evaluation.UNTOUCHED, "unchanged", "noisy labels"]


def test_changes_are_drawn_a_panel_a_measure_and_a_row_a_change():
    rows = [
        ("one", "PSNR", 0.1, 0.05, 0.2), ("two", "PSNR", -0.1, -0.3, 0.1),
        ("one", "letters", 0.0, -0.1, 0.1), ("two", "letters", 0.2, 0.1, 0.3),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "measure", "difference", "difference_low", "difference_high"])
    table = table.assign(chance=0.15, decided=[False, False, False, True])
    drawing = figures.changes(table, {"letters": "nats", "PSNR": "dB"}, {"letters": 1.0, "PSNR": 10.0})
    left, right = drawing.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["one", "two"] and left.yaxis_inverted()
    assert np.allclose(right.collections[-1].get_offsets()[:, 0], [1.0, -1.0])
    assert np.allclose(right.patches[0].get_extents().transformed(right.transData.inverted()).intervalx, [-1.5, 1.5])
