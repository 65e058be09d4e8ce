"""BotCluster: everything that Fargate tasks share: cluster, storage, private DNS, logs, image repository and alarm topic."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NotRequired, Optional, TypedDict

import pulumi
import pulumi_aws as aws

from .alarm_topic import alarm_topic
from .arguments import refuse_mistakes
from .cluster_storage import BACKUP_DEFAULT, INFREQUENT_ACCESS_DAYS, cluster_storage
from .hosts.args import HostArgs
from .image_repository import image_repository

# Values that CloudWatch Logs takes (API reference, PutRetentionPolicy).
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
DEFAULT_NAMESPACE = "tradestack.internal"
DEFAULT_IMAGE_NAMES = ("freqtrade", "slanger")
DEFAULT_IMAGES_KEPT = 20


class ContainerInsights(str, Enum):
    """Metrics of CloudWatch Container Insights. AWS charges for each metric, with ten bots more than for the bots."""

    DISABLED = "disabled"
    """None."""
    ENABLED = "enabled"
    """Of cluster and services."""
    ENHANCED = "enhanced"
    """Of tasks and containers too."""


class BotClusterArgs(TypedDict):
    """Arguments of BotCluster. Plain values, so that they may come from Network, another stack or another program."""

    vpc_id: pulumi.Input[str]
    """VPC of the tasks, with DNS support and DNS host names on."""
    vpc_cidr: NotRequired[pulumi.Input[str]]
    """Its IPv4 range (Network's cidr). Only needed by webhook services with an ingress."""
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Subnets of the tasks, each in another availability zone."""
    zones: NotRequired[int]
    """Number of subnets. Needed when subnet_ids is an output: storage has one mount target a subnet, and a preview must know how many."""
    assign_public_ip: NotRequired[pulumi.Input[bool]]
    """Give each task a public IPv4 address (3.60 USD for 30 days each). Default false."""
    namespace: NotRequired[str]
    """Private DNS domain of the tasks. Default tradestack.internal."""
    protect: NotRequired[bool]
    """Refuse to delete the file system and the images. Default false."""
    backup: NotRequired[bool]
    """Daily backups by AWS Backup, kept for 35 days. Default true."""
    infrequent_access_after_days: NotRequired[int]
    """Move files that nobody reads to cheaper storage after 1, 7, 14, 30, 60, 90, 180, 270 or 365 days. Default: never."""
    log_retention_days: NotRequired[int]
    """Days that CloudWatch keeps logs. Default 30."""
    container_insights: NotRequired[ContainerInsights]
    """Container Insights. Default disabled."""
    images_kept: NotRequired[int]
    """Newest builds kept of each image in image_names. Default 20."""
    image_names: NotRequired[Sequence[str]]
    """Folders of images whose old builds are deleted. Default freqtrade and slanger; other builds stay: a task may need them."""
    alarm_email: NotRequired[pulumi.Input[str]]
    """Address that hears of crashes and rollbacks; it has to confirm once. Default: none."""
    loki_url: NotRequired[pulumi.Input[str]]
    """Base URL of Loki, without user and password: the tasks' logs go there. Default: CloudWatch."""
    loki_secret_arn: NotRequired[pulumi.Input[str]]
    """Secrets Manager secret with Loki's `username` and `password` as JSON; only with an https `loki_url`."""
    base_images: NotRequired[Mapping[str, str]]
    """Official base image -> the image to build on instead. Default: the official ones."""


class BotCluster(pulumi.ComponentResource):
    """An ECS cluster with Fargate and Fargate Spot, and what its tasks share; `host` puts components on it."""

    cluster_arn: pulumi.Output[str]
    """ECS cluster; known once its capacity providers are attached."""
    region: pulumi.Output[str]
    """AWS region."""
    vpc_id: pulumi.Output[str]
    """VPC of the tasks."""
    subnet_ids: pulumi.Output[list[str]]
    """Subnets of the tasks."""
    assign_public_ip: pulumi.Output[bool]
    """Whether tasks get a public address."""
    task_security_group_id: pulumi.Output[str]
    """Security group of every task; no inbound rule."""
    namespace_id: pulumi.Output[str]
    """Cloud Map private DNS namespace."""
    namespace_name: pulumi.Output[str]
    """Its domain."""
    file_system_id: pulumi.Output[str]
    """EFS file system; known once it can be mounted."""
    file_system_arn: pulumi.Output[str]
    """ARN of the same file system."""
    log_group_name: pulumi.Output[str]
    """CloudWatch log group."""
    log_group_arn: pulumi.Output[str]
    """ARN of the same group."""
    repository_url: pulumi.Output[str]
    """ECR repository for the images."""
    repository_arn: pulumi.Output[str]
    """ARN of the same repository."""
    alarm_topic_arn: pulumi.Output[str]
    """SNS topic of crashes and rollbacks."""

    def __init__(self, name: str, args: BotClusterArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("cluster", name, args, BotClusterArgs, argument_mistakes)
        super().__init__("tradestack:index:BotCluster", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self._args = args
        self.region = aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=self)).region
        self.vpc_id = pulumi.Output.from_input(args["vpc_id"])
        self.subnet_ids = pulumi.Output.from_input(args["subnet_ids"])
        self.assign_public_ip = pulumi.Output.from_input(args.get("assign_public_ip", False))
        self.cluster_arn = _cluster(name, args, child)
        self.task_security_group_id = _task_security_group(name, self.vpc_id, child)
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            f"{name}-dns", name=args.get("namespace") or DEFAULT_NAMESPACE, vpc=self.vpc_id, description="Tasks by name", opts=child
        )
        self.namespace_id, self.namespace_name = namespace.id, namespace.name
        self.file_system_id, self.file_system_arn = cluster_storage(
            name,
            vpc_id=self.vpc_id,
            subnet_ids=self.subnet_ids,
            zones=_zones(args),
            task_security_group_id=self.task_security_group_id,
            backup=args.get("backup", BACKUP_DEFAULT),
            infrequent_access_after_days=args.get("infrequent_access_after_days"),
            protect=bool(args.get("protect")),
            parent=self,
        )
        logs = aws.cloudwatch.LogGroup(f"{name}-logs", retention_in_days=int(args.get("log_retention_days") or 30), opts=child)
        self.log_group_name, self.log_group_arn = logs.name, logs.arn
        self.repository_url, self.repository_arn = image_repository(
            name,
            image_names=args.get("image_names") or DEFAULT_IMAGE_NAMES,
            kept=int(args.get("images_kept") or DEFAULT_IMAGES_KEPT),
            protect=bool(args.get("protect")),
            parent=self,
        )
        self.alarm_topic_arn = alarm_topic(name, args.get("alarm_email"), self)
        self.register_outputs(
            {
                "clusterArn": self.cluster_arn,
                "region": self.region,
                "vpcId": self.vpc_id,
                "subnetIds": self.subnet_ids,
                "assignPublicIp": self.assign_public_ip,
                "taskSecurityGroupId": self.task_security_group_id,
                "namespaceId": self.namespace_id,
                "namespaceName": self.namespace_name,
                "fileSystemId": self.file_system_id,
                "fileSystemArn": self.file_system_arn,
                "logGroupName": self.log_group_name,
                "logGroupArn": self.log_group_arn,
                "repositoryUrl": self.repository_url,
                "repositoryArn": self.repository_arn,
                "alarmTopicArn": self.alarm_topic_arn,
            }
        )

    @property
    def host(self) -> HostArgs:
        """Host arguments for the components of the same program."""
        given = {
            key: self._args[key] for key in ("vpc_cidr", "loki_url", "loki_secret_arn", "base_images") if self._args.get(key) is not None
        }
        outputs = {key: getattr(self, key) for key in BotCluster.__annotations__}
        return {"fargate": {**outputs, "file_system_backup": self._args.get("backup", BACKUP_DEFAULT), **given}}


