import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from srcnn_lib import metrics, perceptual, recogniser, training, tuning
from srcnn_lib.tuning import Database

IN_MEMORY = Database("sqlite:///:memory:", False)
FIRST = [{"x": 1.0, "kind": "a"}, {"x": 2.0, "kind": "b"}]


def objective(trial):
    x = trial.suggest_float("x", 0, 4)
    return x - 2 * (trial.suggest_categorical("kind", ["a", "b"]) == "b")


def parameters(study):
    return [trial.params for trial in study.get_trials(states=tuning.FINISHED)]


@pytest.fixture
def database(tmp_path):
    return Database.at(None, tmp_path / "trials.db")


def run(database, total=7, objective=objective, name="search"):
    return tuning.run(name, objective, database, FIRST, total=total, seed=3)


def test_the_number_of_trials_is_a_total_and_the_first_ones_are_given(database):
    assert parameters(run(database, 0)) == FIRST
    assert len(parameters(run(database, 5))) == 5
    study = run(database, 5)
    assert len(study.trials) == 5 and parameters(study)[:2] == FIRST


@pytest.mark.parametrize("stopped_at", [0, 5])
def test_a_search_that_was_stopped_goes_on_to_the_same_trials(database, stopped_at):
    calls = []

    def stopping(trial):
        value = objective(trial)
        if len(calls) == stopped_at:
            raise KeyboardInterrupt
        calls.append(value)
        return value

    with pytest.raises(KeyboardInterrupt):
        run(database, objective=stopping)
    resumed = run(database)
    assert parameters(resumed) == parameters(run(database, name="never stopped"))
    assert len(resumed.trials) == 8  # one of them failed, and was done anew


def test_a_trial_that_was_running_when_its_process_was_killed_is_done_anew(database):
    study = run(database, 4)
    study.ask().suggest_float("x", 0, 4)
    resumed = run(database)
    assert parameters(resumed) == parameters(run(database, name="never stopped"))
    assert resumed.trials[4].state == TrialState.FAIL


def test_processes_share_a_database(database):
    shared = Database.at(database.url, None)
    assert shared.shared
    study = run(shared, 3)
    elsewhere = optuna.load_study(study_name=study.study_name, storage=tuning._storage(database.url))
    elsewhere.ask()  # a trial that runs on another machine: it counts, and is left alone
    assert len(parameters(run(shared, 4))) == 3
    assert len(parameters(run(shared, 5))) == 4
    assert [trial.state for trial in study.trials].count(TrialState.RUNNING) == 1


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")  # threads restore each other's filters
def test_machines_that_start_together_share_the_work(database):
    shared = Database.at(database.url, None)
    points = [{"x": float(x), "kind": kind} for x in range(3) for kind in "ab"]
    tuning._open("together", shared)
    start = threading.Barrier(2)

    def work(_):
        start.wait()
        return tuning.run("together", objective, shared, points, seed=3)

    with ThreadPoolExecutor(2) as machines:
        studies = list(machines.map(work, range(2)))
    done = tuning.table(studies[0])
    assert len(done) == len(points) == len(done[["x", "kind"]].drop_duplicates())


