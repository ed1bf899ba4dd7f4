import dataclasses
import itertools

import cv2
import numpy as np
import pytest

from srcnn_lib import evaluation, ladder, stress

RUNGS = ladder.rungs(crop_size=8, native_batch_size=2, native_crop_size=16, learning_rate=0.002)


def test_each_rung_changes_one_thing_or_lists_what_it_changes():
    together = (
        {"schedule", "learning_rate", "clip_norm", "keep"},
        {"track", "batch_size", "crop_size"},
        {"start", "last_activation"},
    )

    def settings(rung):
        fields = {name: getattr(rung, name) for name in (field.name for field in dataclasses.fields(rung))}
        build = fields.pop("build")
        # another network has other arguments: then these are no changes by themselves
        return fields | {"network": build.args} | {(build.args, key): value for key, value in build.keywords.items()}

    for below, above in itertools.pairwise(RUNGS):
        before, after = settings(below), settings(above)
        changed = {key for key in before | after if before.get(key) != after.get(key)} - {"name"}
        if "network" in changed:
            changed = {key for key in changed if not isinstance(key, tuple)}
        changed = {key[1] if isinstance(key, tuple) else key for key in changed}
        assert len(changed) == 1 or (changed in together and ";" in above.name), above.name


@pytest.mark.tuning
def test_rungs_see_the_same_pixels_and_are_trained_once(rng, tmp_path, monkeypatch):
    squashed, native = (
        [(image // 2, image) for image in rng.integers(0, 256, (4, *size, 3), dtype=np.uint8)]
        for size in ((16, 16), (24, 20))
    )
    pairs = {ladder.SQUASHED: squashed, ladder.NATIVE: native}
    steps = [RUNGS[1], RUNGS[-1]]

    def climb():
        return ladder.climb(steps, pairs, pairs, megapixels=0.006, image_size=16, seed=1, folder=tmp_path)

    done = climb()
    assert [rung.updates for rung in done.values()] == [12, 12]  # 10 crops of 8×8 against 2 of 16×16, in four parts
    assert all(np.isfinite(rung.own_gain) for rung in done.values())
    card = rng.integers(0, 256, (30, 42, 3), dtype=np.uint8)
    enhanced = [rung.enhance(card) for rung in done.values()]
    assert all(image.shape == card.shape and image.dtype == np.uint8 for image in enhanced)
    monkeypatch.setattr(ladder.training, "fit", None)
    again = climb()
    assert [rung.seconds for rung in again.values()] == [rung.seconds for rung in done.values()]
    assert all(np.array_equal(rung.enhance(card), image) for rung, image in zip(again.values(), enhanced, strict=True))


def test_the_ladder_goes_from_the_published_recipe_to_the_house_model():
    assert RUNGS[0].build().count_params() == 20099 and RUNGS[0].crop_size == 0 and RUNGS[0].schedule == "constant"
    assert RUNGS[-1].track == ladder.NATIVE and RUNGS[-1].build().name == "house"
    assert RUNGS[3].build.keywords == {"start": "identity", "last_activation": None}
    assert pytest.approx(0.0008) == RUNGS[0].learning_rate


@pytest.mark.tuning
def test_gain_and_errors_are_against_doing_nothing_and_the_sharp_image(rng, tmp_path):
    sharp = {name: stress.page(rng, width=320, height=120) for name in ("a", "b")}

    def read(name):
        return cv2.GaussianBlur(sharp[name], (0, 0), 3), {"sharp file": sharp[name]}

    methods = {evaluation.UNTOUCHED: lambda image: image, "worse": lambda image: np.zeros_like(image)}
    judged = ladder.judge(methods, ["a", "b"], read, None, reading=1, seed=1, cache_folder=tmp_path)
    assert judged.index.tolist() == [*methods, evaluation.SHARP]
    assert judged.loc[evaluation.UNTOUCHED, "gain"] == 0 > judged.loc["worse", "gain_high"]
    assert judged["error"].tolist() == [pytest.approx(judged["error"].iloc[0]), 1, 0]
    assert 0 < judged["error"].iloc[0] <= 1
