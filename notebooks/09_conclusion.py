# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.format_version,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 Conclusion and final remarks
#
# The original ends by saying that images were enhanced so that OCR may read them, and that much room for
# improvement is left. What this run found, stage by stage, is read here from its results.

# %% tags=["parameters"]
run_folder = "../reports/standard"
model = "srcnn-9-1-5"
native_models = ["srcnn-9-1-5", "house"]

# %%
import numpy as np
import pandas as pd
from IPython.display import Markdown

from srcnn_lib import claims, comparison, enhancer, evaluation, figures, images, metrics, original, records
from srcnn_lib.runs import Run

run = Run(run_folder)
inspection = run.read_json("01_inspection/summary.json")
brightness = run.read_json("02_eda/summary.json")
parts = run.read_json("03_split/summary.json")
preprocessing = run.read_json("04_preprocessing/summary.json")
network = run.read_json("05_model/summary.json")
trained = run.read_json("06_training/summary.json")
costs = run.read_table("06_training/native_comparison.csv").set_index("network")
scores = run.read_table("07_evaluation/summary.csv").set_index("method")
against_untouched = run.read_table("07_evaluation/compared.csv").set_index("method")
native = run.read_table("07_evaluation/native_summary.csv").set_index("method")
everything_read = run.read_table("07_evaluation/reading_summary.csv")
tuned = run.read_json("08_tuning/summary.json")
climb = run.read_table("08_tuning/ladder.csv")
errors = run.read_table("08_tuning/judged.csv").set_index("method")["error"]
published = records.read("published")
titles = {number: f"{number} {title}" for number, title in original.CONTENTS}


def between(row: pd.Series, unit: float = 1, digits: int = 2) -> str:
    """The ends of a difference's interval."""
    low, high = (unit * row[f"difference_{end}"] for end in ("low", "high"))
    return f"{low:+.{digits}f} to {high:+.{digits}f}"


def by_chance(row: pd.Series) -> bool:
    return comparison.by_chance(row["difference_low"], row["difference_high"])


# %%
house = native_models[-1]  # the profile's last one speaks for what reading gains; no test score chose it
enhanced = f"{house}, native"
engine = everything_read["engine"].iloc[0]
reading = everything_read[everything_read["engine"] == engine].set_index("method")
psnr, rates = scores["psnr_mean"], reading["error_rate"]
squashed, classical = (against_untouched.loc[method] for method in (model, evaluation.CLASSICAL))
before, after, sharp = (rates[method] for method in (evaluation.UNTOUCHED, enhanced, evaluation.SHARP))
share = comparison.recovered(before, after, sharp)
middle = run.read_json("07_evaluation/middle_card.json")
views = {
    view: images.read(run.existing(f"07_evaluation/middle_card/{view}.png")) for view in ("before", "after", "sharp")
}
figures.summary(
    [
        (
            "Doing nothing, which the original did not score",
            f"{psnr[evaluation.UNTOUCHED]:.2f} dB",
            f"PSNR of {parts['pairs']['test']} untouched test images, squashed to {preprocessing['image_size']} pixels",
        ),
        (
            "The original's network on them, trained here",
            f"{squashed['difference']:+.2f} dB",
            f"SRCNN; 95 % interval {between(squashed)}{', which contains 0' if by_chance(squashed) else ''}; unsharp masking, one line of "
            f"code: {classical['difference']:+.2f} dB ({between(classical)})",
        ),
        (
            "A network made for whole cards",
            f"{native.loc[enhanced, 'difference']:+.2f} dB",
            f"{'the project’s own ' if house.startswith('house') else ''}“{house}”, {native.loc[enhanced, 'images']} cards at native resolution; 95 % "
            f"interval {between(native.loc[enhanced])}; how it came about: " + figures.link("the ladder", "ladder"),
        ),
        (
            "Characters misread",
            f"{before:.1%} → {after:.1%}",
            f"before and after that network, by {engine}; 95 % interval of the change {between(reading.loc[enhanced], 100, 1)} percentage "
            f"points{', which contains 0' if by_chance(reading.loc[enhanced]) else ''}; {sharp:.1%} on the sharp images",
        ),
        (
            "How far towards the sharp image",
            f"{share:.0%}" if pd.notna(share) else "not known",
            "of the way from the misread characters of untouched cards down to those of sharp ones; 0%: read as badly as before, 100%: read as "
            "well as a sharp card",
        ),
        (
            "What it costs",
            f"{costs.loc[house, 'seconds']:,.0f} s",
            f"of training on {trained['device']}; {costs.loc[house, 'parameters']:,} parameters",
        ),
    ],
    figures.before_after(
        views,
        caption=f"A typical test card: of those that were misread before, the one in the middle by what enhancement changed ({middle['name']}; "
        f"{middle['errors before']:.0%} character errors before, {middle['errors after']:.0%} after {middle['method']}). Section 2.9 has the best and the worst.",
        alt=f"The card {middle['name']},",
    ),
    figures.figure(
        figures.ladder(climb, errors[evaluation.UNTOUCHED], errors[evaluation.SHARP]),
        caption="What each change brought, from the published recipe (at the foot) upwards, on a few validation cards (untouched "
        f"{errors[evaluation.UNTOUCHED]:.0%} character errors). All but the top one are shown as many pixels, of which whole images make only {climb['updates'].iloc[0]} updates: the foot is a recipe cut short, and “{climb['name'].iloc[1]}” brings {climb['step'].iloc[1]:+.2f} dB. "
        "“Kept” is one that was trained elsewhere. Section 2.10 says how this was measured.",
        alt=f"Rows of bars from the bottom up: the published recipe {climb['gain'].iloc[0]:+.2f} dB, at the top the enhancer "
        f"{climb['gain'].iloc[-1]:+.2f} dB over the untouched card.",
    ),
)

