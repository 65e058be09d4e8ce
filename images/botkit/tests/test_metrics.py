"""The metrics writer with a real InfluxDB: what it does with points when the server refuses them, is away, is frozen or is full."""

import asyncio
import gzip
import logging
import random
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from botkit import metrics
from botkit.metrics import Writer
from botkit_servers import PASSWORD, free_port

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Nobody waits for a real backoff."""
    monkeypatch.setattr(metrics, "LONGEST_DELAY", 0.3)


@asynccontextmanager
async def running(url, **options):
    writer = Writer(url, "test", **{"flush_seconds": 0.02, **options})
    task = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        task.cancel()
        await writer.close(0)


async def until(what, seconds=60):
    """The first true value of what()."""
    async with asyncio.timeout(seconds):
        while not (value := what()):
            await asyncio.sleep(0.01)
        return value


def note(writer, *numbers, measurement="m", **fields):
    for number in numbers:
        writer.note(measurement, {"t": "x"}, {"n": number, **fields}, 10**9 * (number + 1))


def numbers(server, database, measurement="m"):
    return [row["n"] for row in server.rows(database, measurement)]


def run(scenario):
    return asyncio.run(scenario)


def test_points_arrive(influx):
    server, database = influx

    async def scenario():
        async with running(server.write_url(database), batch=100) as writer:
            note(writer, *range(1000))
            await until(lambda: writer.written == 1000)
            assert (writer.waiting, writer.dropped) == (0, 0)

    run(scenario())
    assert numbers(server, database) == list(range(1000))


def test_the_end_writes_what_waits_and_counts_what_it_can_not(influx):
    server, database = influx

    async def scenario():
        writer = Writer(server.write_url(database), "test")
        note(writer, *range(10))
        await writer.close(10)
        lost = Writer(f"http://127.0.0.1:{free_port()}/api/v2/write?bucket=x", "test")
        note(lost, *range(10))
        started = time.monotonic()
        await lost.close(0.5)
        assert time.monotonic() - started < 5
        return (writer.written, writer.dropped, writer.waiting), (lost.written, lost.dropped, lost.waiting)

    assert run(scenario()) == ((10, 0, 0), (0, 10, 0))
    assert numbers(server, database) == list(range(10))


def test_a_server_that_was_away_gets_what_was_kept(own_influx, caplog):
    server = own_influx()
    database = server.new_database()

    async def scenario():
        async with running(server.write_url(database), batch=50) as writer:
            note(writer, 0)
            await until(lambda: writer.written == 1)
            server.kill()
            note(writer, *range(1, 500))
            await until(lambda: any("they wait" in record.getMessage() for record in caplog.records))
            await asyncio.to_thread(server.start)
            await until(lambda: writer.written == 500)
            assert writer.dropped == 0

    run(scenario())
    assert numbers(server, database) == list(range(500))


def test_a_frozen_server_costs_a_deadline_and_no_point(own_influx, monkeypatch, caplog):
    server = own_influx()
    database = server.new_database()

    async def scenario():
        async with running(server.write_url(database)) as writer:
            note(writer, 0)
            await until(lambda: writer.written == 1)
            server.freeze()
            monkeypatch.setattr(metrics, "TRY_SECONDS", 0.3)
            note(writer, *range(1, 100))
            await until(lambda: "no answer within 0.3 s" in caplog.text)
            assert (writer.written, writer.waiting) == (1, 99)
            monkeypatch.setattr(metrics, "TRY_SECONDS", 10.0)
            server.thaw()
            await until(lambda: writer.written == 100)

    run(scenario())
    assert numbers(server, database) == list(range(100))


def test_the_oldest_make_room_while_nobody_answers(own_influx):
    server = own_influx()
    database = server.new_database()

    async def scenario():
        async with running(server.write_url(database), most=100, batch=10) as writer:
            server.kill()
            note(writer, *range(250))
            await asyncio.sleep(0.5)
            assert (writer.waiting, writer.dropped) == (100, 150)
            await asyncio.to_thread(server.start)
            await until(lambda: writer.written == 100)
            assert writer.dropped == 150

    run(scenario())
    assert numbers(server, database) == list(range(150, 250))


def test_bytes_are_bounded_too(monkeypatch):
    monkeypatch.setattr(metrics, "MOST_BUFFER_BYTES", 50_000)

    async def scenario():
        writer = Writer(f"http://127.0.0.1:{free_port()}/write?db=x", "test")
        for number in range(100):
            note(writer, number, text="x" * 1000)
        kept = writer.waiting
        writer.note("m", {}, {"text": "x" * 70_000})
        assert writer.waiting == kept and writer.dropped == 101 - kept
        return kept

    assert 40 <= run(scenario()) <= 50


def test_a_wrong_password_keeps_the_points_and_is_told_once(influx, caplog):
    server, database = influx

    async def scenario():
        async with running(server.write_url(database, "wr ong/word"), most=100) as writer:
            note(writer, *range(300))
            await until(lambda: caplog.records)
            await asyncio.sleep(1)
            return writer.waiting, writer.dropped

    assert run(scenario()) == (100, 200)
    (record,) = [record for record in caplog.records if "they wait" in record.getMessage()]
    assert "InfluxDB takes no points, they wait: 401" in record.getMessage() and record.levelno == logging.WARNING
    assert not any(word in caplog.text for word in ("wr ong", "wr%20ong", PASSWORD))


def test_a_missing_database_is_waited_for(influx, caplog):
    server, _ = influx

    async def scenario():
        async with running(server.write_url("later")) as writer:
            note(writer, *range(10))
            await until(lambda: caplog.records)
            assert "404" in caplog.text and "database not found" in caplog.text and writer.waiting == 10
            server.ask("CREATE DATABASE later")
            server.ask("GRANT WRITE ON later TO writer")
            await until(lambda: writer.written == 10)

    run(scenario())
    assert numbers(server, "later") == list(range(10))


def test_of_a_batch_with_bad_types_only_those_are_lost(influx, caplog):
    server, database = influx

    async def scenario():
        async with running(server.write_url(database)) as writer:
            note(writer, 0)
            await until(lambda: writer.written == 1)
            note(writer, 1, 2, 3)
            for number in (4, 5):
                writer.note("m", {"t": "x"}, {"n": "text"}, 10**9 * (number + 1))
            note(writer, 6, 7)
            await until(lambda: writer.waiting == 0)
            return writer.written, writer.dropped

    assert run(scenario()) == (6, 2)
    assert numbers(server, database) == [0, 1, 2, 3, 6, 7]
    assert "field type conflict" in caplog.text


def test_points_older_than_the_retention_are_counted(influx):
    server, database = influx
    server.ask(f"ALTER RETENTION POLICY autogen ON {database} DURATION 1h SHARD DURATION 1h")

    async def scenario():
        async with running(server.write_url(database)) as writer:
            for number in range(10):
                writer.note("m", {}, {"n": number}, time.time_ns() - (86_400 * 10**9 if number in (2, 5, 6) else 0))
            await until(lambda: writer.waiting == 0)
            return writer.written, writer.dropped

    assert run(scenario()) == (7, 3)
    assert numbers(server, database) == [0, 1, 3, 4, 7, 8, 9]


def test_a_line_that_is_none_is_found_and_dropped(influx, monkeypatch):
    """Whatever note makes today: one line that the server can't read costs itself alone, at the start, in the middle and at the end."""
    server, database = influx
    real = metrics.line_of
    monkeypatch.setattr(metrics, "line_of", lambda name, *rest: "bad" if name == "bad" else real(name, *rest))

    async def scenario():
        async with running(server.write_url(database)) as writer:
            writer.note("bad", {}, {})
            note(writer, *range(50))
            writer.note("bad", {}, {})
            note(writer, *range(50, 300))
            writer.note("bad", {}, {})
            await until(lambda: writer.waiting == 0)
            return writer.written, writer.dropped

    assert run(scenario()) == (300, 3)
    assert numbers(server, database) == list(range(300))


