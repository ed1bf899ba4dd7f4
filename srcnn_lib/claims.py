"""Section 3: what the original claims and shows, where ours stands, and whether it agrees.

The one place that lists it. Each function below has the rows of some sections; whatever is a number is read from the
results of the run, and so is the verdict.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from srcnn_lib import original, records
from srcnn_lib.evaluation import SHARP, UNTOUCHED
from srcnn_lib.runs import Run

AGREES, DIFFERS, PARTLY, SHOWN = "agrees", "differs", "partly", "shown"
OTHER_IMAGES, NOT_TESTED = "other images", "not tested"
VERDICTS = {
    AGREES: "the results of this run say the same",
    DIFFERS: "they say otherwise",
    PARTLY: "they bear out a part of it",
    SHOWN: "a figure, table, formula or piece of code that is here too",
    OTHER_IMAGES: "a number from other images, with ours beside it",
    NOT_TESTED: "repeated here as the original's word, and not put to a test",
}


class Claim(NamedTuple):
    """A row of the map."""

    section: str
    claim: str  # what the original says or shows
    here: str  # what this run found
    verdict: str
    place: str = ""  # heading within the section, as on the page; empty for the section as a whole
    place_section: str = ""  # where that is another section


def of_run(run: Run, *, model: str, native: str) -> pd.DataFrame:
    """The map for a finished run, a row a `Claim`, in the order of the original.

    `model` is the run's network on squashed images, `native` the method at native resolution that speaks for reading.
    Raises RunError if a result is missing.
    """
    rows: list[Claim] = [
        *_inspection(run),
        *_exploration(run),
        *_split(run),
        *_preprocessing(run),
        *_selection(run),
        *_construction(run),
        *_training(run),
        *_evaluation(run, model),
        *_tuning(run),
        *_conclusion(run, native),
    ]
    return pd.DataFrame(rows)


def _either(holds: bool) -> str:
    return AGREES if holds else DIFFERS


def _inspection(run: Run) -> Sequence[Claim]:
    found = run.read_json("01_inspection/summary.json")
    pairs = run.read_table("01_inspection/pairs.csv")
    flags = run.read_table("01_inspection/flags.csv")
    detail = run.read_table("01_inspection/quality.csv").merge(pairs[["name", "variant"]], on="name")
    by_letter = detail.groupby("variant")["detail"].mean()
    sizes = len(pairs[["width", "height"]].drop_duplicates())
    first, last = original.NUMBERS
    scales = run.read_table("06_training/scales.csv")["MSE after"]
    return [
        Claim("1.2", "Eight networks for super-resolution", "described", SHOWN),
        Claim(
            "2.1",
            f"{original.PAIRS:,} pairs of images",
            f"{found['pairs']:,} sound pairs",
            OTHER_IMAGES,
            "What is there",
        ),
        Claim(
            "2.1",
            f"{original.PAIRS_PER_VARIANT:,} numbers of each letter, from {first} to {last}",
            f"that range holds {last - first + 1:,} numbers",
            _either(last - first + 1 == original.PAIRS_PER_VARIANT),
            "What is there",
        ),
        Claim(
            "2.1",
            "h and v stand for degrees of blur or sharpness",
            ", ".join(f"{letter}: {value:.2f} of the detail left" for letter, value in by_letter.items())
            or "no letters",
            NOT_TESTED if len(by_letter) < 2 else _either(np.ptp(by_letter) > 0.01),
            "What h and v stand for",
        ),
        Claim(
            "2.1",
            "No two images need have the same size",
            f"{sizes:,} sizes among {len(pairs):,} pairs",
            _either(sizes > 1),
            "Sizes",
        ),
        Claim(
            "2.1",
            "Some images are too hazy, some pairs too bad or too good",
            f"{flags['name'].nunique():,} pairs flagged",
            _either(len(flags) > 0),
            "Which pairs to doubt",
        ),
        Claim(
            "2.1",
            "Squashing may lose detail",
            f"{found['psnr_of_squash']:.1f} dB left after squashing a sharp image and stretching it back",
            _either(found["psnr_of_squash"] < 40),
            "Importing",
        ),
        Claim(
            "2.1",
            "Values in [0, 1] make training better",
            f"error {scales.iloc[0]:.4f}, with values up to 255 {scales.iloc[1]:.4f}",
            _either(scales.iloc[1] > 1.1 * scales.iloc[0]),
            "Does scaling to [0, 1] help?",
            "2.7",
        ),
    ]


def _exploration(run: Run) -> Sequence[Claim]:
    summary = run.read_json("02_eda/summary.json")
    statistics = run.read_table("02_eda/intensity.csv")
    high = statistics[statistics["side"] == "high"]
    mean, skewness = summary["mean_intensity"]["high"], summary["skewness_of_mean_intensity"]["high"]
    numbers = "Mean, median, maximum and minimum"
    return [
        Claim("2.2", "Four pairs, before and after", "pairs drawn at random", SHOWN, "Pairs to look at"),
        Claim(
            "2.2",
            "Images are bright, with a mean intensity of "
            f"{original.MEAN_INTENSITY:.1f} (standard deviation {original.MEAN_INTENSITY_DEVIATION:.1f})",
            f"{mean:.1f} ({summary['deviation_of_mean_intensity']['high']:.1f})",
            _either(mean > 127.5),
            numbers,
        ),
        Claim(
            "2.2",
            "The means lie towards the bright end",
            f"skewness {skewness:+.2f}; negative: the longer tail is dark",
            _either(skewness < 0),
            numbers,
        ),
        Claim(
            "2.2",
            "Medians lie further to the bright end than means",
            f"medians {high['median'].mean():.1f}, means {high['mean'].mean():.1f}",
            _either(high["median"].mean() > high["mean"].mean()),
            numbers,
        ),
        Claim("2.2", "Histograms of maximum and minimum", "of both sides", SHOWN, numbers),
        Claim(
            "2.2",
            "Changing backgrounds may be a problem",
            "their spread, not their effect",
            NOT_TESTED,
            "Background colours",
        ),
    ]


def _split(run: Run) -> Sequence[Claim]:
    summary = run.read_json("03_split/summary.json")
    ours, theirs = (tuple(pairs[part] for part in original.SPLIT) for pairs in (summary["pairs"], original.SPLIT))
    decoding, streaming = run.read_table("03_split/speeds.csv")["images per second"]
    leak = summary["leaked"]["naive_mean"]
    return [
        Claim(
            "2.3",
            f"{' / '.join(map(str, theirs))} pairs for training, validation and test",
            " / ".join(map(str, ours)),
            AGREES if ours == theirs else OTHER_IMAGES,
        ),
        Claim(
            "2.3",
            "A generator of batches lifts the limit that memory sets",
            f"streamed at {streaming / decoding:.0%} of the speed of decoding alone",
            SHOWN,
            "Streaming",
        ),
        Claim(
            "2.3",
            "Nothing leaks from the test set, since pre-processing mixes no images",
            f"drawn pair by pair, {leak:.0%} of the test pairs would show a card of the training set",
            PARTLY if leak > 0 else AGREES,
            "The leak of a naive split",
        ),
    ]


def _preprocessing(run: Run) -> Sequence[Claim]:
    judged = run.read_table("04_preprocessing/verdicts.csv")
    words = {"agree": AGREES, "disagree": DIFFERS, "not known": NOT_TESTED}
    cleaned = run.read_table("04_preprocessing/cleaning.csv").groupby("trained_on", sort=False)["psnr"]
    gain = cleaned.mean()["clean pairs"] - cleaned.mean()["clean and flagged pairs"]
    spread = (cleaned.max() - cleaned.min()).max()
    patterns = run.read_table("04_preprocessing/patterns.csv")
    return [
        Claim("2.4", "A card before and after denoising", "every technique, on both sides", SHOWN, "Before and after"),
        *(
            Claim("2.4", claim, measured, words.get(verdict, PARTLY), "The verdicts")
            for claim, measured, verdict in judged.itertuples(index=False)
        ),
        Claim(
            "2.4",
            "Wish: leaving bad pairs out would help",
            f"{gain:+.2f} dB; {spread:.2f} dB between seeds",
            _either(gain > spread),
            "Cleaning",
        ),
        Claim(
            "2.4",
            "Wish: repeating noise can be taken out in the frequency domain",
            f"{patterns['before'].mean():.1f} to {patterns['after'].mean():.1f} dB on planted patterns",
            _either(patterns["after"].mean() > patterns["before"].mean()),
            "Frequency domain",
        ),
    ]


def _selection(run: Run) -> Sequence[Claim]:
    psnr = run.read_json("05_model/experiments.json")
    deeper = {
        name: psnr[f"srcnn-9-{middle}1-5"] - psnr[f"srcnn-9-{middle.rstrip('-')}-5"]
        for name, middle in (("9-1-5", "1-"), ("9-3-5", "3-"), ("9-5-5", "5-"))
    }
    wider = psnr["srcnn-9-5-5"] - psnr["srcnn-9-1-5"]
    linear = psnr["srcnn-9-1-5, linear end"] - psnr["srcnn-9-1-5"]
    gains = run.read_table("05_model/zoo.csv").set_index("network")["gain"].drop(UNTOUCHED)
    attentive = gains.index.str.match("rcan|san|wran|nafnet|span")
    return [
        Claim("2.5", "Families of networks, and a survey's graph of quality against cost", "costs counted", SHOWN),
        Claim(
            "2.5",
            "Attention networks score higher than plain ones",
            f"light ones {gains[attentive].mean():+.2f} dB, others {gains[~attentive].mean():+.2f} dB, little trained",
            _either(gains[attentive].mean() > gains[~attentive].mean()) if gains.max() > 0.5 else NOT_TESTED,
            "A light version of each, trained alike",
        ),
        Claim("2.5", "SRCNN's three parts, and its loss", "with the reason why least error is highest PSNR", SHOWN),
        Claim(
            "2.5",
            "One more layer in the middle does not help",
            ", ".join(f"{name} {gain:+.2f} dB" for name, gain in deeper.items()),
            _either(max(deeper.values()) < 0.1),
        ),
        Claim("2.5", "9-1-5 does better than other sizes", f"9-5-5 {wider:+.2f} dB against 9-1-5", _either(wider <= 0)),
        Claim(
            "2.6",
            "The last layer needs a ReLU, since negative values mean nothing",
            f"without it {linear:+.2f} dB",
            _either(linear < -0.1),
        ),
    ]


def _construction(run: Run) -> Sequence[Claim]:
    parameters = run.read_json("05_model/summary.json")["parameters"]
    return [
        Claim(
            "2.6",
            "TensorFlow is closer to industry, and slower in training than PyTorch",
            "TensorFlow is used",
            NOT_TESTED,
        ),
        Claim(
            "2.6",
            "Code of the network, its formulas, layers and diagram",
            "formulas, layers and diagram; code is folded",
            SHOWN,
        ),
        Claim(
            "2.6",
            f"{original.PARAMETERS:,} parameters",
            f"{parameters:,}",
            _either(parameters == original.PARAMETERS),
        ),
    ]


def _training(run: Run) -> Sequence[Claim]:
    trained = run.read_json("06_training/summary.json")
    untouched = trained["untouched_val_mse"]
    share = run.read_table("06_training/complexity.csv").eval("variance / error").max()
    late, end = original.VAL_LOSS[29], original.VAL_LOSS[39]
    step = original.MILLISECONDS_PER_STEP[-1] / 1000
    curves = "Reading the curves"
    return [
        Claim("2.7", "The call of fit, argument by argument", "with ours beside it", SHOWN, "The call"),
        Claim("2.7", f"A log of {original.EPOCHS} epochs", "the same, beside ours", SHOWN, "The log"),
        Claim(
            "2.7",
            f"It ends at {original.LOSS[-1]} / {end}",
            f"{trained['final_loss']:.4f} / {trained['final_val_loss']:.4f}",
            OTHER_IMAGES,
            "The log",
        ),
        Claim(
            "2.7",
            f"“{original.SECONDS_PER_EPOCH[1]}s {original.MILLISECONDS_PER_STEP[-1]}ms/step” is the time of one batch",
            f"{original.STEPS_PER_EPOCH} steps of {step:g} s are {original.STEPS_PER_EPOCH * step:.1f} s, an epoch",
            _either(original.STEPS_PER_EPOCH * step > 1.5 * original.SECONDS_PER_EPOCH[1]),
            "The log",
        ),
        Claim(
            "2.7",
            "A loss of 0.00… is good",
            f"doing nothing has {untouched:.4f}",
            _either(untouched >= 0.01),
            curves,
        ),
        Claim(
            "2.7",
            "Training and validation loss lie close: rather underfitted",
            f"gap {trained['gap']:+.0%}; the best so far fell by {trained['still_falling']:.1%} in the last quarter",
            _either(abs(trained["gap"]) < 0.25 and trained["still_falling"] > 0),
            curves,
        ),
        Claim(
            "2.7",
            "40 epochs are hardly better than 30",
            f"in the original's own log {1 - end / late:.1%} less; "
            f"here within 1 % of the best from epoch {trained['enough_epoch']} on",
            _either(1 - end / late < 0.05),
            curves,
        ),
        Claim(
            "2.7",
            "The graph of error against complexity: variance takes over",
            f"variance is at most {share:.0%} of the error",
            _either(share > 0.5),
            "Error against complexity",
        ),
    ]


def _evaluation(run: Run, model: str) -> Sequence[Claim]:
    scores = run.read_table("07_evaluation/summary.csv").set_index("method")
    gain = scores.loc[model, "psnr_mean"] - scores.loc[UNTOUCHED, "psnr_mean"]
    set5 = records.read_table("set5/scores")
    return [
        Claim(
            "2.8",
            "Formulas and code of MSE, log10 and PSNR",
            "and what other libraries make of them",
            SHOWN,
            "The code",
        ),
        Claim(
            "2.8", "The perceptual loss looks at features, not pixels", "as a measure, with a reader's features", SHOWN
        ),
        Claim("2.9", "Samples: low, predicted and high", "four, with scores", SHOWN, "Samples"),
        Claim(
            "2.9",
            f"{original.TEST_PSNR:.2f} dB and an MSE of {original.TEST_MSE:.5f} on test images",
            f"{scores.loc[model, 'psnr_mean']:.2f} dB and {scores.loc[model, 'mse']:.5f}; "
            f"untouched {scores.loc[UNTOUCHED, 'psnr_mean']:.2f} dB",
            OTHER_IMAGES,
        ),
        Claim(
            "2.9", "The network improves the images", f"{gain:+.2f} dB against leaving them alone", _either(gain > 0)
        ),
        Claim(
            "2.9",
            f"The paper's {original.PSNR_YARDSTICK:.0f} dB are the yardstick",
            "another task, other images, brightness only"
            + (
                "; by its protocol " + " / ".join(f"{value:.1f}" for value in set5["SRCNN 9-1-5"]) + " dB"
                if set5 is not None
                else ""
            ),
            OTHER_IMAGES,
            "The paper's own test",
            "2.7",
        ),
    ]


def _tuning(run: Run) -> Sequence[Claim]:
    best = run.read_json("08_tuning/summary.json")["best_learning_rate"]
    return [
        Claim("2.10", "Wishes: all data, other steps, other networks, a search", "see there", SHOWN),
        Claim(
            "2.10",
            f"A learning rate of {original.LEARNING_RATE:g}",
            f"{best:g} is the best of those tried",
            _either(best == original.LEARNING_RATE),
        ),
    ]


def _conclusion(run: Run, native: str) -> Sequence[Claim]:
    reading = run.read_table("07_evaluation/reading_summary.csv")
    rates = reading[reading["engine"] == reading["engine"].iloc[0]].set_index("method")["error_rate"]
    return [
        Claim(
            "3",
            "Enhanced images can be read by OCR",
            f"character errors {rates[UNTOUCHED]:.1%} before, {rates[native]:.1%} after; sharp {rates[SHARP]:.1%}",
            _either(rates[native] < rates[UNTOUCHED]),
        ),
    ]
