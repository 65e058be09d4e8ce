"""Lines: whatever a point holds is one line, and InfluxDB gives back what went in."""

import itertools
import math
from decimal import Decimal

import pytest
import requests
from botkit.line_protocol import kept_name, kept_tag, kept_text, line_of
from botkit_servers import PASSWORD
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

NUMBERS = itertools.count(1)
nasty = st.text(st.sampled_from(list('\\\\,= "\n\t\r\x00#aé🙂')), max_size=8)
texts = nasty | st.text(st.characters(codec="utf-8"), max_size=20)
floats = st.floats(allow_nan=False, allow_infinity=False)
integers = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.servers
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=texts, tag=texts, value=texts, key=texts, text=texts, number=floats, whole=integers, flag=st.booleans())
@example(
    name="m", tag="t", value="a\\ b\\,c\\", key="k\\=", text='say "no"\\\nslanger_fill x=1 1\\', number=5e-324, whole=-(2**63), flag=True
)
@example(name='\\"', tag='\\"', value='\\"', key='\\"', text='\\"', number=0.0, whole=0, flag=False)
@example(name="m\\", tag="t\\", value="\\\\", key="#\\", text="\\", number=1.7976931348623157e308, whole=2**63 - 1, flag=False)
def test_influxdb_gives_back_what_went_in(shared_influx, database, name, tag, value, key, text, number, whole, flag):
    tag, key = f"t{tag}", f"k{key}"
    assume(name and not name.startswith("#") and kept_name(tag) != kept_name(key))
    # Keys are of one test in a measurement; types too: an example has its own.
    at, measurement = next(NUMBERS), f"{name}{next(NUMBERS)}"
    fields = {key: text, f"{key}f": number, f"{key}i": whole, f"{key}b": flag}
    line = line_of(measurement, {tag: value}, fields, at)
    assert "\n" not in line.replace(text.replace("\\", "\\\\").replace('"', '\\"'), "")
    answer = requests.post(
        f"http://127.0.0.1:{shared_influx.port}/api/v2/write?bucket={database}&precision=ns",
        data=line.encode(),
        headers={"Authorization": f"Token writer:{PASSWORD}".encode()},
        timeout=30,
    )
    assert answer.status_code == 204, (line, answer.text)
    (row,) = shared_influx.rows(database, kept_name(measurement).replace("\\", "\\\\").replace('"', '\\"'))
    want = {
        "time": at,
        kept_name(key): kept_text(text),
        kept_name(f"{key}f"): number,
        kept_name(f"{key}i"): whole,
        kept_name(f"{key}b"): flag,
    }
    want |= {kept_name(tag): kept_tag(value)} if value else {}
    # JSON has whole floats as whole numbers.
    row[kept_name(f"{key}f")] = float(row[kept_name(f"{key}f")])
    assert row == want


@pytest.fixture(scope="module")
def database(shared_influx):
    return shared_influx.new_database()


@settings(deadline=None)
@given(text=texts)
def test_what_is_kept_is_kept_again(text):
    assert kept_tag(kept_tag(text)) == kept_tag(text)
    assert kept_name(kept_name(text)) == kept_name(text)


def test_numbers_and_text_have_their_types():
    fields = {"i": 3, "f": 3.0, "d": Decimal("0.5"), "b": False, "s": "x", "empty": ""}
    assert line_of("m", {"b": 1, "a": "x"}, fields, 7) == 'm,a=x,b=1 i=3i,f=3.0,d=0.5,b=false,s="x",empty="" 7'


def test_what_can_not_be_written_is_left_out():
    fields = {"nan": math.nan, "inf": -math.inf, "none": None, "big": 2**63, "": 1, "time": 5, "left": 1}
    assert line_of("m", {"t": None, "e": "", "time": "x", "": "x"}, fields, 7) == "m left=1i 7"


@pytest.mark.parametrize(
    ("name", "fields", "time_ns"),
    [("", {"f": 1}, 1), ("#m", {"f": 1}, 1), ("m", {}, 1), ("m", {"f": math.nan}, 1), ("m", {"f": 1}, 2**63), ("m", {"f": 1}, -(2**63))],
)
def test_a_point_that_can_not_be_written_is_refused(name, fields, time_ns):
    with pytest.raises(ValueError):
        line_of(name, {}, fields, time_ns)


def test_a_lone_surrogate_is_a_question_mark():
    assert line_of("m", {"t": "\ud800"}, {"f": "\udfff"}, 1) == 'm,t=? f="?" 1'
