"""Set-up's Docker engine and base images: what is used, what a dead engine leaves, what a registry's silence costs."""

import http.server
import json
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.unit.setup_servers import http_server, silent_server
from tools.setup import base_images, engine, recipes
from tools.setup.progress import SetupError, Step

# --- Docker engine


def test_an_engine_that_never_answers_is_a_problem_soon():
    with silent_server() as address:
        started = time.monotonic()
        assert engine.problem(f"tcp://{address}", limit=0.3)
        assert time.monotonic() - started < 10


def test_docker_host_is_the_only_candidate_when_it_is_set(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert engine.candidates(engine.layout()) == ["tcp://127.0.0.1:1"]
    with pytest.raises(SetupError, match="no engine answers at DOCKER_HOST=tcp://127.0.0.1:1 .*: start it or unset DOCKER_HOST"):
        engine.choose(Step(1, 1, "docker"))


def test_a_user_without_an_engine_gets_one_sentence_with_the_fix(monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(engine, "candidates", lambda _: [])
    monkeypatch.setattr(engine, "is_root", lambda: False)
    with pytest.raises(SetupError, match="no engine is running.*run this as root"):
        engine.choose(Step(1, 1, "docker"))


def test_leftovers_of_a_killed_engine_are_cleared_even_if_another_program_has_its_id(tmp_path):
    layout = engine.Layout(tmp_path / "data", tmp_path / "run", tmp_path / "run/docker.sock")
    containerd = layout.run / "exec/containerd"
    containerd.mkdir(parents=True)
    layout.pid_file.write_text(str(os.getpid()))
    (containerd / "containerd.pid").write_text(str(os.getpid()))
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(layout.socket))
    assert engine.running_pid(layout) is None
    engine.clear_leftovers(layout)
    assert [path for path in layout.run.rglob("*") if not path.is_dir()] == []
    assert engine.stop(layout) == "no engine that set-up started is running"


def test_a_socket_that_somebody_listens_on_is_left_alone(tmp_path):
    layout = engine.Layout(tmp_path / "data", tmp_path, tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as alive:
        alive.bind(str(layout.socket))
        alive.listen()
        engine.clear_leftovers(layout)
        assert layout.socket.exists()


# --- Base images


def images(folder: Path, **dockerfiles: str) -> Path:
    for name, text in dockerfiles.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "Dockerfile").write_text(text)
    return folder


def test_base_images_come_from_the_dockerfiles(tmp_path):
    folder = images(
        tmp_path,
        a="# the base\nARG BASE_IMAGE=python:3.11-slim\nFROM ${BASE_IMAGE}\n",
        b='ARG BASE_IMAGE="python:3.11-slim"\nFROM $BASE_IMAGE\n',
        c="ARG OTHER=x:1\nARG BASE_IMAGE=freqtradeorg/freqtrade:2026.9\nFROM ${BASE_IMAGE}\n",
    )
    for name in ("a", "b"):
        (folder / name / "requirements.txt").write_text("x==1")
    collected = base_images.collect(folder, extra=["freqtradeorg/freqtrade:2026.9_plot"])
    assert {base.official: len(base.requirements) for base in collected} == {
        "freqtradeorg/freqtrade:2026.9": 0,
        "freqtradeorg/freqtrade:2026.9_plot": 0,
        "python:3.11-slim": 2,
    }


def test_a_stand_in_has_another_tag_when_requirements_change(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("x==1")
    before = recipes.find("python:3.11-slim", [requirements]).image
    assert recipes.find("python:3.11-slim", [requirements]).image == before
    requirements.write_text("x==2")
    assert recipes.find("python:3.11-slim", [requirements]).image != before
    assert before.startswith("tradestack-base/python:3.11-slim-")


@pytest.mark.parametrize(
    ("tag", "requirement"),
    [("2026.9", "freqtrade==2026.9"), ("2026.9_plot", "freqtrade[plot]==2026.9"), ("2026.9_freqai", "freqtrade[freqai]==2026.9")],
)
def test_freqtrade_variants(tag, requirement):
    assert recipes.freqtrade_requirement(tag) == requirement


@pytest.mark.parametrize("tag", ["stable", "2026.9_gpu", "", "develop_plot"])
def test_a_freqtrade_tag_that_names_no_release_is_refused(tag):
    with pytest.raises(SetupError, match=r"has no stand-in: use a release such as 2026\.9"):
        recipes.freqtrade_requirement(tag)


def docker_engine(on_pull):
    """As much of an engine's HTTP interface as a pull needs."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.answer(200, json.dumps({"ApiVersion": "1.41", "Version": "20.10"}).encode())

        def do_POST(self):
            on_pull(self)

        def log_message(self, *_):
            pass

    return Handler


def test_a_registry_that_does_not_answer_costs_the_limit_and_no_more():
    never = threading.Event()
    with http_server(docker_engine(lambda request: never.wait(20))) as address:
        started = time.monotonic()
        why = base_images.pull(Step(1, 1, "base images"), f"tcp://{address}", "python:3", limit=0.5)
        never.set()
    assert isinstance(why, base_images.Unreachable) and time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("status", "body", "unreachable"),
    [
        (500, {"message": "Get https://registry/v2/: dial tcp: no such host"}, True),
        (404, {"message": "manifest for python:9 not found: manifest unknown"}, False),
        (500, {"message": "toomanyrequests: you have reached your pull rate limit"}, False),
    ],
)
def test_a_refusal_of_one_image_is_not_an_unreachable_registry(status, body, unreachable):
    with http_server(docker_engine(lambda request: request.answer(status, json.dumps(body).encode()))) as address:
        why = base_images.pull(Step(1, 1, "base images"), f"tcp://{address}", "python:9", limit=10)
    assert body["message"] in why and isinstance(why, base_images.Unreachable) is unreachable


def test_an_image_that_is_pulled_is_used():
    def progress(request):
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for event in (b'{"status":"Pulling"}\r\n', b'{"status":"done"}\r\n', b""):
            request.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

    with http_server(docker_engine(progress)) as address:
        assert base_images.pull(Step(1, 1, "base images"), f"tcp://{address}", "python:3", limit=10) is None


def test_an_image_without_stand_in_is_one_sentence():
    with pytest.raises(SetupError, match="nginx:1 could not be pulled .*no host.* and has no stand-in: load it"):
        base_images.stand_in(Step(1, 1, "base images"), base_images.Base("nginx:1"), base_images.Unreachable("no host"))
