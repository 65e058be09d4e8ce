"""Settings: every mistake at once, and what Loki is told."""

import pytest
from loki_store.server import plan, translate
from loki_store.settings import read_settings
from supervisor.settings import BadSettings


def test_every_mistake_is_told_at_once():
    wrong = {"LOKI_RETENTION_DAYS": "0", "LOKI_S3_BUCKET": "Not a bucket", "LOKI_S3_ENDPOINT": "s3", "LOKI_AUTH_ENABLED": "false"}
    with pytest.raises(BadSettings) as refused:
        read_settings(wrong)
    for words in (
        "LOKI_AUTH_ENABLED is not a setting: use LOKI_RETENTION_DAYS",
        "LOKI_RETENTION_DAYS=0: use a whole number from 1 to 3650 (days)",
        "LOKI_S3_BUCKET='Not a bucket': use the name of an S3 bucket",
        "LOKI_S3_ENDPOINT='s3': use the URL",
    ):
        assert words in str(refused.value)


def test_a_bucket_needs_its_region_and_an_endpoint_a_bucket():
    with pytest.raises(BadSettings, match="AWS_REGION is not set"):
        read_settings({"LOKI_RETENTION_DAYS": "1", "LOKI_S3_BUCKET": "logs"})
    with pytest.raises(BadSettings, match="set LOKI_S3_BUCKET too"):
        read_settings({"LOKI_RETENTION_DAYS": "1", "LOKI_S3_ENDPOINT": "http://minio:9000"})


def test_where_chunks_go_and_what_memory_it_has():
    own = plan({"PATH": "/bin"}, read_settings({"LOKI_RETENTION_DAYS": "2"}), 1000).environment
    assert (own["LOKI_OBJECT_STORE"], own["LOKI_RETENTION_HOURS"], own["GOMEMLIMIT"]) == ("filesystem", "48", "800MiB")
    given = {"LOKI_RETENTION_DAYS": "2", "LOKI_S3_BUCKET": "logs", "AWS_REGION": "eu-west-1", "LOKI_S3_ENDPOINT": "http://minio:9000"}
    there = plan({}, read_settings(given), 1000).environment
    assert (there["LOKI_OBJECT_STORE"], there["LOKI_ENDPOINT"], there["LOKI_INSECURE"]) == ("s3", "minio:9000", "true")
    assert "LOKI_S3_BUCKET" not in there


def test_a_line_of_lokis_becomes_one_of_ours():
    line = '{"caller":"x.go:1","level":"warn","msg":"slow","ts":"2026-11-24T11:27:03.305233928Z"}'
    said = translate(line)
    assert (said["level"], said["message"], said["time"], said["caller"]) == ("warning", "slow", "2026-11-24T11:27:03.305233928Z", "x.go:1")
    assert translate("panic: out of memory") == {"level": "error", "message": "panic: out of memory"}
