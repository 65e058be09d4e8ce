"""Memory limits, settings and the lock of a volume, without a server."""

import pytest
from supervisor.memory import limit_mib
from supervisor.settings import BadSettings, Reader
from supervisor.volume import Unwritable, try_lock


@pytest.mark.parametrize(("limit", "mib"), [("536870912\n", 512), ("max\n", 4000), ("9223372036854771712\n", 4000), (None, 4000)])
def test_the_smaller_of_limit_and_machine(tmp_path, limit, mib):
    (tmp_path / "meminfo").write_text("MemTotal:        4096000 kB\nMemFree: 1 kB\n")
    if limit:
        (tmp_path / "limit").write_text(limit)
    places = (str(tmp_path / "none"), str(tmp_path / "limit")), str(tmp_path / "meminfo")
    assert limit_mib(*places, {}) == mib
    assert limit_mib(*places, {"CONTAINER_MEMORY_MIB": "448"}) == 448
    assert limit_mib(*places, {"CONTAINER_MEMORY_MIB": "8192"}) == mib


@pytest.mark.parametrize("told", ["0", "half", "-5", "1.5", "5"])
def test_a_memory_that_is_no_number_is_refused(tmp_path, told):
    (tmp_path / "meminfo").write_text("MemTotal:        4096000 kB\n")
    with pytest.raises(BadSettings, match=f"CONTAINER_MEMORY_MIB='{told}': use a whole number"):
        limit_mib((), str(tmp_path / "meminfo"), {"CONTAINER_MEMORY_MIB": told})


def test_every_mistake_is_told_at_once_without_the_secret():
    given = {"X_DAYS": "0", "X_MODE": "fast", "X_PASSWORD": "too short", "X_OTHER": "1"}
    reader = Reader(given, ("X_",), ("X_DAYS", "X_MODE", "X_NAME", "X_PASSWORD"))
    reader.whole("X_DAYS", 1, 10, "days")
    reader.text("X_MODE", "a|b", "use a or b")
    reader.text("X_NAME", ".+", "use a name")
    reader.password("X_PASSWORD")
    with pytest.raises(BadSettings) as refused:
        reader.finish()
    assert str(refused.value) == (
        "X_OTHER is not a setting: use X_DAYS, X_MODE, X_NAME, X_PASSWORD; X_DAYS=0: use a whole number from 1 to 10 (days); "
        "X_MODE='fast': use a or b; X_NAME is not set: use a name; "
        "X_PASSWORD (secret, 9 characters): use 16 to 200 printable ASCII characters without spaces"
    )


def test_a_volume_is_one_servers(tmp_path):
    assert try_lock(tmp_path) is not None
    assert try_lock(tmp_path) is None


def test_a_volume_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(Unwritable, match="No such file or directory; mount a volume there"):
        try_lock(tmp_path / "none")
