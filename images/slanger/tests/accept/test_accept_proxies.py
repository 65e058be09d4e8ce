"""What a proxy vouches for: source addresses and client certificates, and forged headers that nobody vouches for."""

import json
import time

import pytest
from botkit.signing import SIGNATURE_HEADER

pytestmark = pytest.mark.servers

OTHER_KEY = "o" * 40
TRADINGVIEW = "52.89.214.238"


def test_a_spoofed_forwarded_for_is_not_believed_without_a_trusted_proxy(run_accept, alert):
    one = run_accept(SLANGER_AUTHENTICATION="source-ip").wait_until_ready()
    for value in (TRADINGVIEW, f"{TRADINGVIEW}, {TRADINGVIEW}", f"127.0.0.1, {TRADINGVIEW}"):
        assert one.send(alert(), headers={"x-forwarded-for": value}).status_code == 403
    assert one.send(alert()).status_code == 403 and one.stored() == []


def test_of_a_trusted_proxys_header_only_the_last_hop_counts(run_accept, alert):
    settings = {
        "SLANGER_AUTHENTICATION": "signature,source-ip",
        "SLANGER_TRUSTED_PROXIES": "127.0.0.0/8",
        "SLANGER_SOURCE_IPS": f"{TRADINGVIEW}, 2001:db8::/64",
    }
    one = run_accept(**settings).wait_until_ready()
    good = (TRADINGVIEW, f"1.2.3.4, {TRADINGVIEW}", f"{TRADINGVIEW}:4711", "[2001:db8::7]:80", "2001:db8::7", f"::ffff:{TRADINGVIEW}")
    for value in good:
        assert one.send(alert(), headers={"x-forwarded-for": value}).status_code == 202, value
    assert {message["body"]["authenticated_by"] for message in one.stored()} == {"source-ip+signature"}
    for value in (
        f"{TRADINGVIEW}, 1.2.3.4",
        f"{TRADINGVIEW},",
        "",
        "unknown",
        f"{TRADINGVIEW}.evil.example",
        "1.2.3.4",
        "2001:db8:1::7",
        "127.0.0.1",
    ):
        assert one.send(alert(), headers={"x-forwarded-for": value}).status_code == 403, value
    assert one.send(alert()).status_code == 403
    # Both are asked for: the right address doesn't make a wrong signature good.
    assert one.send(alert(OTHER_KEY), headers={"x-forwarded-for": TRADINGVIEW}).status_code == 401
    # A program's signed request passes from anywhere.
    assert one.send_signed({"action": "buy", "ticker": "AAPL", "time": time.time()}).status_code == 202


@pytest.mark.parametrize("name", [None, "x-forwarded-for", "x-amzn-mtls-clientcert-subject", SIGNATURE_HEADER])
def test_a_header_that_is_there_twice_is_refused(run_accept, alert, raw, name):
    settings = {"SLANGER_AUTHENTICATION": "signature,source-ip,client-certificate", "SLANGER_TRUSTED_PROXIES": "127.0.0.1"}
    one = run_accept(**settings).wait_until_ready()
    proofs = [("x-forwarded-for", TRADINGVIEW), ("x-amzn-mtls-clientcert-subject", "CN=TradingView Webhooks")]
    twice = {"x-forwarded-for": ["1.2.3.4"], "x-amzn-mtls-clientcert-subject": ["CN=Other"], SIGNATURE_HEADER: ["0" * 64] * 2}.get(name, [])
    head = "".join(f"{key}: {value}\r\n" for key, value in [*((name, value) for value in twice), *proofs])
    body = json.dumps(alert())
    answer = raw(one.port, f"POST /market HTTP/1.1\r\nhost: x\r\n{head}content-length: {len(body)}\r\n\r\n{body}".encode())
    assert answer.startswith(b"HTTP/1.1 400" if name else b"HTTP/1.1 202")
    if name:
        assert f"{name} is there twice: send it once".encode() in answer and one.stored() == []


def test_another_header_can_carry_the_source_address(run_accept, alert):
    settings = {"SLANGER_TRUSTED_PROXIES": "127.0.0.1", "SLANGER_SOURCE_IP_HEADER": "X-Real-Ip"}
    one = run_accept(SLANGER_AUTHENTICATION="source-ip", **settings).wait_until_ready()
    unsigned = alert(signature=None)
    del unsigned["alert"]
    assert one.send(unsigned, headers={"x-real-ip": TRADINGVIEW}).status_code == 202
    assert one.send(unsigned, headers={"x-forwarded-for": TRADINGVIEW}).status_code == 403
    # Not asked for, but given: it must be right.
    assert one.send({**unsigned, "signature": "0" * 64}, headers={"x-real-ip": TRADINGVIEW}).status_code == 401


def test_a_client_certificate_counts_by_its_exact_common_name_and_from_the_proxy_only(run_accept, alert):
    header, name = "x-amzn-mtls-clientcert-subject", "CN=TradingView Webhooks"
    one = run_accept(SLANGER_AUTHENTICATION="client-certificate", SLANGER_TRUSTED_PROXIES="127.0.0.1").wait_until_ready()
    other = run_accept(SLANGER_AUTHENTICATION="client-certificate", SLANGER_TRUSTED_PROXIES="10.0.0.0/8").wait_until_ready()
    assert one.send(alert(), headers={header: f"{name},O=TradingView,C=US"}).status_code == 202
    assert [message["body"]["authenticated_by"] for message in one.stored()] == ["client-certificate+signature"]
    assert other.send(alert(), headers={header: name}).status_code == 403
    for forged in (f"{name} ltd", "CN=tradingview webhooks", f"O=x\\,{name}", f'O="x,{name}"', f"{name},CN=Other", f"O={name}", ""):
        assert one.send(alert(), headers={header: forged}).status_code == 403, forged
    assert one.send(alert()).status_code == 403 and one.stored() == [] and other.stored() == []
