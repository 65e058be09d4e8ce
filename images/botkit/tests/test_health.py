"""Health as others see it: over HTTP, and as a command's exit code."""

import asyncio
import socket
import subprocess
import sys

import aiohttp
import pytest
from aiohttp import web
from botkit import health
from botkit_servers import PACKAGE, free_port


async def well():
    return ""


async def ask(port, path):
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.json()


def answers(*paths, **options):
    async def scenario():
        async with health.serve(0, host="127.0.0.1", **options) as port:
            return [await ask(port, path) for path in paths]

    return asyncio.run(scenario())


def test_a_service_that_is_well():
    assert answers("/health", "/ready", checks={"redis": well}) == [(200, {"alive": True}), (200, {"ready": True})]


def test_what_is_missing_is_told_and_the_process_lives(monkeypatch):
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.1)

    async def ill():
        return "no disk"

    async def broken():
        raise RuntimeError("redis://:hush@x")

    async def slow():
        await asyncio.sleep(60)

    told = answers("/health", "/ready", checks={"well": well, "ill": ill, "broken": broken, "slow": slow})
    problems = {"ill": "no disk", "broken": "RuntimeError", "slow": "no answer within 0.1 s"}
    assert told == [(200, {"alive": True}), (503, {"ready": False, "problems": problems})]


def test_a_loop_that_is_stuck_is_not_alive():
    assert answers("/health", alive=lambda: "no round for 90 s") == [(503, {"alive": False, "problems": {"alive": "no round for 90 s"}})]


def test_routes_of_the_services_own():
    async def stats(_):
        return web.json_response({"n": 1})

    assert answers("/stats", more=[web.get("/stats", stats)]) == [(200, {"n": 1})]


def test_a_port_in_use_is_an_error():
    async def scenario(port):
        async with health.serve(port, host="127.0.0.1"):
            pass

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError):
        asyncio.run(scenario(taken.getsockname()[1]))


async def command(url):
    environment = {"PYTHONPATH": str(PACKAGE), "BOTKIT_HEALTH_URL": url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "botkit.health", env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode().strip()
    return process.returncode, said


@pytest.mark.parametrize(("sentence", "told"), [("", (0, "")), ("stuck", (1, "the service answers 'HTTP/1.1 503 Service Unavailable'"))])
def test_the_command_says_what_health_says(sentence, told):
    async def scenario():
        async with health.serve(0, host="127.0.0.1", alive=lambda: sentence) as port:
            return await command(f"http://127.0.0.1:{port}/health")

    assert asyncio.run(scenario()) == told


@pytest.mark.parametrize("url", ["health", "https://127.0.0.1:8000/health", "http://127.0.0.1:x/"])
def test_the_command_refuses_what_is_no_url(url):
    code, said = asyncio.run(command(url))
    assert code == 1 and f"BOTKIT_HEALTH_URL={url!r}: use a URL such as" in said


def test_the_command_tells_that_nobody_answers(monkeypatch):
    assert health.ask("127.0.0.1", free_port()).startswith("no answer from the service: ")
    monkeypatch.setattr(health, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        assert "timed out" in health.ask("127.0.0.1", hanging.getsockname()[1])
