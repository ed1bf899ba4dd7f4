"""What does a step of each recipe cost, and how long until the published recipe's final validation error?

`make bench` runs it on the prepared images of a run. Steps are measured in turns, each turn in a process of its own,
since a process's peak memory never falls. The published recipe's error is the recorded one of its one full run
(`srcnn_lib/records/published.json`); its time here is its number of steps at the speed measured now. The others are
trained now.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import keras
import pandas as pd
import tensorflow as tf

from srcnn_lib import batches, metrics, models, records, settings, training
from srcnn_lib.runs import Run

TURNS, STEPS = 2, 8
RECIPES = {"published": ("published", {}), "standard": ("standard", {}), "house": ("standard", {"model": "house"})}


def build(name: str) -> tuple[keras.Model, training.Recipe, settings.Settings]:
    """The untrained network and the recipe of one of `RECIPES`."""
    profile, changes = RECIPES[name]
    chosen = settings.load(settings.PROFILES / f"{profile}.yaml").model_copy(update=changes)
    keras.utils.set_random_seed(chosen.seed)
    start = {"start": chosen.start} if chosen.model.startswith("srcnn") else {}
    recipe = training.Recipe(
        epochs=chosen.epochs,
        learning_rate=chosen.learning_rate,
        schedule=chosen.schedule,
        clip_norm=chosen.clip_norm,
        keep=chosen.keep,
        validate_every=chosen.validate_every,
        precision=chosen.precision,
    )
    return models.build(chosen.model, **start), recipe, chosen


def data(run: Run, chosen: settings.Settings) -> tuple[batches.Shuffled, tf.data.Dataset]:
    """Training and validation batches of a run's prepared images."""
    parts, prepared = run.read_table("03_split/split.csv"), run.existing("04_preprocessing/prepared")
    train, validation = (
        batches.Packed(batches.Files(*batches.files(prepared, parts, part))) for part in ("train", "validation")
    )
    return (
        batches.Shuffled(train, chosen.batch_size, chosen.seed, chosen.crop_size),
        batches.stream(validation, batch_size=chosen.batch_size),
    )


def step(run: Run, name: str) -> dict[str, float]:
    """Seconds a step and a validation, images a second, and peak memory in MiB."""
    network, recipe, chosen = build(name)
    train, validation = data(run, chosen)
    with training._computing_in(network, recipe.precision):
        network.compile(optimizer=keras.optimizers.Adam(recipe.learning_rate), loss=training.LOSSES[recipe.loss])
        stream = train.from_epoch(0)
        network.fit(stream, steps_per_epoch=2, shuffle=False, verbose=0)  # traces and compiles
        began = time.perf_counter()
        network.fit(stream, steps_per_epoch=STEPS, shuffle=False, verbose=0)
        seconds = (time.perf_counter() - began) / STEPS
        network.evaluate(validation.take(1), verbose=0)
        began = time.perf_counter()
        network.evaluate(validation, verbose=0)
        seconds_of_validation = time.perf_counter() - began
    return {
        "seconds a step": seconds,
        "seconds a validation": seconds_of_validation,
        "images/s": chosen.batch_size / seconds,
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10),
    }


def time_to(run: Run, name: str, target: float) -> dict[str, float]:
    """Train by a recipe; seconds until the validation error was at most `target` (NaN if never), and the best error."""
    network, recipe, chosen = build(name)
    history = training.fit(network, *data(run, chosen), recipe)
    reached = history["val_mse"] <= target
    seconds = history["seconds"].cumsum()
    return {
        "seconds to the target": float(seconds[reached].min()),
        "seconds in all": float(seconds.iloc[-1]),
        "validation error": float(history["val_mse"].min()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_folder", type=Path, help="a run with prepared images, such as reports/standard")
    parser.add_argument("--step", choices=RECIPES, help="measure this one recipe's steps, and print JSON")
    arguments = parser.parse_args()
    run = Run(arguments.run_folder)
    if arguments.step:
        print(json.dumps(step(run, arguments.step)))
        return
    rows = []
    for _ in range(TURNS):
        for name in RECIPES:
            command = [sys.executable, __file__, str(arguments.run_folder), "--step", name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append({"recipe": name, **json.loads(done.stdout.splitlines()[-1])})
    steps = pd.DataFrame(rows).groupby("recipe", sort=False).median()
    print(steps.round(3).to_string(), end="\n\n")
    record = records.read("published")
    if record is None:
        print("time to the published error: not known, since `make published` was never run")
        return
    if record["data_sha256"] != run.read_json("01_inspection/summary.json")["data_sha256"]:
        print("time to the published error: not comparable, since this run has other images than the record")
        return
    _, recipe, chosen = build("published")
    train, validation = data(run, chosen)
    target = record["final_val_loss"]
    published = recipe.epochs * (train.steps * steps.loc["published", "seconds a step"])
    published += recipe.epochs * steps.loc["published", "seconds a validation"]
    table = pd.DataFrame({name: time_to(run, name, target) for name in ("standard", "house")}).T
    table.loc["published"] = [published, published, target]
    table["times faster"] = published / table["seconds to the target"]
    print(f"doing nothing: {metrics.error_of_doing_nothing(validation):.5f}; the published recipe's end: {target:.5f}")
    print(table.round(5).to_string())


if __name__ == "__main__":
    main()
