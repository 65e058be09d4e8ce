"""A certificate's common name out of its subject (RFC 4514), and the ways to smuggle one in."""

import time

import pytest
from slanger.accept.subject import common_name


@pytest.mark.parametrize(
    "subject, name",
    [
        ("CN=TradingView Webhooks", "TradingView Webhooks"),
        ("CN=TradingView Webhooks,O=TradingView\\, Inc.,C=US", "TradingView Webhooks"),
        ("C=US, O=TradingView, CN=TradingView Webhooks", "TradingView Webhooks"),
        ("cn = TradingView Webhooks ; O=x", "TradingView Webhooks"),
        ("2.5.4.3=TradingView Webhooks", "TradingView Webhooks"),
        ("OU=a+CN=TradingView Webhooks,O=x", "TradingView Webhooks"),
        ('CN="TradingView Webhooks",O="a, b"', "TradingView Webhooks"),
        ("CN=Before\\0DAfter", "Before\rAfter"),
        ("CN=Lu\\C4\\8Di\\C4\\87", "Lučić"),
        ('CN=a\\"b\\\\c', 'a"b\\c'),
        ("CN=a\\\\2C", "a\\2C"),
        ("CN=", ""),
        # One that is inside another value.
        ("O=x\\,CN=TradingView Webhooks", None),
        ('O="x,CN=TradingView Webhooks"', None),
        ("O=CN=TradingView Webhooks", None),
        ("XCN=TradingView Webhooks", None),
        # Two of them, or none, or no subject at all.
        ("CN=TradingView Webhooks,CN=Other", None),
        ("CN=Other+CN=TradingView Webhooks", None),
        ("O=x", None),
        ("", None),
        ("TradingView Webhooks", None),
        ("CN=TradingView Webhooks,", None),
        ('CN="TradingView Webhooks', None),
        ('CN=Trading"View', None),
        ("CN=#0C0B5472", None),
        ("/C=US/CN=TradingView Webhooks", None),
    ],
)
def test_the_common_name_of_a_subject(subject, name):
    assert common_name(subject) == name


@pytest.mark.parametrize(
    "subject", ["CN=" + " " * 30_000 + '"', "CN=" + "\\a" * 15_000 + '"', " " * 30_000, "a" * 30_000, "CN=" + "1." * 15_000]
)
def test_a_long_subject_takes_no_time(subject):
    started = time.perf_counter()
    common_name(subject)
    assert time.perf_counter() - started < 1
