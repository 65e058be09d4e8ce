"""Which inputs of an AWS resource can't be changed in place: a change makes the provider replace the resource.

The provider's schema says so, but the SDK doesn't carry it. Two sources together: sentences in the SDK's own documentation ("forces a new
resource"), and this table, kept by hand. Compared line by line with terraform-provider-aws, on which pulumi-aws is built: ECS service and
task definition, Cloud Map service, Secrets Manager version, ECR lifecycle policy. The other lines are from experience with that provider;
correct them when the real plugin shows something else. Types in neither source are shown as updated in place.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from tools.offline.sdk_types import Signature

NAME = "name namePrefix"

# Token without `aws:` and without the repeated class name -> input paths. `region` replaces every resource, see below.
TABLE: Mapping[str, str] = {
    "apigatewayv2/api": "protocolType",
    "apigatewayv2/integration": "apiId integrationType integrationSubtype",
    "apigatewayv2/route": "apiId",
    "apigatewayv2/stage": "apiId name",
    "apigatewayv2/vpcLink": "securityGroupIds subnetIds",
    "appautoscaling/policy": "name resourceId scalableDimension serviceNamespace",
    "appautoscaling/scheduledAction": "name resourceId scalableDimension serviceNamespace",
    "appautoscaling/target": "resourceId scalableDimension serviceNamespace",
    "autoscaling/group": NAME,
    "backup/plan": "name",
    "backup/selection": "name planId iamRoleArn resources notResources selectionTags conditions",
    "backup/vault": "name kmsKeyArn",
    "budgets/budget": f"{NAME} accountId budgetType",
    "cloudwatch/dashboard": "dashboardName",
    "cloudwatch/eventRule": f"{NAME} eventBusName",
    "cloudwatch/eventTarget": "rule targetId eventBusName",
    "cloudwatch/logGroup": f"{NAME} logGroupClass",
    "cloudwatch/logMetricFilter": "name logGroupName",
    "cloudwatch/logResourcePolicy": "policyName resourceArn",
    "cloudwatch/logStream": "name logGroupName",
    "cloudwatch/metricAlarm": "name",
    "ec2/eip": "domain address customerOwnedIpv4Pool networkBorderGroup publicIpv4Pool ipamPoolId",
    "ec2/eipAssociation": "allocationId allowReassociation instanceId networkInterfaceId privateIpAddress publicIp",
    "ec2/flowLog": "destinationOptions iamRoleArn logDestination logDestinationType logFormat maxAggregationInterval "
    "subnetId trafficType vpcId eniId",
    "ec2/instance": "ami associatePublicIpAddress availabilityZone capacityReservationSpecification cpuOptions enclaveOptions hibernation "
    "hostResourceGroupArn instanceMarketOptions ipv6Addresses keyName networkInterfaces placementGroup privateIp "
    "secondaryPrivateIps securityGroups subnetId tenancy",
    "ec2/internetGateway": "",
    "ec2/launchTemplate": NAME,
    "ec2/natGateway": "allocationId connectivityType privateIp subnetId",
    "ec2/networkInterface": "subnetId interfaceType",
    "ec2/route": "routeTableId destinationCidrBlock destinationIpv6CidrBlock destinationPrefixListId",
    "ec2/routeTable": "vpcId",
    "ec2/routeTableAssociation": "subnetId gatewayId",
    "ec2/securityGroup": f"{NAME} description vpcId",
    "ec2/securityGroupRule": "cidrBlocks fromPort ipv6CidrBlocks prefixListIds protocol securityGroupId self sourceSecurityGroupId toPort type",
    "ec2/subnet": "availabilityZone availabilityZoneId cidrBlock ipv6Native outpostArn vpcId ipv4IpamPoolId ipv4NetmaskLength",
    "ec2/vpc": "cidrBlock ipv4IpamPoolId ipv4NetmaskLength",
    "ec2/vpcEndpoint": "vpcId serviceName serviceRegion vpcEndpointType resourceConfigurationArn serviceNetworkArn",
    "ecr/lifecyclePolicy": "repository policy",
    "ecr/repository": "name encryptionConfigurations",
    "ecr/repositoryPolicy": "repository",
    "ecs/capacityProvider": "name autoScalingGroupProvider.autoScalingGroupArn",
    "ecs/cluster": "name",
    "ecs/clusterCapacityProviders": "clusterName",
    "ecs/service": "name cluster launchType schedulingStrategy iamRole deploymentController.type",
    "ecs/taskDefinition": "containerDefinitions cpu enableFaultInjection ephemeralStorage executionRoleArn family ipcMode memory networkMode "
    "pidMode placementConstraints proxyConfiguration requiresCompatibilities runtimePlatform taskRoleArn volumes",
    "efs/accessPoint": "fileSystemId posixUser rootDirectory",
    "efs/backupPolicy": "fileSystemId",
    "efs/fileSystem": "availabilityZoneName creationToken encrypted kmsKeyId performanceMode",
    "efs/fileSystemPolicy": "fileSystemId",
    "efs/mountTarget": "fileSystemId ipAddress ipAddressType ipv6Address subnetId",
    "elasticache/replicationGroup": "atRestEncryptionEnabled dataTieringEnabled globalReplicationGroupId kmsKeyId networkType port "
    "replicationGroupId securityGroupNames snapshotArns snapshotName subnetGroupName",
    "elasticache/subnetGroup": "name",
    "iam/instanceProfile": f"{NAME} path",
    "iam/openIdConnectProvider": "url",
    "iam/policy": f"{NAME} path description",
    "iam/role": f"{NAME} path",
    "iam/rolePolicy": f"{NAME} role",
    "iam/rolePolicyAttachment": "role policyArn",
    "kms/alias": NAME,
    "kms/key": "customKeyStoreId customerMasterKeySpec keyUsage multiRegion xksKeyId",
    "lb/listener": "loadBalancerArn",
    "lb/listenerRule": "listenerArn",
    "lb/loadBalancer": f"{NAME} internal loadBalancerType customerOwnedIpv4Pool",
    "lb/targetGroup": f"{NAME} port protocol protocolVersion targetType vpcId ipAddressType",
    "route53/record": "name type zoneId setIdentifier",
    "route53/zone": "name delegationSetId",
    "scheduler/schedule": f"{NAME} groupName",
    "scheduler/scheduleGroup": NAME,
    "secretsmanager/secret": NAME,
    "secretsmanager/secretPolicy": "secretArn",
    "secretsmanager/secretVersion": "secretId secretString secretBinary secretStringWoVersion",
    "servicediscovery/httpNamespace": "name",
    "servicediscovery/privateDnsNamespace": "name vpc",
    "servicediscovery/service": "name namespaceId type dnsConfig.namespaceId dnsConfig.routingPolicy dnsConfig.dnsRecords.type "
    "healthCheckCustomConfig healthCheckConfig.type",
    "sfn/stateMachine": f"{NAME} type",
    "sns/topic": f"{NAME} fifoTopic",
    "sns/topicSubscription": "topic protocol endpoint",
    "sqs/queue": f"{NAME} fifoQueue",
    "sqs/queuePolicy": "queueUrl",
    "sqs/redriveAllowPolicy": "queueUrl",
    "ssm/parameter": "name dataType",
    "s3/bucket": "bucket bucketPrefix bucketNamespace objectLockEnabled",
    "s3/bucketLifecycleConfiguration": "bucket expectedBucketOwner",
    "s3/bucketOwnershipControls": "bucket",
    "s3/bucketPolicy": "bucket",
    "s3/bucketPublicAccessBlock": "bucket",
    "s3/bucketServerSideEncryptionConfiguration": "bucket expectedBucketOwner",
    "s3/bucketVersioning": "bucket expectedBucketOwner",
    "timestreaminfluxdb/dbInstance": "bucket name networkType organization password publiclyAccessible username vpcSecurityGroupIds vpcSubnetIds",
    "vpc/securityGroupEgressRule": "securityGroupId",
    "vpc/securityGroupIngressRule": "securityGroupId",
}

SENTENCE = re.compile(
    r"\bforces (a |the )?(new resource|replacement|re-?creation)|\bwill force (a )?(new resource|replacement|re-?creation)", re.IGNORECASE
)
CONDITION = re.compile(r"\b(when|if|unless|after|downgrad|decreas)", re.IGNORECASE)


_cache: dict[str, frozenset[str]] = {}


def replacing(signature: Signature) -> AbstractSet[str]:
    """Input paths (camelCase, dots between levels, no list indices) whose change replaces the resource."""
    kind = signature.token.split(":")[1]
    if signature.token not in _cache:
        documented = {name for name, prop in signature.inputs.items() if _documented(prop.doc)}
        _cache[signature.token] = frozenset({*documented, *TABLE.get(kind, "").split(), "region"})
    return _cache[signature.token]


def _documented(doc: str) -> bool:
    return any(SENTENCE.search(sentence) and not CONDITION.search(sentence) for sentence in doc.split(". "))
