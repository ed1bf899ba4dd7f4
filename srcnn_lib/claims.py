"""Section 3: what the original claims and shows, where ours stands, and whether it agrees.

The one place that lists it. Each function below has the rows of some sections; whatever is a number is read from the
results of the run, and so is the verdict. One rule holds for all: what chance may have made decides nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from srcnn_lib import comparison, metrics, original, records, scaling, superresolution
from srcnn_lib.evaluation import SHARP, UNTOUCHED, degradations
from srcnn_lib.runs import Run

AGREES, DIFFERS, PARTLY, SHOWN = "agrees", "differs", "partly", "shown"
UNDECIDED, OTHER_IMAGES, NOT_TESTED = "undecided", "other images", "not tested"
VERDICTS = {
    AGREES: "the results of this run say the same, or the original's own figures where it is these that are looked at",
    DIFFERS: "they say otherwise",
    PARTLY: "they bear out a part of it",
    UNDECIDED: "it was measured, but chance may have made the difference: its 95 % interval contains 0 or p is 0.05 or "
    "more, it is within what another seed makes or within the swing of a curve, it rests on too few or short trainings,"
    " or it is a tie",
    SHOWN: "a figure, table, formula or piece of code that is here too",
    OTHER_IMAGES: "a number from other images, with ours beside it",
    NOT_TESTED: "repeated here as the original's word, and not put to a test",
}
FEWEST_TRIALS = 3  # finished trials that an optimiser needs before it is compared with another
_SEED = 1  # of the samples that intervals are drawn with
GOOD_SHARE = 0.5  # of the way to no error, or to what is read on sharp cards: below this, a network did not do well
LITTLE = 0.5  # dB over doing nothing: where no network gains as much, the trainings were too short to tell them apart
SAME_ERROR = 1.1  # errors whose ratio is below this count as the same


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


def _beyond(gain: float, chance: float) -> str:
    """The verdict on a claim that is right if `gain` is positive: only a gain larger than chance decides.

    `chance` is in the unit of the gain, such as what another seed changes. NaN, for not known, decides nothing.
    """
    if not abs(gain) > chance:
        return UNDECIDED
    return _either(gain > 0)


def _beyond_interval(low: float, high: float, p: float = 0.0) -> str:
    """The verdict on a claim that is right if a gain is positive: an interval of it that contains 0 decides nothing.

    Nor does one with `p` from 0.05 on: two or three images bound an interval, but prove nothing.
    """
    return UNDECIDED if comparison.by_chance(low, high) or p >= 0.05 else _either(low > 0)


def _positive(differences: pd.Series) -> str:
    """The verdict on a claim that is right if differences, one an image, are positive in the mean."""
    ends = comparison.interval(differences.rename("difference").to_frame(), "difference", seed=_SEED)[1:]
    return _beyond_interval(*ends)


def _together(verdicts: Sequence[str]) -> str:
    """The verdict on a claim of several parts, from the verdicts on the parts.

    One verdict if all parts have it. Partly if any part agrees, whatever the others do. Otherwise no part agrees and
    not all differ: undecided, since a part that chance may have made can still turn out either way.
    """
    if len(set(verdicts)) == 1:
        return verdicts[0]
    return PARTLY if AGREES in verdicts else UNDECIDED


class Lead(NamedTuple):
    """How far one training curve lies above another, in dB."""

    gain: float
    chance: float  # what another seed changes or, with one seed, another look; NaN where neither is known


def _lead(curves: pd.DataFrame, model: str, base: str) -> Lead:
    """The lead of `model` over `base` in the second half of their curves.

    The last look alone would be no measure, since a curve swings from one to the next: this takes the mean. Of several
    seeds, each has a mean, and chance is the largest less the smallest of these. Where there is one seed, nothing but
    the curve itself tells how far it can be trusted: chance is then the largest less the smallest of its looks.

    `curves` has a row a look: model, seed, updates and psnr.
    """
    psnr = curves[curves["updates"] > curves["updates"].max() / 2].pivot(
        index=["seed", "updates"], columns="model", values="psnr"
    )
    looks = (psnr[model] - psnr[base]).dropna()
    seeds = looks.groupby("seed").mean()
    measured = seeds if len(seeds) > 1 else looks
    return Lead(seeds.mean(), np.ptp(measured) if len(measured) > 1 else np.nan)


def _leads(leads: Mapping[str, Lead]) -> str:
    """Leads in words, by the name of the network."""
    return ", ".join(
        f"{name} {lead.gain:+.2f} dB "
        + (f"(by chance up to {lead.chance:.2f})" if np.isfinite(lead.chance) else "(chance not known)")
        for name, lead in leads.items()
    )


def _inspection(run: Run) -> Sequence[Claim]:
    found = run.read_json("01_inspection/summary.json")
    pairs = run.read_table("01_inspection/pairs.csv")
    flags = run.read_table("01_inspection/flags.csv")
    detail = run.read_table("01_inspection/quality.csv").merge(pairs[["name", "variant"]], on="name")
    by_letter = detail.groupby("variant")["detail"].mean()
    sizes = len(pairs[["width", "height"]].drop_duplicates())
    first, last = original.NUMBERS
    scales = run.read_table("06_training/scales.csv")["MSE after"]
    full_size, light = (run.read_table(f"05_model/{name}.csv")["network"] for name in ("published", "zoo"))
    return [
        Claim(
            "1.2",
            "Eight networks for super-resolution",
            f"{len(full_size)} built at their authors' size, {light.str.endswith('-light').sum()} light ones trained",
            SHOWN,
            "The networks of the literature",
            "2.5",
        ),
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
            _beyond(np.log(scales.iloc[1] / scales.iloc[0]), np.log(SAME_ERROR)),
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
        _kinds_of_noise(run),
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
            _positive(high["median"] - high["mean"]),
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


def _kinds_of_noise(run: Run) -> Claim:
    claim = "Blur, circular marks and salt-and-pepper noise among the images"
    names = run.read_table("01_inspection/pairs.csv")["name"]
    drawn = degradations(run.data_folder, names)
    if drawn is None:
        return Claim("2.2", claim, "what spoilt these images is not known", NOT_TESTED, "Pairs to look at")
    kinds = {
        "blur": ("gaussian", "disc", "motion", "downup"),
        "round marks": ("marks",),
        "salt and pepper": ("salt_pepper",),
    }
    shares = {name: drawn.loc[drawn["kind"].isin(own), "name"].nunique() / len(names) for name, own in kinds.items()}
    here = "drawn so: " + ", ".join(f"{name} on {share:.0%}" for name, share in shares.items()) + " of the pairs"
    return Claim("2.2", claim, here, OTHER_IMAGES, "Pairs to look at")


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
    cleaned = run.read_table("04_preprocessing/cleaning.csv").groupby("trained_on", sort=False)["psnr"]
    gain = cleaned.mean()["clean pairs"] - cleaned.mean()["clean and flagged pairs"]
    spread = (cleaned.max() - cleaned.min()).max()
    patterns = run.read_table("04_preprocessing/patterns.csv")
    return [
        Claim("2.4", "A card before and after denoising", "every technique, on both sides", SHOWN, "Before and after"),
        *(
            Claim("2.4", claim, measured, _in_words_of_the_map(verdict), "The verdicts")
            for claim, measured, verdict in judged.itertuples(index=False)
        ),
        Claim(
            "2.4",
            "Wish: leaving bad pairs out would help",
            f"{gain:+.2f} dB; {spread:.2f} dB between seeds",
            _beyond(gain, spread),
            "Cleaning",
        ),
        Claim(
            "2.4",
            "Wish: repeating noise can be taken out in the frequency domain",
            f"{patterns['before'].mean():.1f} to {patterns['after'].mean():.1f} dB on planted patterns",
            _positive(patterns["after"] - patterns["before"]),
            "Frequency domain",
        ),
    ]


def _in_words_of_the_map(verdict: str) -> str:
    """A verdict of section 2.4, whose table may say more after the verdict."""
    known = {word: word for word in (AGREES, DIFFERS, UNDECIDED)} | {"not known": NOT_TESTED}
    return next((word for form, word in known.items() if verdict.startswith(form)), PARTLY)


def _selection(run: Run) -> Sequence[Claim]:
    curves = run.read_table("05_model/experiments.csv")
    deeper = {name: _lead(curves, f"srcnn-{name[:-1]}1-5", f"srcnn-{name}") for name in ("9-1-5", "9-3-5", "9-5-5")}
    wider = {name: _lead(curves, f"srcnn-{name}", "srcnn-9-1-5") for name in ("9-3-5", "9-5-5")}
    linear = _lead(curves, "srcnn-9-1-5, linear end", "srcnn-9-1-5")
    late = "in the second half of the curves: "
    gains = run.read_table("05_model/zoo.csv").set_index("network")["gain"].drop(UNTOUCHED, errors="ignore")
    attentive = gains.index.str.match("rcan|san|wran|nafnet|span")
    ahead = gains[attentive].mean() - gains[~attentive].mean()
    experiments = "The paper's experiments, repeated"
    return [
        Claim("2.5", "Families of networks, and a survey's graph of quality against cost", "costs counted", SHOWN),
        Claim(
            "2.5",
            "Attention networks score higher than plain ones",
            f"light ones {gains[attentive].mean():+.2f} dB, others {gains[~attentive].mean():+.2f} dB; "
            f"{'' if gains.max() > LITTLE else 'hardly trained, '}the best has {gains.max():+.2f} dB",
            _beyond(ahead, _chance_of_means(gains[attentive], gains[~attentive]))
            if gains.max() > LITTLE
            else UNDECIDED,
            "A light version of each, trained alike",
        ),
        _best_and_costliest(),
        Claim("2.5", "SRCNN's three parts, and its loss", "with the reason why least error is highest PSNR", SHOWN),
        Claim(
            "2.5",
            "One more layer in the middle does not help",
            late + _leads(deeper),
            _together([_beyond(-lead.gain, lead.chance) for lead in deeper.values()]),
            experiments,
        ),
        Claim(
            "2.5",
            "9-1-5 does better than other sizes",
            f"{late}{_leads(wider)} against it",
            _together([_beyond(-lead.gain, lead.chance) for lead in wider.values()]),
            experiments,
        ),
        Claim(
            "2.6",
            "The last layer needs a ReLU, since negative values mean nothing",
            late + _leads({"without it": linear}),
            _beyond(-linear.gain, linear.chance),
            experiments,
            "2.5",
        ),
    ]


def _chance_of_means(*groups: pd.Series) -> float:
    """By how much the means of two groups differ by chance: twice the standard error of their difference."""
    return 2 * float(np.sqrt(sum(group.var() / len(group) for group in groups)))


def _seeds(between_seeds: float) -> str:
    return f"; another seed: up to {between_seeds:.2f} dB"


def _best_and_costliest() -> Claim:
    """Of the networks that its section 1.2 lists, by their published PSNR at ×2 and what they cost as built here."""
    named = ["SRCNN 9-5-5", "ESPCN", "VDSR", "DRRN B1U25", "LapSRN", "SRResNet", "EDSR", "MDSR"]
    survey = superresolution.survey().set_index("network").loc[named].rename(columns={"×2": "PSNR"})
    edsr, others = survey.loc["EDSR"], survey.drop("EDSR")
    costs = ["parameters", "multiply-adds per pixel"]
    second = others["PSNR"].idxmax()
    best = round(edsr["PSNR"] - others["PSNR"].max(), 2)  # published to two digits
    return Claim(
        "2.5",
        "Of the networks that it lists EDSR is the best and costs most",
        f"published {edsr['PSNR']:.2f} dB (Set5 ×2), {'a tie with' if best == 0 else 'next'} {second}, "
        f"{others['PSNR'][second]:.2f} dB; {edsr['parameters']:,} parameters against at most "
        f"{others['parameters'].max():,}",
        _together([_beyond(best, 0), _either(all(edsr[cost] > others[cost].max() for cost in costs))]),
        "The networks of the literature",
    )


def _construction(run: Run) -> Sequence[Claim]:
    parameters = run.read_json("05_model/summary.json")["parameters"]
    finished = run.read_table("08_tuning/trials.csv").dropna(subset="psnr")
    by_optimizer = finished.groupby("optimizer")["psnr"].agg(["max", "size"])
    seeds = run.read_json("08_tuning/summary.json")["between_seeds"]
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
            "code line by line, formulas, layers and diagram",
            SHOWN,
        ),
        Claim(
            "2.6",
            "Adam does well; others were not tried",
            "best finished trial with "
            + ", ".join(f"{row.Index} {row.max:.2f} dB (of {row.size})" for row in by_optimizer.itertuples()),
            _adam(finished, seeds),
            "Hyperparameters",
            "2.10",
        ),
        Claim(
            "2.6",
            f"{original.PARAMETERS:,} parameters",
            f"{parameters:,}",
            _either(parameters == original.PARAMETERS),
        ),
    ]


def _adam(finished: pd.DataFrame, between_seeds: float) -> str:
    """Whether Adam keeps up with the others, by the trials that ended.

    Trials compare if their loss is the same, and an optimiser counts there if it has `FEWEST_TRIALS` of them. Medians
    are compared, since the best of many trials is better than the best of few.
    """
    if finished["optimizer"].nunique() < 2:
        return NOT_TESTED
    trials = finished.groupby(["loss", "optimizer"])["psnr"].agg(["median", "size"])
    medians = trials.loc[trials["size"] >= FEWEST_TRIALS, "median"].unstack()
    if "adam" not in medians:
        return UNDECIDED
    behind = medians.drop(columns="adam").sub(medians["adam"], axis=0).stack().dropna()
    return UNDECIDED if behind.empty else _either(behind.max() <= between_seeds)


def _training(run: Run) -> Sequence[Claim]:
    trained = run.read_json("06_training/summary.json")
    untouched = trained["untouched_val_mse"]
    left = trained["final_val_loss"] / untouched
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
            f"doing nothing has {untouched:.4f}, the network {trained['final_val_loss']:.4f}, {left:.0%} of it; "
            f"{GOOD_SHARE:.0%} would be good",
            _either(left <= GOOD_SHARE),
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
            f"in the original's own log {1 - end / late:.1%} less; in this run the best so far fell by "
            f"{trained['still_falling']:.1%} in the last quarter",
            _either(1 - end / late < 0.05),
            "40 epochs or 30?",
            "2.10",
        ),
        Claim(
            "2.7",
            "30 epochs, or even 20, might do",
            f"in the original's own log epoch 40 has {1 - end / original.VAL_LOSS[19]:.1%} less than epoch 20",
            _either(1 - end / original.VAL_LOSS[19] < 0.05),
            "The log",
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
    gain = run.read_table("07_evaluation/compared.csv").set_index("method").loc[model]
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
            "2.9",
            "The network improves the images",
            f"{gain['difference']:+.2f} dB against leaving them alone ({gain['difference_low']:+.2f} to "
            f"{gain['difference_high']:+.2f}, p = {gain['p']:.1g})",
            _beyond_interval(gain["difference_low"], gain["difference_high"], gain["p"]),
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
    summary = run.read_json("08_tuning/summary.json")
    seeds, best = summary["between_seeds"], summary["best_learning_rate"]
    points = run.read_table("08_tuning/pairs.csv")
    by_pairs = points.groupby(["network", "pairs"])["psnr"].mean().unstack()
    more = by_pairs.iloc[:, -1] - by_pairs.iloc[:, 0]
    chance = scaling.chance(points, seeds)
    steps = run.read_table("08_tuning/preprocessing.csv").set_index("pre-processing")
    trained = steps[steps["what is scored"].str.contains("network")].dropna(subset="gain")
    best_step = trained.loc[trained["gain"].idxmax()]
    tuned = pd.Series(summary["tuned_against_original"])
    return [
        Claim(
            "2.10",
            "Wish: the whole data set would do better",
            f"from {by_pairs.columns[0]} to {by_pairs.columns[-1]} pairs "
            + ", ".join(
                f"{name} {gain:+.2f} dB (another seed: "
                + (f"up to {chance[name]:.2f} dB)" if np.isfinite(chance[name]) else "not known)")
                for name, gain in more.items()
            ),
            _together([_beyond(gain, chance[name]) for name, gain in more.items()]),
            "The whole data set",
        ),
        Claim(
            "2.10",
            "Wish: more pre-processing, cleaning and the frequency domain",
            f"of {len(trained)} trained with it, the best “{best_step.name}” {best_step['gain']:+.2f} dB{_seeds(seeds)}"
            + ("; one seed each, and the best of several is the luckiest, too" if best_step["seeds"] < 2 else ""),
            # the best of several by one seed is beyond chance sooner than any of them
            _beyond(best_step["gain"], seeds if best_step["seeds"] > 1 and best_step["least"] > 0 else np.nan),
            "More pre-processing",
        ),
        _another_model(run),
        Claim(
            "2.10",
            "Wish: a search of the hyperparameters, such as a grid search",
            ", ".join(f"{name} {gain:+.2f} dB" for name, gain in tuned.items()) + f" on unseen images{_seeds(seeds)}",
            _beyond(tuned.max(), seeds),
            "Is the best really better?",
        ),
        Claim(
            "2.10",
            f"A learning rate of {original.LEARNING_RATE:g}",
            f"{best:.2g} in the best trial; what was searched gains {tuned.max():+.2f} dB at best on unseen images",
            AGREES if best == original.LEARNING_RATE else _beyond(-tuned.max(), seeds),
            "Is the best really better?",
        ),
        Claim(
            "2.10",
            "Regularisation is not needed",
            f"weight decay {summary['weight_decay']:+.2f} dB at best{_seeds(seeds)}",
            _beyond(-summary["weight_decay"], seeds),
            "Is the best really better?",
        ),
    ]


def _another_model(run: Run) -> Claim:
    """Of the networks at native resolution the best but SRCNN, by how far its validation curve lies above SRCNN's."""
    claim, heading = "Wish: another model may do better", "Another model"
    gains = run.read_table("06_training/native_comparison.csv").set_index("network")["gain"]
    others = gains.drop("srcnn-9-1-5", errors="ignore")
    if others.empty or len(others) == len(gains):
        return Claim("2.10", claim, "not trained side by side in this profile", NOT_TESTED, heading)
    epochs = run.read_table("06_training/native.csv").dropna(subset="val_mse")
    curves = epochs.rename(columns={"epoch": "updates"}).assign(
        seed=0, psnr=[metrics.psnr_from_mse(error) for error in epochs["val_mse"]]
    )
    lead = _lead(curves, others.idxmax(), "srcnn-9-1-5")
    here = f"at native resolution, in the second half of the epochs: {_leads({others.idxmax(): lead})} against SRCNN"
    return Claim("2.10", claim, here, _beyond(lead.gain, lead.chance), heading)


def _conclusion(run: Run, native: str) -> Sequence[Claim]:
    reading = run.read_table("07_evaluation/reading_summary.csv")
    methods = reading[reading["engine"] == reading["engine"].iloc[0]].set_index("method")
    rates, after = methods["error_rate"], methods.loc[native]
    low, high = after["difference_low"], after["difference_high"]
    better = _beyond_interval(-high, -low, after["p"])  # fewer errors are better
    return [
        Claim(
            "3",
            "Enhanced images can be read by OCR",
            f"character errors {rates[UNTOUCHED]:.1%} before, {rates[native]:.1%} after: "
            f"{100 * after['difference']:+.1f} percentage points ({100 * low:+.1f} to {100 * high:+.1f}, "
            f"p = {after['p']:.1g}); sharp {rates[SHARP]:.1%}",
            PARTLY if better == AGREES and after["recovered"] < GOOD_SHARE else better,
        ),
    ]
