"""An API Gateway HTTP API in front of a Fargate task, through a VPC link and the task's Cloud Map name: HTTPS without a domain or a load balancer."""

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ..task import TaskSpec
from .args import FargateHostArgs

# Whoever calls gives up earlier (TradingView after 3 s); a task that doesn't answer must not hold the connection.
TIMEOUT_MS = 5000
# One line a request: who, what, how it went. No header and no body: these hold signatures.
ACCESS_LOG = json.dumps(
    {
        "time": "$context.requestTimeEpoch",
        "id": "$context.requestId",
        "ip": "$context.identity.sourceIp",
        "route": "$context.routeKey",
        "status": "$context.status",
        "bytes": "$context.dataProcessed",
        "ms": "$context.responseLatency",
        "error": "$context.integrationErrorMessage",
    }
)


def http_api(
    spec: TaskSpec,
    host: FargateHostArgs,
    registry_arn: pulumi.Input[str],
    group_id: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """Base URL of the API of `spec.http_api`; its VPC link is a member of the security group."""
    given, child = spec.http_api, pulumi.ResourceOptions(parent=parent)
    link = aws.apigatewayv2.VpcLink(
        f"{spec.name}-link", subnet_ids=host["subnet_ids"], security_group_ids=[group_id], tags=tags, opts=child
    )
    api = aws.apigatewayv2.Api(f"{spec.name}-api", protocol_type="HTTP", tags=tags, opts=child)
    integration = aws.apigatewayv2.Integration(
        f"{spec.name}-integration",
        api_id=api.id,
        integration_type="HTTP_PROXY",
        integration_method="POST",
        integration_uri=registry_arn,
        connection_type="VPC_LINK",
        connection_id=link.id,
        payload_format_version="1.0",
        timeout_milliseconds=TIMEOUT_MS,
        # Overwritten, not appended: what the caller wrote there is gone.
        request_parameters={f"overwrite:header.{given.source_ip_header}": "$context.identity.sourceIp"},
        opts=child,
    )
    for path in given.paths:
        aws.apigatewayv2.Route(
            f"{spec.name}-route-{path.strip('/').replace('/', '-')}",
            api_id=api.id,
            route_key=f"POST {path}",
            target=integration.id.apply(lambda id_: f"integrations/{id_}"),
            opts=child,
        )
    aws.apigatewayv2.Stage(
        f"{spec.name}-stage",
        api_id=api.id,
        name="$default",  # of all stages the only one that is no part of the path
        auto_deploy=True,
        default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
            throttling_rate_limit=given.requests_per_second, throttling_burst_limit=given.burst
        ),
        access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(destination_arn=host["log_group_arn"], format=ACCESS_LOG),
        tags=tags,
        opts=child,
    )
    return api.api_endpoint