@pytest.fixture
def task(rng):
    pairs = [(image // 2, image) for image in rng.integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)]
    features = perceptual.features(recogniser.build(), recogniser.FEATURES)
    return tuning.Task(pairs, pairs[:2], features, epochs=2, epoch_steps=2, crop_size=8, seed=1)


@pytest.mark.tuning
def test_every_hyperparameter_reaches_the_training(task):
    base = task.fit(task.original, seed=1)["loss"].tolist()
    assert base == task.fit(task.original, seed=1)["loss"].tolist()
    changes = {
        "learning_rate": 0.005,
        "batch_size": 4,
        "epochs": 1,
        "activation": "elu",
        "optimizer": "sgd",
        "loss": tuning.PERCEPTUAL,
        "filters": 16,
        "crop_size": 4,
        "weight_decay": 0.5,
    }
    assert changes.keys() == task.original.keys()
    for name, value in changes.items():
        assert task.fit(task.original | {name: value}, seed=1)["loss"].tolist() != base, name


@pytest.mark.tuning
def test_a_grid_and_a_search_score_on_validation_images(task, database):
    grid = tuning.grid(task, {"learning_rate": [0.0008, 0.002], "epochs": [1, 2]}, database)
    trials = tuning.table(grid)
    assert len(trials) == 4 and trials["psnr"].notna().all() and (trials["batch_size"] == 10).all()
    search = tuning.table(tuning.tpe(task, 2, database))
    assert search.loc[0, list(task.original)].to_dict() == task.original
    assert set(trials.columns) == set(search.columns)
    expected = metrics.psnr_from_mse(task.fit(task.original, seed=1)["val_mse"].iloc[-1])
    assert search.loc[0, "psnr"] == pytest.approx(expected)


def test_a_training_that_breaks_down_is_no_result(task, database, monkeypatch):
    def broken(*_, **__):
        raise training.TrainingError("the loss became nan")

    monkeypatch.setattr(tuning.training, "fit", broken)
    study = tuning.tpe(task, 2, database)
    assert tuning.table(study)["pruned"].all()
    assert study.trials[0].user_attrs["broke down"] == "the loss became nan"


def test_other_data_settings_or_seeds_are_another_study(task):
    def other(**changes):
        settings = {"epochs": 2, "epoch_steps": 2, "crop_size": 8, "seed": 1} | changes
        return tuning.Task(changes.pop("train", task.train), task.validation, task.features, **settings).identity

    assert other() == task.identity
    assert len({task.identity, other(epochs=3), other(seed=2), other(crop_size=6)}) == 4
    darker = tuning.Task(
        [(low // 2, high) for low, high in task.train],
        task.validation,
        task.features,
        epochs=2,
        epoch_steps=2,
        crop_size=8,
        seed=1,
    )
    assert darker.identity != task.identity


def test_points_of_a_grid_are_trained_as_they_were_asked_for_however_many_there_are():
    trained = []

    def objective(trial):
        trained.append((trial.suggest_categorical("a", [0, 1]), trial.suggest_categorical("b", list(range(6)))))
        return float(sum(trained[-1]))

    points = tuning.combinations({}, {"a": [0, 1], "b": range(6)})  # more than are drawn before TPE begins to reason
    study = tuning.run("grid", objective, IN_MEMORY, points, seed=1)
    assert sorted(trained) == [(a, b) for a in (0, 1) for b in range(6)]
    assert tuning.table(study)[["a", "b"]].to_records(index=False).tolist() == trained


def test_a_trial_of_another_point_than_it_was_asked_for_does_not_count_as_that_one(monkeypatch, tmp_path):
    def objective(trial):
        return float(trial.suggest_categorical("a", list(range(8))))

    points = tuning.combinations({}, {"a": range(8)})
    database = Database(f"sqlite:///{tmp_path}/grid.db", False)
    with monkeypatch.context() as patch:  # as with Optuna 5 before given points were kept from it
        patch.delattr(tuning._Sampler, "infer_relative_search_space")
        study = tuning.run("grid", objective, database, points, seed=1)
        assert set(tuning.table(study)["a"]) <= set(range(8))
    assert set(tuning.table(tuning.run("grid", objective, database, points, seed=1))["a"]) == set(range(8))


def test_both_images_of_a_card_are_in_one_half():
    groups = ["a", "b", "a", "c", "d", "d", "b"]
    first, second = tuning.halves(groups)
    assert sorted(first + second) == list(range(7))
    assert not {groups[place] for place in first} & {groups[place] for place in second}
    assert tuning.halves(["a", "a"]) == ([0, 1], [0, 1])


def test_decay_shrinks_weights_by_the_share_that_it_says():
    task = tuning.Task([], [], None, epochs=4, epoch_steps=100, crop_size=8, seed=1)
    rates = tuning.original.LEARNING_RATE * (1 + np.cos(np.pi * np.arange(400) / 400)) / 2
    assert np.prod(1 - rates * task.decay(0.3)) == pytest.approx(0.7, abs=0.005)


def test_importance_finds_what_matters():
    def one_matters(trial):
        trial.suggest_float("idle", 0, 1)
        return -((trial.suggest_float("matters", 0, 1) - 0.3) ** 2)

    study = tuning.run("importance", one_matters, IN_MEMORY, [], total=25, seed=1)
    shares = tuning.importance(study)
    assert shares.index[0] == "matters" and shares.sum() == pytest.approx(1)


def test_poor_trials_are_given_up():
    def curve(trial):
        x = trial.suggest_float("x", 0, 1)
        for step in range(3, 13, 3):
            trial.report(x * step, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return 12 * x

    study = tuning.run("pruning", curve, IN_MEMORY, [], total=15, seed=1, prune=True)
    trials = tuning.table(study)
    assert trials["pruned"].any()
    whole = tuning.run("whole", curve, IN_MEMORY, [], total=15, seed=1)
    assert not tuning.table(whole)["pruned"].any()
    assert trials.loc[trials["pruned"], "x"].mean() < trials.loc[~trials["pruned"], "x"].mean()
    assert len(trials) == 15


def test_trials_are_compared_at_the_same_share_of_their_schedules():
    """Two epochs of eight are no more than one of four, and nothing is given up before the middle."""

    def reported(epochs, psnr):
        def objective(trial):
            trial.suggest_int("epochs", epochs, epochs)
            callback = tuning._Reporting(trial)
            for epoch in range(epochs):
                callback.on_epoch_end(epoch, {"val_pixel_mse": 10 ** (-psnr / 10)})
            return psnr

        return objective

    study = optuna.create_study(direction="maximize", pruner=tuning._pruner())
    for number in range(8):
        study.optimize(reported(4, 20 + number), n_trials=1)
    study.optimize(reported(8, 10), n_trials=1)
    long = study.trials[-1]
    assert long.state == TrialState.PRUNED and list(study.trials[0].intermediate_values) == [3, 6, 9, 12]
    assert list(long.intermediate_values) == [2, 3, 4, 6]
    study.optimize(reported(1, 5), n_trials=1)
    assert study.trials[-1].state == TrialState.COMPLETE, "what is done is not given up"


@pytest.mark.tuning
def test_confirming_uses_the_images_it_is_given(task, rng):
    unseen = [(image // 3, image) for image in rng.integers(0, 256, (2, 12, 12, 3), dtype=np.uint8)]
    table = tuning.confirm(task, {"mse": task.original, "other": task.original | {"loss": "gradient"}}, unseen, [5, 6])
    assert table["candidate"].tolist() == ["mse", "mse", "other", "other"] and table["seed"].tolist() == [5, 6, 5, 6]
    assert table["training_psnr"].notna().tolist() == [True, True, False, False]
    assert table["psnr"].max() < metrics.psnr_from_mse(task.fit(task.original, seed=5)["val_mse"].iloc[-1])