def argument_mistakes(args: BotClusterArgs) -> list[str]:
    """Everything that is wrong with the arguments, one sentence a mistake: key, value, fix."""
    mistakes = []
    zones, subnets = args.get("zones"), args["subnet_ids"]
    if isinstance(subnets, (list, tuple)):
        if not subnets:
            mistakes.append("subnet_ids=[]: give at least one")
        if zones is not None and zones != len(subnets):
            mistakes.append(f"zones={zones!r}: subnet_ids has {len(subnets)}; leave zones out")
    elif zones is None:
        mistakes.append("zones is missing: subnet_ids is an output, so give its length, e.g. the zones of the Network")
    elif zones < 1:
        mistakes.append(f"zones={zones!r}: use the number of subnets, at least 1")
    for key, allowed in (("log_retention_days", RETENTION_DAYS), ("infrequent_access_after_days", INFREQUENT_ACCESS_DAYS)):
        if args.get(key) is not None and args[key] not in allowed:
            mistakes.append(f"{key}={args[key]!r}: use one of {', '.join(map(str, allowed))}")
    insights = [choice.value for choice in ContainerInsights]
    if args.get("container_insights", "disabled") not in insights:
        mistakes.append(f"container_insights={args['container_insights']!r}: use one of {', '.join(insights)}")
    if args.get("images_kept", DEFAULT_IMAGES_KEPT) < 1:
        mistakes.append(f"images_kept={args['images_kept']!r}: use 1 or more")
    return mistakes


def _zones(args: BotClusterArgs) -> int:
    # Whole numbers arrive as floats when another language is the caller.
    return int(args.get("zones") or len(args["subnet_ids"]))


def _cluster(name: str, args: BotClusterArgs, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    insights = ContainerInsights(args.get("container_insights") or ContainerInsights.DISABLED)
    cluster = aws.ecs.Cluster(
        f"{name}-cluster", settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value=insights.value)], opts=opts
    )
    providers = aws.ecs.ClusterCapacityProviders(
        f"{name}-capacity", cluster_name=cluster.name, capacity_providers=["FARGATE", "FARGATE_SPOT"], opts=opts
    )
    return pulumi.Output.all(cluster.arn, providers.id).apply(lambda known: known[0])


def _task_security_group(name: str, vpc_id: pulumi.Output[str], opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    group = aws.ec2.SecurityGroup(f"{name}-tasks", description="Tasks: out to anywhere, nothing in", vpc_id=vpc_id, opts=opts)
    egress = aws.vpc.SecurityGroupEgressRule(
        f"{name}-tasks-out",
        security_group_id=group.id,
        cidr_ipv4="0.0.0.0/0",
        ip_protocol="-1",
        description="exchanges, AWS, each other",
        opts=opts,
    )
    return pulumi.Output.all(group.id, egress.id).apply(lambda known: known[0])
