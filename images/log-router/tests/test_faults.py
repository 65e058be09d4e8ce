"""What is lost, counted or only late when the router or Loki is killed, frozen, gone or full. Real router, real Loki."""

import json
import threading
import time

import pytest
import requests

from .conftest import wait_for

pytestmark = pytest.mark.docker
# Lines that were not taken in: the queue or the disk was full, or the memory short. Those that Loki refused are counted elsewhere.
REFUSED = "otelcol_receiver_refused_log_records_total"


def numbers(world, service):
    return [json.loads(body)["n"] for _, body in world.lines(f'{{service="{service}"}}')]


def line(number: int, padding: str = "") -> str:
    return json.dumps({"level": "info", "message": padding, "n": number})


def send_many(driver, count, per_second, padding=""):
    started = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, started + number / per_second - time.monotonic()))
        driver.send(line(number, padding))


def test_killed_and_started_again_it_has_lost_only_what_it_was_taking_in(world, service):
    sending = threading.Thread(target=send_many, args=(world.driver(service), 3000, 300))
    sending.start()
    for _ in range(3):
        time.sleep(1.5)
        world.router.kill()
        world.router.wait()
        world.router.start()
    sending.join(timeout=120)
    assert not sending.is_alive()
    world.wait_for_router()
    wait_for("the last line", lambda: 2999 in numbers(world, service))
    # It acknowledges before it writes to the disk: at most what its channel (100) and one batch hold, as a rule nothing.
    lost = 3000 - len(set(numbers(world, service)))
    assert lost <= 20, f"{lost} of 3000 lost in three kills"


def test_loki_away_lines_wait_and_arrive_in_order(world, service):
    away = 30
    world.loki.kill()
    send_many(world.driver(service), away * 20, 20)
    world.router.kill()  # what waits is on the disk
    world.router.wait()
    world.router.start()
    world.loki.start()
    wait_for("every line", lambda: len(numbers(world, service)) >= away * 20, 180)
    assert numbers(world, service) == list(range(away * 20))


def test_a_full_queue_drops_and_counts_and_stays_bounded(new_world):
    world = new_world(QUEUE_MB="5")
    world.wait_for_router()
    world.wait_for_loki()
    world.loki.kill()
    driver, count = world.driver("many"), 6000
    for number in range(count):
        driver.send(line(number, "x" * 2000))  # 12 MB
    # What is on its way through the collector is counted when it gets to the queue.
    wait_for("drops are counted", lambda: world.count(REFUSED) > 0)
    assert world.count("otelcol_exporter_queue_size") <= 5_000_000
    used = int(world.router.exec_run(["du", "-sk", "/var/lib/otelcol"]).output.split()[0])
    assert used < 40_000, f"{used} KiB on the disk for a queue of 5 MB"
    world.loki.start()
    wait_for("all that wasn't dropped", lambda: len(numbers(world, "many")) + world.count(REFUSED) >= count, 180)
    kept = numbers(world, "many")
    assert len(kept) + world.count(REFUSED) == count, "each line is in Loki or counted"
    assert kept[:500] == list(range(500)), "the oldest are kept"


def test_sigterm_ends_it_with_exit_code_0_and_nothing_is_lost(world, service):
    send_many(world.driver(service), 200, 2000)
    started = time.monotonic()
    world.router.stop(timeout=30)
    assert time.monotonic() - started < 15
    assert world.router.wait()["StatusCode"] == 0
    assert world.said()[-1]["message"] == "stopped"
    world.router.start()
    wait_for("every line", lambda: sorted(numbers(world, service)) == list(range(200)))


def test_a_frozen_collector_is_ended_so_that_docker_starts_it_again(new_world):
    world = new_world()
    world.wait_for_router()
    freeze = "import os,signal,pathlib\nfor p in pathlib.Path('/proc').glob('[0-9]*/comm'):\n"
    freeze += "  if p.read_text().startswith('otelcol'): os.kill(int(p.parent.name), signal.SIGSTOP)"
    assert world.router.exec_run(["python3", "-c", freeze]).exit_code == 0
    assert world.router.wait(timeout=120)["StatusCode"] == 1
    assert "the collector is killed" in [one["message"] for one in world.said()]


def test_a_second_router_on_the_volume_is_refused(world):
    second = world.run_router(ports=False)
    assert second.wait(timeout=60)["StatusCode"] == 1
    (said,) = second.logs().decode().splitlines()
    assert "another log router has this volume" in json.loads(said)["message"]
    second.remove(v=True)
    world.wait_for_router()


def test_the_health_command_and_the_own_log(world):
    assert world.router.exec_run(["python3", "-m", "log_router.health"]).exit_code == 0
    said = world.said()
    assert said and all({"time", "level", "service", "message"} <= set(one) for one in said)


def test_a_full_disk_drops_and_counts_and_ends_nothing(new_world, engine):
    world = new_world(QUEUE_MB="100")
    world.wait_for_router()
    world.wait_for_loki()
    world.router.remove(force=True)
    small = engine.volumes.create(f"{world.name}-small", driver_opts={"type": "tmpfs", "device": "tmpfs", "o": "size=6m,uid=1000,gid=1000"})
    world.router = world.run_router(volume=small.name)
    world.wait_for_router()
    world.loki.kill()
    driver, count = world.driver("many"), 6000
    for number in range(count):
        driver.send(line(number, "x" * 2000))
    wait_for("drops are counted", lambda: world.count(REFUSED) > 0)
    assert requests.get(f"http://127.0.0.1:{world.ports[13133]}/", timeout=10).status_code == 200
    world.loki.start()
    wait_for("all that wasn't dropped", lambda: len(numbers(world, "many")) + world.count(REFUSED) >= count, 180)
    driver.send(line(count))
    wait_for("a line after it", lambda: count in numbers(world, "many"))
