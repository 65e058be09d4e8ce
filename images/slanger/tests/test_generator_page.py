"""The page's server: for this machine and this page only; the key is in no address, no answer and no output."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from slanger.signing import alert_is_signed

IMAGE = Path(__file__).resolve().parent.parent
KEY = "a-signing-key-of-more-than-32-characters"
OPTIONS = {"name": "macd-5m", "route": "market", "account": "paper", "url": "https://hooks.example.com", "notional": "100"}


class Served:
    """`alerts page` as a process; `request` speaks HTTP without any manners."""

    def __init__(self, key: str | None, log: Path, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLANGER_")} | {"PYTHONPATH": str(IMAGE)}
        if key:
            environment["SLANGER_SIGNING_KEY"] = key
        command = [sys.executable, "-m", "slanger", "alerts", "page", "--port", "0", *arguments]
        self.log = log
        with log.open("w") as errors:
            self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.first_line = self.process.stdout.readline()
        self.url = self.first_line.removeprefix("Open ").strip()
        parts = urlsplit(self.url)
        self.port, self.path, self.host = parts.port, parts.path, parts.netloc

    def request(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        data = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def make(self, body: object, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        usual = {"Content_Type": "application/json", "Origin": f"http://{self.host}"}
        return self.request("POST", f"{self.path}alert", body, **{**usual, **headers})

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        more, _ = self.process.communicate(timeout=20)
        return self.first_line + more + self.log.read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    started = Served(KEY, tmp_path_factory.mktemp("page") / "log")
    yield started
    started.stop()


def test_it_makes_a_signed_alert_with_the_process_s_key(served):
    status, _, text = served.make({"options": OPTIONS})
    body = json.loads(json.loads(text)["alert"]["text"])
    assert status == 200 and alert_is_signed([KEY], body["alert"], body["signature"]) and KEY not in text


def test_wrong_options_come_back_with_their_keys(served):
    status, _, text = served.make({"options": {**OPTIONS, "name": "A b", "notional": "-1"}})
    assert status == 422 and [one["key"] for one in json.loads(text)["mistakes"]] == ["name", "notional"]


def test_a_typed_key_signs_one_alert_and_is_written_nowhere(tmp_path):
    served = Served(None, tmp_path / "log")
    other = "another-signing-key-of-32-characters!"
    body = json.loads(json.loads(served.make({"options": OPTIONS, "key": other})[2])["alert"]["text"])
    assert alert_is_signed([other], body["alert"], body["signature"])
    # The next request has no key: the typed one is gone.
    status, _, text = served.make({"options": OPTIONS})
    assert status == 422 and [one["key"] for one in json.loads(text)["mistakes"]] == ["signing_key"]
    assert "signature" not in json.loads(json.loads(served.make({"options": OPTIONS, "unsigned": True})[2])["alert"]["text"])
    written = served.stop()
    assert other not in written and written.count(served.path) == 1 and served.process.returncode == 0


def test_it_listens_on_loopback_only(served):
    port = f"{served.port:04X}"
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"]
    assert [one for one in listening if one.endswith(f":{port}")] == [f"0100007F:{port}"]
    six = Path("/proc/net/tcp6")
    assert not six.exists() or f":{port} " not in six.read_text()


@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:80", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil.com"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_name_for_this_machine_gets_nothing(served, host, method):
    status, _, text = served.make({"options": OPTIONS}, Host=host) if method == "POST" else served.request("GET", served.path, Host=host)
    assert status == 421 and "signature" not in text and "<form" not in text


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "", "http://127.0.0.1", "http://localhost:{port}"])
def test_another_site_can_t_post(served, origin):
    status, headers, text = served.make({"options": OPTIONS}, Origin=origin.format(port=served.port))
    assert status == 403 and "signature" not in text and "Access-Control-Allow-Origin" not in headers


def test_a_form_of_another_site_can_t_post_either(served):
    assert served.make({"options": OPTIONS}, Content_Type="text/plain")[0] == 415
    # The question that a browser asks before it would send JSON across sites.
    status, headers, _ = served.request("OPTIONS", f"{served.path}alert", Origin="https://evil.example.com")
    assert status == 501 and not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/alert", "/aaaa/", "/%2e%2e/", "/favicon.ico"])
def test_without_the_secret_part_of_the_address_there_is_nothing(served, path):
    assert served.request("GET", path)[0] == 404
    assert served.request("POST", path, {"options": OPTIONS}, Origin=f"http://{served.host}", Content_Type="application/json")[0] == 404


def test_two_pages_have_two_addresses(served, tmp_path):
    other = Served(KEY, tmp_path / "log")
    other.stop()
    assert len(served.path) > 30 and other.path != served.path


def test_the_page_loads_nothing_is_not_kept_and_shows_in_no_frame(served):
    status, headers, text = served.request("GET", served.path)
    policy = headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]+)'", policy)[1]
    assert status == 200 and headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "connect-src 'self'"):
        assert rule in policy
    assert "unsafe" not in policy and text.count(f'nonce="{nonce}"') == 2 and "NONCE" not in text
    assert not re.search(r"""(src|href)=["'](?!data:,)|@import|url\(|localStorage|sessionStorage|document\.cookie""", text)
    assert nonce not in served.request("GET", served.path)[2] and KEY not in text


@pytest.mark.parametrize("body", [[], {}, {"options": []}, {"options": {"name": 5}}, None, {"options": {"nonsense": "1"}}])
def test_a_body_that_the_page_would_not_send_is_refused_in_one_sentence(served, body):
    status, _, text = served.make(body)
    answer = json.loads(text)
    assert status in (400, 413, 422) and ("error" in answer or answer["mistakes"]) and "Traceback" not in text


def test_the_form_begins_with_what_is_known_of_the_webhook(tmp_path):
    known = Served(KEY, tmp_path / "log", "--url", "https://hooks.example.com", "--account", '"><script>')
    text = known.request("GET", known.path)[2]
    known.stop()
    assert 'name="url" value="https://hooks.example.com"' in text and 'name="account" value="&quot;&gt;&lt;script&gt;"' in text


def test_a_huge_body_is_refused_before_it_is_read(served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as raw:
        head = f"POST {served.path}alert HTTP/1.1\r\nHost: {served.host}\r\nOrigin: http://{served.host}\r\n"
        raw.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 999999999\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.0 413")


@pytest.mark.parametrize("port", [None, "70000"])
def test_a_port_that_can_t_be_had_is_told_in_one_sentence(served, port):
    command = [sys.executable, "-m", "slanger", "alerts", "page", "--port", port or str(served.port)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(IMAGE)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and re.fullmatch(r"--port=[0-9]+: .*(in use|0-65535).*: choose another port\n", done.stderr)