def test_a_bad_line_is_found_within_one_pause(monkeypatch):
    """Halving does not wait for the next flush each time."""

    async def scenario():
        stub = Stub(*[(400, "unable to parse", {})] * 7)
        async with stub.listen() as base, running(f"{base}/write?db=x", flush_seconds=3.0) as writer:
            note(writer, *range(64))
            started = time.monotonic()
            await until(lambda: writer.written + writer.dropped == 64)
            return time.monotonic() - started, writer.dropped

    seconds, dropped = run(scenario())
    assert dropped == 1 and seconds < 15


def test_what_is_too_large_is_halved(own_influx):
    server = own_influx(most_body=2000)
    database = server.new_database()

    async def scenario():
        async with running(server.write_url(database)) as writer:
            # Nothing that packs well: the server counts what it gets.
            for number in range(200):
                note(writer, number, text=random.randbytes(50).hex())
            note(writer, 200, text=random.randbytes(3000).hex())
            note(writer, 201)
            await until(lambda: writer.waiting == 0)
            return writer.written, writer.dropped

    assert run(scenario()) == (201, 1)
    assert numbers(server, database) == [*range(200), 201]


def test_its_own_point_says_how_it_goes(influx, monkeypatch):
    monkeypatch.setattr(metrics, "TELEMETRY_SECONDS", 0.2)
    server, database = influx

    async def scenario():
        async with running(server.write_url(database)) as writer:
            note(writer, *range(5))
            writer.note("m", {}, {})
            await until(lambda: writer.written == 5)
            while len(rows := await asyncio.to_thread(server.rows, database, "telemetry")) < 3:
                await asyncio.sleep(0.05)
            assert writer.written == 5
            return rows

    rows = run(asyncio.wait_for(scenario(), 60))
    assert rows[-1].items() >= {"service": "test", "written": 5, "dropped": 1, "waiting": 0}.items()


