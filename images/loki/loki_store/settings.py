"""The settings from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from supervisor.settings import Reader

NAMES = ("LOKI_RETENTION_DAYS", "LOKI_S3_BUCKET", "LOKI_S3_ENDPOINT")


@dataclass(frozen=True)
class Settings:
    retention_days: int
    """Lines older than that are deleted."""
    bucket: str
    """Of the chunks and the index; empty: they stay on the volume."""
    region: str
    endpoint: str
    """`http(s)://host[:port]` of a server that speaks S3; empty: AWS's own."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadSettings."""
    reader = Reader(environment, ("LOKI_",), NAMES)
    bucket = reader.text("LOKI_S3_BUCKET", r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?", "use the name of an S3 bucket, or leave it out", "")
    region = ""
    if bucket:
        region = reader.text("AWS_REGION", r"[a-z]{2}(-[a-z]+)+-[0-9]+", "use the bucket's region, such as us-east-1")
    found = Settings(
        # Loki deletes by whole days of its index.
        retention_days=reader.whole("LOKI_RETENTION_DAYS", 1, 3650, "days"),
        bucket=bucket,
        region=region,
        endpoint=reader.text(
            "LOKI_S3_ENDPOINT", r"(https?://[^\s/@]+)?", "use the URL of a server that speaks S3, or leave it out on AWS", ""
        ),
    )
    if found.endpoint and not bucket:
        reader.mistake(f"LOKI_S3_ENDPOINT={found.endpoint!r}: set LOKI_S3_BUCKET too, or leave it out")
    reader.finish()
    return found
