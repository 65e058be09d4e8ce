"""Who may ask what: this machine's names, GET alone, no other site; and what every answer carries."""

import re

import aiohttp
import pytest
from board_world import IMAGE, Served

PATHS = ("/", "/page/board.js", "/page/board.css", "/api/orders", "/api/nothing", "/nothing", "/health")


@pytest.fixture(scope="module")
def served(vendor, tmp_path_factory):
    started = Served(tmp_path_factory.mktemp("guard") / "log", vendor=str(vendor), hosts="board.internal", title="<b>One & all</b>")
    yield started
    started.stop()


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:18080", "Board.Internal:8000", "LOCALHOST"])
def test_its_own_names(served, host):
    assert served.request("/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "", "localhost@evil", "[::2]"]
)
@pytest.mark.parametrize("path", ["/", "/api/orders", "/api/live"])
def test_a_name_that_somebody_lets_point_here(served, host, path):
    status, _, text = served.request(path, Host=host)
    assert status == 421 and "BOARD_HOSTS" in text


def test_its_health_is_told_by_any_name(served):
    assert served.request("/health", Host="health")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/api/orders", "/api/live"])
def test_it_only_reads(served, method, path):
    assert served.request(path, method)[0] == 405


@pytest.mark.parametrize("path", ["/api/orders", "/api/live"])
@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}]
)
def test_a_page_of_another_site(served, path, headers):
    upgrade = {"Upgrade": "websocket"} if path == "/api/live" else {}
    assert served.request(path, **headers, **upgrade)[0] == 403


def test_a_socket_needs_an_origin(served):
    assert served.request("/api/live", Upgrade="websocket")[0] == 403
    assert served.request("/api/live")[0] == 426


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_locked_down(served, path):
    _, headers, _ = served.request(path)
    policy = dict(one.strip().partition(" ")[::2] for one in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin" and headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == ("no-cache" if path in PATHS[:3] else "no-store")
    assert headers["Server"] is None and headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize(
    "path", ["/page/../board/settings.py", "/page/%2e%2e/settings.py", "/page/..%2fsettings.py", "//etc/passwd", "/page/index.html"]
)
def test_only_the_pages_files(served, path):
    assert served.request(path)[0] == 404


def test_a_title_is_text(served):
    _, _, text = served.request("/")
    assert "<b>One" not in text and "&#60;b&#62;One &#38; all" in text


def test_a_reload_sends_nothing_again(served):
    _, headers, text = served.request("/page/board.css")
    status, _, again = served.request("/page/board.css", If_None_Match=headers["ETag"])
    assert text and (status, again) == (304, "")


def test_nothing_comes_from_elsewhere_and_nothing_is_inline():
    for path in sorted((IMAGE / "board" / "page").iterdir()):
        text = path.read_text()
        loaded = re.findall(
            r"""(?:src|href)=["']?(https?:[^"' >]+)|url\(\s*["']?(https?:[^)]+)|(?:from|import\()\s*["'](https?:[^"']+)""", text
        )
        assert [one for found in loaded for one in found if one] in ([], ["https://www.tradingview.com/"]), path
        if path.suffix == ".html":
            assert not re.search(r"<style|<script>|\son[a-z]+=|\sstyle=", text), path
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), path


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("profit?range=99y", "range='99y': use one of 1h"),
        ("profit?bot=nobody", "bot='nobody': this board has no such bot"),
        ("logs?text=" + "x" * 201, "text has 201 characters: use at most 200"),
        ("logs?level=loud", "level='loud': use one of"),
        ("logs?from=1&to=99999999999999", "more than 31 days apart"),
        ("logs?before=now", "before: use the nanoseconds of a line"),
        ("logs?service=" + "x" * 81, "service: use the name of one"),
    ],
)
def test_a_question_that_is_too_large_or_makes_no_sense(served, path, message):
    status, _, text = served.request(f"/api/{path}")
    assert status == 400 and message in text


def test_a_page_says_nothing(served):
    """A socket that sends is closed, and a large message ends it too."""
    import asyncio

    async def talk(text):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{served.url}/api/live", headers={"Origin": served.url}) as socket,
        ):
            await socket.send_str(text)
            while not (await socket.receive(20)).type.name.startswith("CLOS"):
                pass
            return socket.close_code

    assert asyncio.run(talk("hello")) == 1000 and asyncio.run(talk("x" * 5000)) == 1009
