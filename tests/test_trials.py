import numpy as np
import pandas as pd
import pytest

from srcnn_lib import frequency, metrics, pairs, preprocess, trials
from srcnn_lib.specimens import dataset


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A few drawn pairs: their folder, and their index."""
    folder = tmp_path_factory.mktemp("drawn")
    dataset.draw(folder, identities=2, seed=3, fault_share=0)
    return folder, pairs.index(folder, max_megapixels=10).pairs


@pytest.fixture(scope="module")
def cards(drawn):
    return trials.read_cards(*drawn, 64)


def test_cards_are_squashed_together_with_their_boxes(drawn, cards):
    for card in cards:
        assert card.low.shape == card.high.shape == card.clean.shape == (64, 64, 3)
        assert len(card.boxes) > 3 and card.boxes.min() >= 0 and card.boxes.max() <= 64
    whole = trials.read_cards(*drawn)[0]
    index = drawn[1].iloc[0]
    assert whole.high.shape == (index["height"], index["width"], 3)
    assert whole.side("label") is whole.high and whole.reference("label") is whole.clean
    assert whole.side("input") is whole.low and whole.reference("input") is whole.high


def test_the_search_scores_against_what_nothing_was_done_to(cards, tmp_path):
    found = trials.search(cards, "label", tmp_path)
    assert set(found["technique"]) == set(trials.GRIDS)
    row = found[(found["name"] == cards[0].name) & (found["technique"] == "sharpen") & (found["value"] == 1)].iloc[0]
    sharpened = preprocess.sharpen(cards[0].high, amount=1)
    assert row["psnr"] == pytest.approx(metrics.psnr(cards[0].clean, sharpened, data_range=255))
    untouched = found[(found["technique"] == "denoise") & (found["value"] == 0)]["psnr"]
    assert untouched.tolist() == pytest.approx([metrics.psnr(c.clean, c.high, data_range=255) for c in cards])


def test_the_best_value_that_does_anything_is_chosen():
    found = pd.DataFrame(
        [
            (technique, "amount", value, 30 - abs(value - 0.4))
            for technique in ("sharpen",)
            for value in (0, 0.25, 0.5, 1)
        ],
        columns=["technique", "parameter", "value", "psnr"],
    )
    for name in trials.GRIDS.keys() - {"sharpen"}:
        found.loc[len(found)] = (name, trials.GRIDS[name][0], 1.0, 20)
    assert trials.chosen(found)["sharpen"] == {"amount": 0.5}
    assert trials.chosen(found)["median"] == {"radius": 1} and isinstance(trials.chosen(found)["median"]["radius"], int)
    assert trials.chosen(pd.DataFrame()) == {name: {} for name in preprocess.STEPS}


def test_measures_of_nothing_are_those_of_the_image(cards, tmp_path):
    measured = trials.measure(cards, "input", trials.chosen(pd.DataFrame()), tmp_path)
    assert measured["technique"].tolist() == [trials.NONE, *preprocess.STEPS] * len(cards)
    none = measured[measured["technique"] == trials.NONE]
    assert (none["histogram"] == 0).all()
    assert none["brightness"].tolist() == pytest.approx([frequency.grey(card.low).mean() for card in cards], abs=1e-3)
    assert none["psnr"].tolist() == pytest.approx([metrics.psnr(c.high, c.low, data_range=255) for c in cards])
    assert measured.notna().all(axis=None)


def test_results_are_kept_by_content_and_settings(cards, tmp_path, monkeypatch):
    parameters = trials.chosen(pd.DataFrame())
    first = trials.measure(cards, "label", parameters, tmp_path)
    kept = len(list(tmp_path.iterdir()))
    monkeypatch.setitem(preprocess.STEPS, "clahe", None)  # would fail if anything were computed again
    pd.testing.assert_frame_equal(trials.measure(cards, "label", parameters, tmp_path), first)
    monkeypatch.undo()
    trials.measure(cards, "label", parameters | {"sharpen": {"amount": 0.3}}, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2 * kept == 2 * len(cards)


def test_training_compares_with_untouched_labels(cards, tmp_path, monkeypatch):
    nothing = trials.Chain(lambda image: image, lambda image: image)
    black = trials.Chain(lambda image: image, np.zeros_like)
    budget = {"updates": 12, "seeds": (1,), "batch_size": 2, "crop_size": 16, "learning_rate": 3e-3}
    budget["cache_folder"] = tmp_path
    rows = trials.train({"nothing": nothing, "black labels": black}, cards, cards, **budget).set_index("chain")
    assert rows.loc["black labels", "brightness"] < rows.loc["nothing", "brightness"]
    assert rows.loc["black labels", "psnr"] < rows.loc["nothing", "psnr"]
    assert rows["psnr_clean"].notna().all()
    kept = len(list(tmp_path.iterdir()))
    monkeypatch.setattr(trials.training, "fit", None)  # would fail if anything were trained again
    again = trials.train({"nothing": nothing, "black labels": black}, cards, cards, **budget).set_index("chain")
    assert kept == 2 and again.equals(rows)
    with pytest.raises(TypeError):
        trials.train({"nothing": nothing}, cards, cards, **budget | {"updates": 13})


def test_planted_waves_are_found_and_removed(drawn, tmp_path, monkeypatch):
    folder, index = drawn
    whole = [card._replace(low=card.high) for card in trials.read_cards(folder, index)]
    found = trials.patterns(whole, tmp_path, seed=1)
    assert (found["found"] > 0).sum() >= 3, "at most one is hidden by fine print, of which sharp sides have most"
    assert (found["false"] == 0).all() and np.isinf(found["unharmed"]).all()
    removed = found[found["found"] > 0]
    assert (removed["after"] > removed["before"] + 3).all()
    monkeypatch.setattr(frequency, "peaks", None)  # would fail if anything were computed again
    pd.testing.assert_frame_equal(trials.patterns(whole, tmp_path, seed=1), found)
    with pytest.raises(TypeError):
        trials.patterns(whole, tmp_path, seed=2)


def test_flagged_pairs_come_from_the_index_and_from_those_set_aside(drawn):
    folder, index = drawn
    kept, gone = index.iloc[0], index.iloc[1]
    flags = pd.DataFrame({"name": [kept["name"], gone["name"]], "flag": ["too bad", "other card"]})
    set_aside = pd.DataFrame({"file": [gone["high"], gone["low"]], "reason": "other card: layout 0.1"})
    cards = trials.flagged_cards(folder, index.drop(index.index[1]), flags, set_aside, 32)
    assert [card.name for card in cards] == [kept["name"], gone["name"]]
    expected = trials.read_cards(folder, index.iloc[[1]], 32)[0]
    assert np.array_equal(cards[1].low, expected.low) and np.array_equal(cards[1].high, expected.high)
