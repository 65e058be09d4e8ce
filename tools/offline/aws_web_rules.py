"""Values that AWS refuses on the way in and in the queue: load balancer, HTTP API, SQS, alarms, scaling. Limits are the services' own (API references)."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

# Header names that a parameter mapping of an HTTP API can't set (API Gateway developer guide, "Reserved headers").
RESERVED_HEADERS = re.compile(r"access-control-.*|apigw-.*|authorization|connection|content-.*|expect|forwarded|host|keep-alive|origin|"
                              r"proxy-auth.*|te|trailers?|transfer-encoding|upgrade|x-amz-.*|x-amzn-.*|x-forwarded-.*|via")  # fmt: skip
MAPPING = re.compile(r"(append|overwrite|remove):(header\.[\w-]+|querystring\.[\w-]+|path)")
ROUTE_KEY = re.compile(r"\$default|(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) /[\w/{}+.-]*")
VALUES_PER_RULE = 5  # Elastic Load Balancing, "Quotas for your Application Load Balancers"


def between(low: int, high: int) -> Callable[[Any], str]:
    return lambda value: "" if low <= float(value) <= high else f"{value:g} is not allowed: use {low} to {high}"


def one_of(*allowed: str) -> Callable[[Any], str]:
    return lambda value: "" if value in allowed else f"{value!r}: use one of {', '.join(allowed)}"


def pattern(expression: str, meaning: str) -> Callable[[Any], str]:
    return lambda value: "" if re.fullmatch(expression, str(value)) else f"{value!r}: {meaning}"


def _subnets(value: Any) -> str:
    return "" if len(value) >= 2 else "a load balancer needs subnets in two zones or more"


def _conditions(value: Any) -> str:
    values = sum(
        len(kind["values"]) for condition in value for kind in condition.values() if isinstance(kind, Mapping) and "values" in kind
    )
    return "" if values <= VALUES_PER_RULE else f"{values} values in one rule: AWS takes {VALUES_PER_RULE}; make more rules"


def _parameters(value: Mapping[str, Any]) -> str:
    for key in value:
        if not MAPPING.fullmatch(key):
            return f"{key!r} is no mapping: use e.g. overwrite:header.name"
        if key.partition(":")[2].startswith("header.") and RESERVED_HEADERS.fullmatch(key.rpartition(".")[2].lower()):
            return f"{key!r}: API Gateway reserves this header; use another name"
    return ""


def _route_key(value: str) -> str:
    return "" if ROUTE_KEY.fullmatch(value) else f"{value!r}: use METHOD /path or $default"


def _access_log(value: Mapping[str, Any]) -> str:
    text = str(value.get("format"))
    return "" if "$context.requestId" in text and "\n" not in text else "format: one line, with $context.requestId in it"


def _redrive(value: str) -> str:
    try:
        given = json.loads(value)
    except ValueError as error:
        return f"not valid JSON: {error}"
    missing = {"deadLetterTargetArn", "maxReceiveCount"} - set(given)
    if missing:
        return f"{' and '.join(sorted(missing))} missing"
    return between(1, 1000)(given["maxReceiveCount"])


def _period(value: float) -> str:
    return "" if value in (10, 20, 30) or value % 60 == 0 else f"{value:g} is not allowed: use 10, 20, 30 or a multiple of 60"


WEB_RULES: Mapping[str, tuple[tuple[str, Callable[[Any], str]], ...]] = {
    "lb/loadBalancer": (("subnets", _subnets), ("idleTimeout", between(1, 4000))),
    "lb/targetGroup": (("deregistrationDelay", between(0, 3600)), ("port", between(1, 65535))),
    "lb/listenerRule": (("conditions", _conditions), ("priority", between(1, 50000))),
    "apigatewayv2/integration": (("timeoutMilliseconds", between(50, 30000)), ("requestParameters", _parameters)),
    "apigatewayv2/route": (("routeKey", _route_key),),
    "apigatewayv2/stage": (("accessLogSettings", _access_log),),
    "sqs/queue": (
        ("redrivePolicy", _redrive),
        ("messageRetentionSeconds", between(60, 1_209_600)),
        ("visibilityTimeoutSeconds", between(0, 43_200)),
    ),
    "cloudwatch/metricAlarm": (("period", _period),),
}
