"""Planned resources -> bill items. What costs nothing is listed here; what is neither known nor free is reported, never taken for zero."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.cost import jobs, tasks
from tools.cost.instances import instance_items
from tools.cost.items import Item
from tools.cost.plan import Planned, first, flag, number, owners

# Beginnings of types without a price of their own.
FREE = (
    "pulumi:", "tradestack:", "awsx:", "docker:", "random:", "tls:",
    "aws:iam/",
    "aws:ec2/vpc:", "aws:ec2/subnet:", "aws:ec2/routeTable", "aws:ec2/route:", "aws:ec2/mainRouteTable",
    "aws:ec2/defaultRouteTable:", "aws:ec2/internetGateway", "aws:ec2/egressOnlyInternetGateway:", "aws:ec2/securityGroup",
    "aws:vpc/securityGroup",
    "aws:ec2/defaultSecurityGroup:", "aws:ec2/networkInterface", "aws:ec2/defaultNetworkAcl:", "aws:ec2/networkAcl",
    "aws:ec2/eipAssociation:", "aws:ec2/vpcDhcpOptions", "aws:ec2/tag:", "aws:ec2/vpcEndpointRouteTableAssociation:",
    "aws:ec2/vpcEndpointPolicy:",
    # tasks.py prices what services run, jobs.py what schedules start
    "aws:sfn/stateMachine:", "aws:ecs/taskDefinition:", "aws:ecs/service:", "aws:ecs/clusterCapacityProviders:",
    "aws:efs/mountTarget:", "aws:efs/accessPoint:", "aws:efs/fileSystemPolicy:", "aws:efs/backupPolicy:",
    # tasks.py prices the recovery points
    "aws:backup/plan:", "aws:backup/selection:", "aws:backup/vault",
    # ECS registers its tasks without charge
    "aws:servicediscovery/service:",
    "aws:ecr/lifecyclePolicy:", "aws:ecr/repositoryPolicy:",
    "aws:secretsmanager/secretVersion:", "aws:secretsmanager/secretPolicy:",
    # tasks.py prices the tasks' logs; events of AWS services cost nothing
    "aws:cloudwatch/logGroup:", "aws:cloudwatch/logStream:", "aws:cloudwatch/logResourcePolicy:", "aws:cloudwatch/eventRule:",
    "aws:cloudwatch/eventTarget:",
    "aws:sns/topicPolicy:", "aws:sns/topicSubscription:",
    "aws:scheduler/scheduleGroup:",
    "aws:sqs/queuePolicy:", "aws:sqs/redrivePolicy:", "aws:sqs/redriveAllowPolicy:",
    "aws:autoscaling/lifecycleHook:", "aws:autoscaling/notification:",
    "aws:appautoscaling/target:",
    "aws:lb/listener", "aws:lb/targetGroup",
    "aws:acm/",
    "aws:kms/alias:", "aws:kms/keyPolicy:",
    "aws:lambda/permission:",
    "aws:apigatewayv2/integration:", "aws:apigatewayv2/route:", "aws:apigatewayv2/stage:", "aws:apigatewayv2/deployment:",
    "aws:apigatewayv2/domainName:", "aws:apigatewayv2/apiMapping:", "aws:apigatewayv2/authorizer:", "aws:apigatewayv2/vpcLink:",
    "aws:budgets/budget:",
    "aws:elasticache/subnetGroup:", "aws:elasticache/parameterGroup:", "aws:elasticache/user",
    "aws:s3/bucketPolicy:", "aws:s3/bucketPublicAccessBlock:", "aws:s3/bucketServerSideEncryptionConfiguration:",
    "aws:s3/bucketLifecycleConfiguration:", "aws:s3/bucketOwnershipControls:", "aws:s3/bucketVersioning:",
)  # fmt: skip
# Of these only the use is billed, and no plan says it: named under the table, with what they do to the bill.
BY_USE = {
    "aws:sns/topic:": "SNS topic: 2.00 for 100,000 e-mails",
    "aws:lambda/function:": "Lambda function: by calls and run time",
    "aws:scheduler/schedule:": "EventBridge schedule: 1.00 for a million calls",
    "aws:s3/bucketObject": "S3: by what is stored",
    "aws:dynamodb/table:": "DynamoDB table: by use",
}
# One price each, in the column of their owner's row.
PRICED = {
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": ("other", "private DNS zone (Cloud Map)", "hosted_zone_month"),
    "aws:servicediscovery/publicDnsNamespace:PublicDnsNamespace": ("other", "public DNS zone (Cloud Map)", "hosted_zone_month"),
    "aws:route53/zone:Zone": ("other", "DNS zone", "hosted_zone_month"),
    "aws:secretsmanager/secret:Secret": ("secrets", "secret", "secret_month"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("other", "alarm", "alarm_month"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("other", "composite alarm", "composite_alarm_month"),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ("logs", "metric from logs", "custom_metric_month"),
    "aws:cloudwatch/dashboard:Dashboard": ("other", "dashboard", "dashboard_month"),
    "aws:ec2/eip:Eip": ("address", "public IPv4 address", "public_ipv4_hour"),
    "aws:ec2/natGateway:NatGateway": ("other", "NAT gateway", "nat_gateway_hour"),
}
LOAD_BALANCERS = ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")
INSTANCES = ("aws:autoscaling/group:Group", "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate")


@dataclass(frozen=True, kw_only=True)
class Bill:
    """A plan as bill items, still without prices."""

    items: Sequence[Item]
    tasks: Sequence[tasks.Task]
    owners: Mapping[str, Planned]
    """URN -> component right below the stack."""
    by_use: Mapping[str, int] = field(default_factory=dict)
    not_priced: Mapping[str, int] = field(default_factory=dict)


def bill(resources: Sequence[Planned]) -> Bill:
    """Everything billable in a plan."""
    owner_of = owners(resources)
    of_services, served = tasks.find(resources, owner_of)
    of_jobs, scheduled = jobs.find(resources, owner_of)
    idle = [definition.name for urn, definition in tasks.definitions(resources).items() if urn not in served | scheduled]
    items = [item for task in of_services for item in tasks.task_items(task, resources)]
    items += [item for job in of_jobs for item in jobs.run_items(job, resources)]
    by_use: Counter[str] = Counter()
    not_priced: Counter[str] = Counter({f"task definition {name} (nothing runs it)": 1 for name in idle})
    items += instance_items([one for one in resources if one.type in INSTANCES], resources, owner_of)
    for resource in resources:
        if resource.type not in INSTANCES:
            _add(resource, owner_of[resource.urn].urn, resources, items, by_use, not_priced)
    return Bill(
        items=items,
        tasks=[*of_services, *of_jobs],
        owners={owner.urn: owner for owner in owner_of.values()},
        by_use=dict(by_use),
        not_priced=dict(not_priced),
    )


def _add(resource: Planned, owner: str, resources: Sequence[Planned], items: list[Item], by_use: Counter, not_priced: Counter) -> None:
    def item(column: str, label: str, price: str, quantity: float = 1, assumption: str | None = None) -> None:
        items.append(Item(owner=owner, column=column, label=label, price=price, quantity=quantity, assumption=assumption))

    given = resource.inputs
    used = next((text for start, text in BY_USE.items() if resource.type.startswith(start)), None)
    if resource.type in PRICED:
        item(*PRICED[resource.type])
    elif resource.type in LOAD_BALANCERS:
        item("other", "load balancer", "load_balancer_hour")
        by_use["load balancer: capacity units by traffic"] += 1
        if flag(given.get("internal")) is not True:
            # One public address in each zone; AWS asks for two zones at least.
            zones = given.get("subnets") if isinstance(given.get("subnets"), list) else given.get("subnetMappings")
            item("address", "public IPv4 address", "public_ipv4_hour", len(zones) if isinstance(zones, list) else 2)
    elif resource.type == "aws:sqs/queue:Queue":
        fifo = flag(given.get("fifoQueue"))
        item("other", "queue's requests", "sqs_fifo_million" if fifo else "sqs_million", assumption="queue_requests_million")
    elif resource.type == "aws:apigatewayv2/api:Api":
        if given.get("protocolType") == "HTTP":
            item("other", "HTTP API's calls", "http_api_million", assumption="api_calls_million")
        else:
            by_use[f"{given.get('protocolType')} API: by messages and minutes"] += 1
    elif resource.type == "aws:appautoscaling/policy:Policy":
        # Target tracking makes an alarm for each direction.
        item("other", "alarms of scaling", "alarm_month", 2 if given.get("targetTrackingScalingPolicyConfiguration") else 1)
    elif resource.type == "aws:ec2/vpcEndpoint:VpcEndpoint":
        if given.get("vpcEndpointType") not in (None, "Gateway"):
            zones = given.get("subnetIds")
            item("other", "VPC interface endpoint", "interface_endpoint_hour", len(zones) if isinstance(zones, list) else 1)
    elif resource.type == tasks.FILE_SYSTEM:
        # tasks.py prices what is stored on it.
        if given.get("throughputMode") == "provisioned":
            not_priced["provisioned throughput of a file system"] += 1
    elif resource.type == "aws:ecr/repository:Repository":
        item("storage", "image repository", "ecr_gb_month", max(1, _image_kinds(resources)), "image_gb")
    elif resource.type == "aws:ecs/cluster:Cluster":
        for setting in given.get("settings") or []:
            if setting.get("name") == "containerInsights" and setting.get("value") != "disabled":
                not_priced["Container Insights (a custom metric for each of some dozens a task)"] += 1
    elif resource.type == "aws:s3/bucket:Bucket":
        item("storage", "bucket", "s3_gb_month", assumption="chunks_gb")
        item("other", "bucket's requests", "s3_put_thousand", assumption="chunk_puts_thousand")
    elif resource.type == "aws:elasticache/replicationGroup:ReplicationGroup":
        nodes = number(given.get("numCacheClusters"), 1)
        item("other", f"cache node {given.get('nodeType')}", f"elasticache_{given.get('nodeType')}_hour", nodes)
    elif resource.type == "aws:timestreaminfluxdb/dbInstance:DbInstance":
        # A standby in another zone is an instance of its own.
        instances = 2 if given.get("deploymentType") == "WITH_MULTIAZ_STANDBY" else 1
        item("other", f"InfluxDB {given.get('dbInstanceType')}", f"timestream_{given.get('dbInstanceType')}_hour", instances)
        item("storage", "InfluxDB storage (GB)", "timestream_gb_month", instances * number(given.get("allocatedStorage"), 0))
    elif resource.type == "aws:ssm/parameter:Parameter":
        if given.get("tier") not in (None, "Standard"):
            not_priced[f"SSM parameter ({given['tier']})"] += 1
    elif used:
        by_use[used] += 1
    elif not resource.type.startswith(FREE):
        not_priced[resource.type] += 1


def _image_kinds(resources: Sequence[Planned]) -> int:
    """Different images that the stack builds."""
    return len({str(first(one.inputs.get("build")).get("context")) for one in resources if one.type == "docker:index/image:Image"})
