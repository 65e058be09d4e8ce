"""Names that AWS gives and values that it refuses for what keeps data: S3, ElastiCache, Timestream for InfluxDB. Limits are the services' own
(API references)."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tools.offline.aws_web_rules import between, one_of

# Types whose generated name is another input than `name`; the provider makes it lower-case.
NAME_INPUTS: Mapping[str, str] = {"s3/bucket": "bucket", "elasticache/replicationGroup": "replicationGroupId"}
NAME_LENGTHS: Mapping[str, int] = {
    "s3/bucket": 63,
    "elasticache/replicationGroup": 40,
    "elasticache/subnetGroup": 255,
    "timestreaminfluxdb/dbInstance": 40,
}
AUTH_TOKEN = re.compile(r"[A-Za-z0-9!&#$^<>-]{16,128}")
INFLUX_PASSWORD = re.compile(r"[A-Za-z0-9]{8,64}")
INFLUX_TYPES = tuple(
    f"db.influx.{size}" for size in ("medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
)
INFLUX_STORAGE = ("InfluxIOIncludedT1", "InfluxIOIncludedT2", "InfluxIOIncludedT3")


def _secret(pattern: re.Pattern[str], meaning: str) -> Callable[[Any], str]:
    """A value that is never shown."""
    return lambda value: "" if pattern.fullmatch(str(value)) else meaning


def _begins(start: str) -> Callable[[Any], str]:
    return lambda value: "" if str(value).startswith(start) else f"{value!r}: use a type that begins with {start}"


def _bucket_name(value: Any) -> str:
    return (
        ""
        if re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", str(value))
        else f"{value!r}: use 3 to 63 lower-case letters, digits and hyphens"
    )


def _lifecycle(value: Any) -> str:
    for rule in value:
        if rule.get("status") not in ("Enabled", "Disabled"):
            return f"rule {rule.get('id')!r}: status must be Enabled or Disabled"
        if not {"expiration", "transitions", "noncurrentVersionExpiration", "abortIncompleteMultipartUpload"} & set(rule):
            return f"rule {rule.get('id')!r}: does nothing"
    return ""


def _bucket_policy(value: Any) -> str:
    statements = json.loads(value).get("Statement", []) if isinstance(value, str) else []
    return "" if all("Principal" in one for one in statements) else "a bucket's statement needs a Principal"


DATA_RULES: Mapping[str, tuple[tuple[str, Callable[[Any], str]], ...]] = {
    "s3/bucket": (("bucket", _bucket_name),),
    "s3/bucketPolicy": (("policy", _bucket_policy),),
    "s3/bucketLifecycleConfiguration": (("rules", _lifecycle),),
    "elasticache/replicationGroup": (
        ("engine", one_of("redis", "valkey")),
        ("nodeType", _begins("cache.")),
        ("authToken", _secret(AUTH_TOKEN, "use 16 to 128 letters, digits and ! & # $ ^ < > -")),
        ("authTokenUpdateStrategy", one_of("SET", "ROTATE", "DELETE")),
        ("snapshotRetentionLimit", between(0, 35)),
    ),
    "timestreaminfluxdb/dbInstance": (
        ("dbInstanceType", one_of(*INFLUX_TYPES)),
        ("dbStorageType", one_of(*INFLUX_STORAGE)),
        ("deploymentType", one_of("SINGLE_AZ", "WITH_MULTIAZ_STANDBY")),
        ("allocatedStorage", between(20, 16_384)),
        ("password", _secret(INFLUX_PASSWORD, "use 8 to 64 letters and digits")),
    ),
}


def together(kind: str, news: Mapping[str, Any]) -> str:
    """What is wrong with values that are each right; empty when nothing is."""
    if kind == "elasticache/replicationGroup" and news.get("authToken") and not news.get("transitEncryptionEnabled"):
        return "authToken: needs transitEncryptionEnabled"
    if kind == "elasticache/replicationGroup" and news.get("automaticFailoverEnabled") and news.get("numCacheClusters") == 1:
        return "automaticFailoverEnabled: needs two cache clusters or more"
    return ""