# %%
figures.beside_original(
    [
        ("2.1 sound pairs", f"{inspection['pairs']:,}", f"{original.PAIRS:,}"),
        (
            "2.2 mean intensity, high side",
            f"{brightness['mean_intensity']['high']:.1f}",
            f"{original.MEAN_INTENSITY:.1f}",
        ),
        (
            "2.3 pairs for training / validation / test",
            " / ".join(str(parts["pairs"][part]) for part in original.SPLIT),
            " / ".join(map(str, original.SPLIT.values())),
        ),
        ("2.4 steps on labels", ", ".join(preprocessing["label_steps"]) or "none", "non-local means"),
        ("2.6 parameters", f"{network['parameters']:,}", f"{original.PARAMETERS:,}"),
        ("2.7 final validation error", f"{trained['final_val_loss']:.4f}", f"{original.VAL_LOSS[-1]:.4f}"),
        ("2.9 PSNR on test pairs", f"{psnr[model]:.2f} dB", f"{original.TEST_PSNR:.2f} dB"),
        ("2.9 PSNR of the untouched input", f"{psnr[evaluation.UNTOUCHED]:.2f} dB", "not reported"),
        (f"2.9 character errors, untouched and after {house}", f"{before:.1%} and {after:.1%}", "not reported"),
        (
            "2.10 best learning rate of those tried",
            f"{tuned['best_learning_rate']:g}",
            f"{original.LEARNING_RATE:g} (used)",
        ),
    ],
    caption="The whole run in a few numbers, beside the original's.",
)

# %%
by_error = scores["psnr_of_mean_mse"]
Markdown(
    f"**The original's network, trained here.** On images squashed to {preprocessing['image_size']} pixels, SRCNN as "
    f"[section 2.7](#{figures.anchor(titles['2.7'], 'The call')}) trains it changes the PSNR of the "
    f"{squashed['images']} test images by {squashed['difference']:+.2f} dB (95 % interval {between(squashed)}, p = {squashed['p']:.1g}; [the table](#scores)): "
    + ("chance may have made that. " if by_chance(squashed) else "more than chance makes. ")
    + f"One line of unsharp masking brings {classical['difference']:+.2f} dB ({between(classical)}). These are means of the images' own PSNR. By "
    f"the mean error of all images SRCNN makes {by_error[model] - by_error[evaluation.UNTOUCHED]:+.2f} dB, since there the worst images count most. Before any "
    f"network has done anything, a sharp image that is squashed and stretched back is left with {inspection['psnr_of_squash']:.1f} dB."
)

