"""Settings: every mistake in one message, with the value and the fix, and no secret in it."""

import pytest
from botkit.settings import EXIT_CONFIG, BadSettings, Reader

NAMES = ("APP_URL", "APP_COUNT", "APP_KEY", "APP_LIST")


def mistakes(read, **environment):
    reader = Reader({"PATH": "/bin", "OTHER_X": "1", **environment}, "APP_", NAMES)
    read(reader)
    with pytest.raises(BadSettings) as refused:
        reader.finish()
    return str(refused.value)


def test_what_is_given_is_read():
    reader = Reader({"APP_URL": "http://h", "APP_COUNT": "3", "APP_KEY": "k", "APP_LIST": " a, b "}, "APP_", NAMES)
    assert reader.text("APP_URL", "use a URL", r"http://\S+") == "http://h"
    assert (reader.whole("APP_COUNT", 1, 5, 2), reader.secret("APP_KEY", "use a key"), reader.items("APP_LIST")) == (3, "k", ("a", "b"))
    reader.finish()


def test_what_is_left_out_has_its_default():
    reader = Reader({}, "APP_", NAMES)
    assert (reader.whole("APP_COUNT", 1, 5, 2), reader.text("APP_URL", "", default="x"), reader.items("APP_LIST")) == (2, "x", ())
    assert reader.secret("APP_KEY", "use a key", optional=True) == "" and not reader.given("APP_KEY")
    reader.finish()


def test_every_mistake_is_told_at_once():
    def read(reader):
        reader.text("APP_URL", "use a URL")
        reader.whole("APP_COUNT", 1, 5, 2)
        reader.secret("APP_KEY", "use a key", r"\S{20}")
        reader.mistake("and one more")

    told = mistakes(read, APP_COUNT="9", APP_KEY="hush hush", APP_UR="x")
    assert told == (
        "APP_UR is not a setting: use APP_COUNT, APP_KEY, APP_LIST, APP_URL; APP_URL is not set: use a URL; "
        "APP_COUNT=9: use a whole number from 1 to 5; APP_KEY (secret, 9 characters): use a key; and one more"
    )


@pytest.mark.parametrize("value", ["", "1.5", "x", "1e3", "9" * 16, "１"])
def test_a_number_that_is_none_is_refused(value):
    assert f"APP_COUNT={value!r}: use a whole number from 1 to 5" in mistakes(lambda one: one.whole("APP_COUNT", 1, 5, 2), APP_COUNT=value)


def test_a_long_value_is_cut():
    assert len(mistakes(lambda one: one.text("APP_URL", "use a URL", "x"), APP_URL="y" * 10_000)) < 200


def test_the_exit_code_is_that_of_a_configuration():
    assert EXIT_CONFIG == 78
