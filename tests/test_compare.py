import pytest
import yaml

from srcnn_lib import compare, files
from srcnn_lib.errors import RunError
from srcnn_lib.runs import Run


def made(folder, settings, summary, methods):
    inputs = {"profile": "ci", "settings": settings, "data": {"folder": "data/cards"}}
    files.write_text(folder / "run.yaml", yaml.safe_dump(inputs))
    files.write_json(folder / "06_training" / "summary.json", summary)
    lines = [f"{method},label,{mse},{psnr}" for method, mse, psnr in methods]
    files.write_text(folder / "07_evaluation" / "summary.csv", "\n".join(["method,truth,mse,psnr_mean", *lines]) + "\n")
    return Run(folder)


def test_only_what_differs_is_shown(tmp_path):
    before, after = {"loss": 0.5, "steps": 7, "model": "x"}, {"loss": 0.25, "steps": 7, "model": "y"}
    first = made(tmp_path / "a", {"seed": 1, "epochs": 6}, before, [("untouched", 0.1, 20.0)])
    second = made(tmp_path / "b", {"seed": 1, "epochs": 8}, after, [("untouched", 0.1, 21.5)])
    assert compare.settings(first, second).values.tolist() == [["epochs", 6, 8]]
    assert compare.results(first, second).values.tolist() == [
        ["06_training/summary: loss", 0.5, 0.25, -0.25],
        ["07_evaluation/summary: untouched: psnr_mean", 20.0, 21.5, 1.5],
    ]
    files.write_json(second.folder / "05_model" / "summary.json", {"parameters": 20099})
    assert compare.alone(first, second).values.tolist() == [["05_model/summary: parameters", "b", 20099]]
    page = compare.write(first.folder, second.folder, tmp_path / "page.html").read_text().split("<body")[1]
    assert "In one run only" in page and "epochs" in page and "-0.25" in page and "seed" not in page
    assert "No differences" in compare.write(first.folder, first.folder, tmp_path / "same.html").read_text()


def test_tables_of_networks_rungs_and_seeds_are_compared(tmp_path):
    first, second = (made(tmp_path / name, {}, {}, []) for name in "ab")
    for run, gain in ((first, 0.5), (second, 0.75)):
        rows = {
            "05_model/zoo.csv": f"network,PSNR,gain\nhouse,20.0,{gain}\n",
            "06_training/native_comparison.csv": f"network,PSNR,gain\nhouse,20.0,{gain}\n",
            "08_tuning/confirmed.csv": f"candidate,seed,psnr\nbest of grid,101,{gain}\n",
            "08_tuning/ladder.csv": f"name,gain,error\nrandom crops,{gain},\n",
        }
        for name, text in rows.items():
            files.write_text(run.folder / name, text)
    assert compare.results(first, second)["result"].tolist() == [
        "05_model/zoo: house: gain",
        "06_training/native_comparison: house: gain",
        "08_tuning/confirmed: best of grid, 101: psnr",
        "08_tuning/ladder: random crops: gain",
    ]


def test_runs_on_other_images_are_said_to_be(tmp_path):
    first, second = (made(tmp_path / name, {}, {}, []) for name in "ab")
    for run, data in ((first, "x"), (second, "y")):
        files.write_json(run.folder / "01_inspection" / "summary.json", {"data_sha256": data})
    assert "have not the same images" in compare.write(first.folder, second.folder, tmp_path / "page.html").read_text()
    assert "have not the same" not in compare.write(first.folder, first.folder, tmp_path / "page.html").read_text()


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(RunError, match="expected the folder of a run"):
        compare.write(tmp_path, tmp_path, tmp_path / "page.html")