def test_a_clock_that_jumps_delays_nothing(influx, monkeypatch):
    server, database = influx
    wall = {"ns": 2 * 10**18}
    monkeypatch.setattr(metrics.time, "time_ns", lambda: wall["ns"])
    monkeypatch.setattr(metrics.time, "time", lambda: wall["ns"] / 1e9)

    async def scenario():
        async with running(server.write_url(database)) as writer:
            for number, ns in enumerate((2 * 10**18, 10**18, 3 * 10**18)):
                wall["ns"] = ns
                writer.note("m", {}, {"n": number})
                await until(lambda number=number: writer.written == number + 1, 10)

    run(scenario())
    assert [(row["time"], row["n"]) for row in server.rows(database, "m")] == [(10**18, 1), (2 * 10**18, 0), (3 * 10**18, 2)]


class Stub:
    """A server that answers with what the test wants: the statuses, in order, then 204. It answers nothing unless `go` is set."""

    def __init__(self, *answers):
        self.answers, self.taken, self.go = list(answers), [], asyncio.Event()
        self.go.set()

    async def handle(self, request):
        packed = await request.content.read()
        self.taken.append((request.path_qs, request.headers.get("Authorization"), gzip.decompress(packed).decode().splitlines()))
        await self.go.wait()
        if not self.answers or self.taken[-1][2][0].startswith("telemetry"):
            return web.Response(status=204)
        status, text, headers = self.answers.pop(0)
        return web.Response(status=status, text=text, headers=headers)

    @asynccontextmanager
    async def listen(self):
        # As they come, not unpacked.
        server = web.Server(self.handle, auto_decompress=False)
        runner = web.ServerRunner(server)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def points(self):
        return [line for _, _, lines in self.taken for line in lines if not line.startswith("telemetry")]


@pytest.mark.parametrize("status", [500, 503, 429, 302, 403, 405])
def test_a_refusal_that_is_not_for_the_points_is_tried_again(status, caplog):
    """A full disk is a 500: its sentence is told, the points wait. A redirect isn't followed: it would carry the credentials along."""
    caplog.set_level(logging.INFO, "botkit")

    async def scenario():
        stub = Stub(*[(status, "engine: no space left on device", {"Location": "/elsewhere"})] * 3)
        async with stub.listen() as base, running(f"{base}/write?db=x") as writer:
            note(writer, 1, 2)
            await until(lambda: writer.written == 2)
            assert writer.dropped == 0 and len(stub.points()) >= 8
            assert {path for path, _, _ in stub.taken} == {"/write?db=x"}

    run(scenario())
    assert f"{status} engine: no space left on device" in caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_everything_refused_ends_without_a_storm(monkeypatch):
    monkeypatch.setattr(metrics, "LONGEST_DELAY", 15.0)

    async def scenario():
        stub = Stub(*[(400, "unable to parse", {})] * 100_000)
        async with stub.listen() as base, running(f"{base}/write?db=x", batch=1000) as writer:
            note(writer, *range(5000))
            await until(lambda: writer.dropped)
            before = len(stub.taken)
            await asyncio.sleep(2)
            return before, len(stub.taken)

    # Halved ten times, then with pauses that grow.
    before, after = run(scenario())
    assert before <= 20 and after - before <= 8