# %%
if published:
    kept = pd.DataFrame(published["test"]).set_index("method")
    there, alone = kept.loc[published["model"]], kept.loc[evaluation.UNTOUCHED]
    on_validation = metrics.psnr_from_mse(published["final_val_loss"]) - metrics.psnr_from_mse(
        published["untouched_val_mse"]
    )
    # drawn by another version, images can be the same all the same: then so is the error of leaving them alone
    same_pairs = np.isclose(alone["mse"], scores.loc[evaluation.UNTOUCHED, "mse"], rtol=1e-4)
    recipe = (
        f"The original's own recipe, on whole images, was run in full on {published['date']} ([the table](#published-run))"
        + ("" if same_pairs else ", on other test pairs than these")
        + f". On test images it has {there['psnr_mean']:.2f} dB, where leaving them alone has {alone['psnr_mean']:.2f} dB: it "
        f"{'loses' if there['psnr_mean'] < alone['psnr_mean'] else 'gains'} {abs(there['psnr_mean'] - alone['psnr_mean']):.2f} dB. By the mean error of all "
        f"images it makes {there['psnr_of_mean_mse'] - alone['psnr_of_mean_mse']:+.2f} dB there, and {on_validation:+.2f} dB on validation images. "
        "Only means were kept, so there is no interval. "
    )
else:
    recipe = "Nobody has run the original's own recipe in full yet: `make published`. "
Markdown(
    f"**The published recipe.** {recipe}At the foot of [the ladder](#ladder) it is cut to {climb['updates'].iloc[0]} updates, which says how slowly it "
    "starts and not how far it gets."
)

# %%
readable = reading.drop(index=[evaluation.UNTOUCHED, evaluation.SHARP])
best = readable["error_rate"].idxmin()
fooled = comparison.at_odds(native.reset_index(), reading.reset_index())
change = reading.loc[enhanced]
Markdown(
    f"**Reading.** {engine} misreads {before:.1%} of the characters of untouched cards and {sharp:.1%} of the sharp ones. After {house} it "
    f"misreads {after:.1%} ({100 * (after - before):+.1f} percentage points, 95 % interval {between(change, 100, 1)}, p = {change['p']:.1g}; "
    f"[the table](#reading)). "
    + (
        f"The fewest errors are left by {best} ({rates[best]:.1%}). "
        if best != enhanced
        else "No other method here leaves fewer. "
    )
    + (
        f"A decibel is no letter: {' and '.join(f'“{method}”' for method in fooled)} {'has' if len(fooled) == 1 else 'have'} a higher PSNR than the untouched cards and more errors"
        + (
            "."
            if all(fooled.values())
            else f", though {'but for ' + ' and '.join(f'“{method}”' for method, sure in fooled.items() if sure) + ' ' if any(fooled.values()) else ''}chance may have made either."
        )
        + " "
        if fooled
        else "No method here gains decibels and loses letters, though nothing keeps one from it. "
    )
    + (
        f"Whether the original's aim, that enhanced images can be read better, is met, these {change['images']} images do not decide: the interval contains 0."
        if by_chance(change)
        else "So the original's aim, that enhanced images can be read better, is met in part: most errors that a sharp image would spare remain."
        if after < before and share < claims.GOOD_SHARE
        else "So the original's aim, that enhanced images can be read better, is met."
        if after < before
        else "So the original's aim, that enhanced images can be read better, is not met in this run."
    )
)

# %%
log = records.read_table("reading/log")
kept = pd.DataFrame()
if log is not None:
    kept = comparison.first_scorings(log[log["kind"] == "value"], enhancer.hashes())
    kept = kept[kept["test"] == "drawn"]
