"""The page's server: for this machine and this page only; the key is in no address, no answer and no output."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from botkit.signing import alert_is_signed
from generator_page import KEY, Served, environment

OPTIONS = {"name": "macd-5m", "route": "market", "account": "paper", "url": "https://hooks.example.com", "notional": "100"}


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
    done = subprocess.run(command, env=environment(None), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and re.fullmatch(r"--port=[0-9]+: .*(in use|0-65535).*: choose another port\n", done.stderr)