def test_what_is_dropped_while_it_is_on_its_way_counts_once():
    async def scenario():
        stub = Stub()
        async with stub.listen() as base, running(f"{base}/write?db=x", most=10, batch=5) as writer:
            stub.go.clear()
            note(writer, *range(10))
            await until(stub.points)
            note(writer, *range(10, 18))
            assert (writer.waiting, writer.dropped) == (10, 8)
            stub.go.set()
            await until(lambda: not writer.waiting)
            sent = {line.partition("n=")[2].partition("i")[0] for line in stub.points()}
            return writer.written, writer.dropped, sent

    written, dropped, sent = run(scenario())
    assert (written, dropped) == (10, 8) and sent == {str(number) for number in (*range(5), *range(8, 18))}


@pytest.mark.parametrize(
    ("path", "credentials", "authorization"),
    [
        ("/write?db=x", "u:p%401@", "Basic dTpwQDE="),
        ("/api/v2/write?bucket=x/autogen&precision=ns", "u:p%401@", "Token u:p@1"),
        ("/api/v2/write?bucket=x", ":to%2Fken@", "Token to/ken"),
        ("/api/v2/write?bucket=x", "u:p%20q@", "Basic dTpwIHE="),
        ("/write?db=x", "", None),
    ],
)
def test_credentials_are_a_header_and_nothing_else(path, credentials, authorization):
    async def scenario():
        stub = Stub()
        async with stub.listen() as base, running(base.replace("//", f"//{credentials}") + path) as writer:
            note(writer, 1)
            await until(lambda: writer.written == 1)
        return {(where, who) for where, who, _ in stub.taken}

    assert run(scenario()) == {(path, authorization)}


def test_a_server_that_repeats_the_credentials_is_not_quoted(caplog):
    async def scenario():
        stub = Stub((401, "no such user: hush hush, hush%20hush", {}))
        async with stub.listen() as base, running(base.replace("//", "//u:hush%20hush@") + "/write?db=x") as writer:
            note(writer, 1)
            await until(lambda: writer.written == 1)

    run(scenario())
    assert "no such user: …, …" in caplog.text and "hush" not in caplog.text


@pytest.mark.parametrize(
    "url", ["", "influxdb:8086", "http://secret@influxdb:8086", "http://u:secret@h:x/write", "http://h/write?precision=s"]
)
def test_a_url_that_is_none_is_refused_without_showing_it(url):
    with pytest.raises(ValueError) as refused:
        Writer(url, "test")
    assert "secret" not in str(refused.value)


def test_note_never_fails(caplog):
    class Odd:
        def __str__(self):
            raise RuntimeError("odd")

    async def scenario():
        writer = Writer("http://127.0.0.1:1/write?db=x", "test")
        for tags, fields in (({}, {}), ({"t": Odd()}, {"f": 1}), ({}, {"f": Odd()}), (None, {"f": 1}), ({1: 2}, {"f": 1})):
            writer.note("m", tags, fields)
        writer.note("m", {}, {"f": 1}, "now")
        return writer.dropped, writer.waiting

    assert run(scenario()) == (6, 0)


def test_bursts_arrive_once_and_in_order(influx):
    server, database = influx

    async def scenario():
        async with running(server.write_url(database), batch=7) as writer:
            for start in range(0, 600, 30):
                note(writer, *range(start, start + 30))
                await asyncio.sleep(0.005)
            await until(lambda: writer.written == 600)

    run(scenario())
    assert numbers(server, database) == list(range(600))
