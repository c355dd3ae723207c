"""What exists in an account: one list call for each kind of resource, without what every empty account has.

Used to show that a `destroy` leaves nothing behind, and nobody's else's things are touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import jmespath  # type: ignore[import-untyped]

from rehearsal.aws.clients import Clients
from rehearsal.aws.handler import KeptObjects

GLOBAL_REGION = "us-east-1"


@dataclass(frozen=True)
class Thing:
    """One resource: `kind` is service and list operation, such as "ec2 DescribeVpcs"."""

    region: str
    kind: str
    id: str


@dataclass(frozen=True)
class Listing:
    """`ids`: a JMESPath over the answer that leaves out what is there in an empty account."""

    service: str
    operation: str  # of the client, in snake case
    ids: str
    parameters: tuple[tuple[str, Any], ...] = ()
    is_global: bool = False


LISTINGS: Sequence[Listing] = (
    Listing("ec2", "describe_vpcs", "Vpcs[?!IsDefault].VpcId"),
    Listing("ec2", "describe_subnets", "Subnets[?!DefaultForAz].SubnetId"),
    Listing("ec2", "describe_security_groups", "SecurityGroups[?GroupName!='default'].GroupId"),
    Listing("ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    Listing("ec2", "describe_internet_gateways", "InternetGateways[?length(Tags||`[]`)>`0`].InternetGatewayId"),
    Listing("ec2", "describe_addresses", "Addresses[].AllocationId"),
    Listing("ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    Listing("ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    Listing("ec2", "describe_launch_templates", "LaunchTemplates[].LaunchTemplateId"),
    Listing("ec2", "describe_instances", "Reservations[].Instances[?State.Name!='terminated'][].InstanceId"),
    Listing("ec2", "describe_volumes", "Volumes[].VolumeId"),
    Listing("eks", "list_clusters", "clusters"),
    Listing("rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
    Listing("rds", "describe_db_subnet_groups", "DBSubnetGroups[?DBSubnetGroupName!='default'].DBSubnetGroupName"),
    Listing("rds", "describe_db_parameter_groups",
            "DBParameterGroups[?!starts_with(DBParameterGroupName, 'default')].DBParameterGroupName"),
    Listing("rds", "describe_db_snapshots", "DBSnapshots[].DBSnapshotIdentifier"),
    Listing("elasticache", "describe_replication_groups", "ReplicationGroups[].ReplicationGroupId"),
    Listing("elasticache", "describe_cache_subnet_groups",
            "CacheSubnetGroups[?CacheSubnetGroupName!='default'].CacheSubnetGroupName"),
    Listing("elasticache", "describe_cache_parameter_groups",
            "CacheParameterGroups[?!starts_with(CacheParameterGroupName, 'default')].CacheParameterGroupName"),
    Listing("dynamodb", "list_tables", "TableNames"),
    Listing("lambda", "list_functions", "Functions[].FunctionName"),
    Listing("lambda", "list_event_source_mappings", "EventSourceMappings[].UUID"),
    Listing("secretsmanager", "list_secrets", "SecretList[?!DeletedDate].ARN"),
    Listing("ssm", "describe_parameters", "Parameters[].Name"),
    Listing("sqs", "list_queues", "QueueUrls"),
    Listing("sns", "list_topics", "Topics[].TopicArn"),
    Listing("logs", "describe_log_groups", "logGroups[].logGroupName"),
    Listing("cloudwatch", "describe_alarms", "[MetricAlarms, CompositeAlarms][][].AlarmName"),
    Listing("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    Listing("events", "list_rules", "Rules[].Name"),
    Listing("scheduler", "list_schedules", "Schedules[].Name"),
    Listing("ecr", "describe_repositories", "repositories[].repositoryName"),
    Listing("acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    Listing("wafv2", "list_web_acls", "WebACLs[].ARN", (("Scope", "REGIONAL"),)),
    Listing("wafv2", "list_ip_sets", "IPSets[].ARN", (("Scope", "REGIONAL"),)),
    Listing("cognito-idp", "list_user_pools", "UserPools[].Id", (("MaxResults", 60),)),
    Listing("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn"),
    Listing("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn"),
    Listing("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups[].AutoScalingGroupName"),
    Listing("apigateway", "get_rest_apis", "items[].id"),
    Listing("apigatewayv2", "get_apis", "Items[].ApiId"),
    Listing("backup", "list_backup_vaults", "BackupVaultList[?BackupVaultName!='Default'].BackupVaultName"),
    Listing("backup", "list_backup_plans", "BackupPlansList[].BackupPlanId"),
    Listing("cloudtrail", "describe_trails", "trailList[].Name"),
    Listing("guardduty", "list_detectors", "DetectorIds"),
    Listing("iam", "list_roles", "Roles[?!starts_with(Path, '/aws-service-role/')].RoleName", (), True),
    Listing("iam", "list_policies", "Policies[].Arn", (("Scope", "Local"),), True),
    Listing("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList[].Arn", (), True),
    Listing("s3", "list_buckets", "Buckets[].Name", (), True),
    Listing("route53", "list_hosted_zones", "HostedZones[].Id", (), True),
    Listing("route53", "list_health_checks", "HealthChecks[].Id", (), True),
    Listing("cloudfront", "list_distributions", "DistributionList.Items[].Id", (), True),
    Listing("cloudfront", "list_functions", "FunctionList.Items[].Name", (), True),
    Listing("cloudfront", "list_origin_access_controls", "OriginAccessControlList.Items[].Id", (), True),
    Listing("cloudfront", "list_cache_policies", "CachePolicyList.Items[].CachePolicy.Id", (("Type", "custom"),), True),
    Listing("wafv2", "list_web_acls", "WebACLs[].ARN", (("Scope", "CLOUDFRONT"),), True),
    Listing("wafv2", "list_ip_sets", "IPSets[].ARN", (("Scope", "CLOUDFRONT"),), True),
    Listing("budgets", "describe_budgets", "Budgets[].BudgetName", (), True),
)


def inventory(clients: Clients, kept: KeptObjects, account: str, regions: Iterable[str],
              kept_types: Iterable[str] = ()) -> list[Thing]:
    """Sorted. KMS keys that wait for their deletion, and deleted secrets in their recovery window, don't count.
    `kept_types`: types of kept objects to list too. Raises what boto3 raises."""
    places = list(regions)
    work: list[Callable[[], list[Thing]]] = []
    for listing in LISTINGS:
        for region in [GLOBAL_REGION] if listing.is_global else places:
            work.append(partial(_listed, clients, listing, account, region))
    for region in places:
        work.append(partial(_keys, clients, account, region))
    found = [Thing(region, f"kept {type}", id) for region in {*places, GLOBAL_REGION} for type in kept_types
             for id, _ in kept.list(account, region, type)]
    with ThreadPoolExecutor(8) as pool:
        for things in pool.map(lambda task: task(), work):
            found += things
    return sorted(found, key=lambda thing: (thing.kind, thing.region, thing.id))


def _listed(clients: Clients, listing: Listing, account: str, region: str) -> list[Thing]:
    client = clients.shared(listing.service, region, account)
    parameters = dict(listing.parameters)
    if listing.service == "budgets":
        parameters["AccountId"] = account
    if client.can_paginate(listing.operation):
        pages: Iterable[Any] = client.get_paginator(listing.operation).paginate(**parameters)
    else:
        pages = [getattr(client, listing.operation)(**parameters)]
    kind = f"{listing.service} {client.meta.method_to_api_mapping[listing.operation]}"
    return [Thing(region, kind, str(id)) for page in pages for id in jmespath.search(listing.ids, page) or ()]


def _keys(clients: Clients, account: str, region: str) -> list[Thing]:
    client = clients.shared("kms", region, account)
    found = []
    for page in client.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            metadata = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if metadata["KeyState"] != "PendingDeletion" and metadata.get("KeyManager") != "AWS":
                found.append(Thing(region, "kms ListKeys", key["KeyId"]))
    return found
