"""What keeps identity cards where they belong: out of git, off the network, and out of code that runs."""

import base64
import json
import runpy
import subprocess

import pytest
from traitlets.config import Config

from tests import hostile
from tests.conftest import ROOT

images = runpy.run_path(str(ROOT / ".ci" / "no_images.py"))["images"]
PNG = hostile.encoded(hostile.page(1), "PNG")
NOTEBOOK = {"cells": [{"outputs": [{"data": {"image/png": base64.b64encode(PNG).decode()}}]}]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(
            (f"a.{kind.lower()}", hostile.encoded(hostile.page(1), kind))
            for kind in ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
        ),
        ("notes.txt", PNG),
        ("shown.json", json.dumps(NOTEBOOK).encode()),
        ("page.html", b'<img src="data:image/png;base64,' + base64.b64encode(PNG) + b'">'),
    ],
)
def test_images_are_refused_in_git_whatever_they_are_called(tmp_path, name, content):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "source.py").write_text('IMAGE = "image/png"\n')
    assert images(tmp_path) == []
    (tmp_path / name).write_bytes(content)
    assert images(tmp_path) == [name]
    (tmp_path / ".gitignore").write_text("*\n!.gitignore\n!source.py\n")
    assert images(tmp_path) == []


def test_the_project_itself_holds_no_image():
    try:
        assert images(ROOT) == []
    except subprocess.CalledProcessError:
        pytest.skip("this is no git checkout")


def test_the_lab_listens_to_this_machine_alone_and_asks_for_a_token(monkeypatch):
    from jupyter_server.auth.identity import PasswordIdentityProvider
    from jupyter_server.serverapp import ServerApp

    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    server = ServerApp(config=Config())
    assert server.ip in ("localhost", "127.0.0.1", "::1") and not server.allow_remote_access
    assert PasswordIdentityProvider(parent=server).token
    commands = [line for line in (ROOT / "Makefile").read_text().splitlines() if "jupyter lab" in line]
    assert len(commands) == 1 and "ip" not in commands[0].split("jupyter lab")[1] and "token" not in commands[0]
