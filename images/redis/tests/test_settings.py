"""Settings and log lines, without a server."""

import pytest
from redis_store.log_lines import translate
from redis_store.settings import configuration, read_settings
from supervisor.settings import BadSettings

PASSWORD = "a-password-for/tests@%1"


def test_half_of_the_containers_memory_without_a_setting():
    assert read_settings({"REDIS_PASSWORD": PASSWORD}, 512).max_memory_mb == 256


def test_the_configuration_has_no_password():
    text = configuration(read_settings({"REDIS_PASSWORD": PASSWORD, "REDIS_MAX_MEMORY_MB": "100"}, 512))
    assert PASSWORD not in text and "maxmemory 100mb" in text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "REDIS_PASSWORD is not set"),
        ({"REDIS_PASSWORD": PASSWORD, "REDIS_MAX_MEMORY_MB": "385"}, "REDIS_MAX_MEMORY_MB=385: use a whole number from 16 to 384"),
        ({"REDIS_PASSWORD": PASSWORD, "REDIS_MAX_MEMORY_MB": "1g"}, "REDIS_MAX_MEMORY_MB='1g': use a whole number"),
        ({"REDIS_PASSWORD": "with a space in it, long"}, r"REDIS_PASSWORD \(secret, 24 characters\)"),
        ({"REDIS_PASSWORD": PASSWORD, "REDIS_PASWORD": "x"}, "REDIS_PASWORD is not a setting: use REDIS_MAX_MEMORY_MB, REDIS_PASSWORD"),
    ],
)
def test_what_is_refused(given, words):
    with pytest.raises(BadSettings, match=words):
        read_settings(given, 512)


def test_a_line_as_fields():
    assert translate("7:M 04 Nov 2026 10:00:00.123 * Ready to accept connections") == {
        "time": "2026-11-04T10:00:00.123Z",
        "level": "info",
        "message": "Ready to accept connections",
        "process": 7,
        "role": "primary",
    }


@pytest.mark.parametrize(("sign", "level"), [("#", "warning"), ("*", "info"), ("-", "debug"), (".", "debug")])
def test_levels(sign, level):
    assert translate(f"7:C 04 Nov 2026 10:00:00.123 {sign} x")["level"] == level


def test_what_is_no_log_line_is_an_errors_text():
    assert translate("*** FATAL CONFIG FILE ERROR ***") == {"level": "error", "message": "*** FATAL CONFIG FILE ERROR ***"}