of_engines = dict(iter(kept.set_index("method").groupby("engine", sort=False))) if len(kept) else {}
plain = next((method for method in kept.get("method", ()) if method.endswith(", after both")), None)
said = [
    f"- {name}: {rows.loc[evaluation.UNTOUCHED, 'error_rate']:.1%} untouched, "
    f"{rows.loc['waves and blur taken away', 'error_rate']:.1%} with waves and blur taken away, {rows.loc[plain, 'error_rate']:.1%} with unsharp masking after that, "
    + ", ".join(
        f"{row['error_rate']:.1%} with {network} after it ({100 * row['difference']:+.1f} points, {between(row, 100, 1)}; "
        + (f"{row['invented']:.1%} of values invented)" if row["invented"] >= 0 else "values invented not counted)")
        for network, row in rows[rows["weights"].fillna("") != ""].iterrows()
    )
    + f", {rows.loc[evaluation.SHARP, 'error_rate']:.1%} sharp."
    for name, rows in of_engines.items()
]
Markdown(
    "**The enhancer** that comes with the project takes waves and blur away and then applies a network that was trained for longer. All "
    f"{kept['images'].iloc[0]} images of the default data set's test cards were read after it, which decides more ([section 2.9](#shipped-reading)). "
    "Character errors in values:\n\n"
    + "\n".join(said)
    + "\n\nInvented is what was read wrongly with confidence where no confident reading was before: whoever relies "
    "on a reading has to check it, all the more after enhancement. Which network to take, and when none, is told [there](#shipped-beside), too."
    if of_engines
    else ""
)

# %%
cards = native.loc[enhanced, "images"]
wishes = {
    "all the data": [("2.10", "The whole data set")],
    "cleaning": [("2.1", "Which pairs to doubt"), ("2.4", "Cleaning")],
    "the frequency domain": [
        ("2.4", "Frequency domain"),
        ("2.9", "Before the network: waves and blur"),
        ("2.10", "More pre-processing"),
    ],
    "better networks": [("2.5", "A light version of each, trained alike"), ("2.10", "Another model")],
    "a search of hyperparameters": [("2.10", "Hyperparameters")],
}
taken_up = [
    f"{wish} in "
    + " and ".join(f"[{section}](#{figures.anchor(titles[section], heading)})" for section, heading in places)
    for wish, places in wishes.items()
]
Markdown(
    f"**What remains.** {cards} images of test cards were read"
    + (": a sample, too small for differences within the intervals to mean anything. " if cards < 200 else ". ")
    + (
        "They are drawn, and their faults are computed; photographs will bring others. "
        if run.inputs["data"]["drawn"]
        else "They are one reader's own images. "
    )
    + f"The networks for whole cards were trained for {costs['seconds'].sum():,.0f} s in all. What the original wished for is taken up one by one: "
    f"{'; '.join(taken_up)}. What several changes brought together is in [the figure](#ladder)."
)

# %% [markdown]
# # Map of the original
#
# Every claim and figure of the original, in its order: what this run found, and whether it agrees. Headings of this report that end in ◆ have no
# counterpart there.

# %%
mapped = claims.of_run(run, model=model, native=enhanced)
run.write_table("09_conclusion/map.csv", mapped)
figures.table(
    pd.DataFrame(
        {
            "section": mapped["section"],
            "the original": mapped["claim"],
            "this run": mapped["here"],
            "verdict": mapped["verdict"],
            "where": [
                figures.link(
                    row.place_section or row.section,
                    figures.anchor(titles[row.place_section or row.section], row.place),
                )
                for row in mapped.itertuples()
            ],
        }
    ),
    caption="The original, claim by claim. "
    + "; ".join(f"{verdict}: {meaning}" for verdict, meaning in claims.VERDICTS.items())
    + ".",
    sortable=True,
    key="map",
)

# %%
counted = mapped["verdict"].value_counts().reindex(list(claims.VERDICTS), fill_value=0)
tested = counted[[claims.AGREES, claims.PARTLY, claims.DIFFERS]]
Markdown(
    f"Of {tested.sum()} claims on which a test decided, this run agrees with {tested[claims.AGREES]}, with {tested[claims.PARTLY]} in part, and "
    f"differs on {tested[claims.DIFFERS]}. On {counted[claims.UNDECIDED]} more, what was measured may be chance. "
    f"{counted[claims.OTHER_IMAGES]} numbers belong to other images, and {counted[claims.NOT_TESTED]} claims were not tested."
)
