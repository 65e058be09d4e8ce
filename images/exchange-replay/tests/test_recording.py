"""Reading recordings: what is accepted, and the one sentence for what is not."""

import gzip

import pytest
from exchange_replay.candles import common_span
from exchange_replay.recording import BadRecording, read_folder

GOOD = "300000,2,4,1,3,10"


def test_plain_and_gzipped_files_are_read_as_units_of_1e_8(write):
    write("BTC_USDT-5m.csv", "300000,100000.12345678,100001,99999,100000,0", "600000,2,2,2,2,0.1")
    folder = write("ADA_BTC-5m.csv.gz", "300000,5.330000000000001e-05,5.34e-05,5.288000000000001e-05,5.29e-05,431401.97869504")
    (folder / "README.md").write_text("left alone")
    ada, btc = read_folder(folder)
    assert (ada.base, ada.quote, ada.interval, ada.rows) == ("ADA", "BTC", "5m", [(300000, 5330, 5340, 5288, 5290, 43140197869504)])
    assert btc.rows[0] == (300000, 10000012345678, 10000100000000, 9999900000000, 10000000000000, 0)


@pytest.mark.parametrize(
    "row, reason",
    [
        ("300000,2,4,1,3", "5 fields instead of 6"),
        ("soon,2,4,1,3,10", "timestamp_ms='soon' is not a whole number"),
        ("300001,2,4,1,3,10", "timestamp_ms=300001 is not a multiple of the interval (300000 ms)"),
        ("300000,2,4,1,3,nan", "volume='nan' is not a number"),
        ("300000,2,inf,1,3,10", "high='inf' is not a number"),
        ("300000,x,4,1,3,10", "open='x' is not a number"),
        ("300000,2,4,1,3,-1", "volume=-1 is too small"),
        ("300000,2,4,0,3,10", "low=0 is too small"),
        ("300000,2,2.5,1,3,10", "high=2.5 is below open, low or close"),
        ("300000,2,4,2.1,3,10", "low=2.1 is above open or close"),
    ],
)
def test_a_bad_row_is_refused_with_file_line_reason_and_fix(write, row, reason):
    folder = write("ETH_BTC-5m.csv", "0,2,4,1,3,10", row)
    with pytest.raises(BadRecording) as refused:
        read_folder(folder)
    assert str(refused.value).startswith(f"ETH_BTC-5m.csv line 3: {reason}")
    assert "correct the row or delete it" in str(refused.value)


@pytest.mark.parametrize("again", [GOOD, "0,2,4,1,3,10"])
def test_rows_that_do_not_ascend_are_refused(write, again):
    with pytest.raises(BadRecording, match="ETH_BTC-5m.csv line 3: timestamp_ms=[0-9]+ is not after the row before it"):
        read_folder(write("ETH_BTC-5m.csv", GOOD, again))


@pytest.mark.parametrize(
    "name, rows, message",
    [
        ("eth_btc-5m.csv", [GOOD], "eth_btc-5m.csv: the name must be BASE_QUOTE-<interval>.csv.*rename the file"),
        ("ETH_BTC.csv", [GOOD], "ETH_BTC.csv: the name must be"),
        ("ETH_BTC-7m.csv", [GOOD], "ETH_BTC-7m.csv: interval '7m' is not one of 1m, 3m, .*rename or convert"),
        ("ETH_BTC-5m.csv", [], "ETH_BTC-5m.csv line 2: there is no candle; add"),
    ],
)
def test_a_bad_file_is_refused(write, name, rows, message):
    with pytest.raises(BadRecording, match=message):
        read_folder(write(name, *rows))


def test_a_bad_header_is_refused(write):
    with pytest.raises(BadRecording, match="line 1: the columns are 'time,open'; make the first line timestamp_ms,open,high,low,close"):
        read_folder(write("ETH_BTC-5m.csv", GOOD, header="time,open"))


@pytest.mark.parametrize(
    "content",
    [
        b"not gzip",
        gzip.compress(b"timestamp_ms,open" * 500)[:-20],
        gzip.compress(b"\xff\xfe\x00"),
        gzip.compress(b"")[:10] + b"\xff" * 20,
        b"",
    ],
    ids=["not gzip", "cut short", "not text", "not deflate", "empty"],
)
def test_a_broken_archive_is_refused(tmp_path, content):
    (tmp_path / "ETH_BTC-5m.csv.gz").write_bytes(content)
    with pytest.raises(BadRecording, match="^ETH_BTC-5m.csv.gz"):
        read_folder(tmp_path)


def test_a_folder_that_is_missing_or_empty_is_refused(tmp_path):
    with pytest.raises(BadRecording, match="has no .csv or .csv.gz file; put files"):
        read_folder(tmp_path)
    with pytest.raises(BadRecording, match="is not a folder; set REPLAY_DATA"):
        read_folder(tmp_path / "missing")


@pytest.mark.parametrize(
    "first, second, message",
    [
        ("ETH_BTC-5m.csv", "ETH_BTC-5m.csv.gz", "ETH_BTC-5m.csv and ETH_BTC-5m.csv.gz are both the symbol ETHBTC; remove one"),
        ("A_BCD-5m.csv", "AB_CD-5m.csv", "both the symbol ABCD; remove one"),
        ("ETH_BTC-5m.csv", "LTC_BTC-1m.csv", "ETH_BTC-5m.csv and LTC_BTC-1m.csv have different intervals; keep files of one interval"),
    ],
)
def test_files_that_do_not_go_together_are_refused(write, first, second, message):
    write(first, GOOD)
    with pytest.raises(BadRecording, match=message):
        read_folder(write(second, GOOD))


def test_pairs_that_do_not_overlap_in_time_are_refused(write):
    write("ETH_BTC-5m.csv", "0,2,4,1,3,10")
    with pytest.raises(BadRecording, match=r"LTC_BTC-5m.csv starts \(line 2\) after ETH_BTC-5m.csv ends; keep files that overlap"):
        common_span(read_folder(write("LTC_BTC-5m.csv", GOOD)))
