"""Which line of the estimate has the price of a resource, which resources are free and why, and which are not priced.

A type that is in none of the tables fails a test: whoever registers a new one says here what it costs.
"""

from __future__ import annotations

from collections.abc import Mapping

# Type → what a price of its lines begins with.
PRICED: Mapping[str, tuple[str, ...]] = {
    "aws:apigateway/restApi:RestApi": ("apigateway.rest",),
    "aws:backup/vault:Vault": ("rds.backup", "dynamodb.backup"),
    "aws:cfg/recorder:Recorder": ("config.items",),
    "aws:cfg/rule:Rule": ("config.evaluations",),
    "aws:cloudfront/distribution:Distribution": ("cloudfront.out", "cloudfront.https"),
    "aws:cloudfront/function:Function": ("cloudfront.functions",),
    "aws:cloudfront/monitoringSubscription:MonitoringSubscription": ("cloudwatch.metric",),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("cloudwatch.composite-alarm",),
    "aws:cloudwatch/dashboard:Dashboard": ("cloudwatch.dashboard",),
    "aws:cloudwatch/logGroup:LogGroup": ("logs.ingestion", "logs.storage"),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ("cloudwatch.metric",),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("cloudwatch.alarm",),
    "aws:dynamodb/table:Table": ("dynamodb.writes", "dynamodb.reads", "dynamodb.storage", "dynamodb.backup"),
    "aws:ec2/eip:Eip": ("ipv4.address",),
    "aws:ec2/flowLog:FlowLog": ("logs.ingestion",),
    "aws:ec2/launchTemplate:LaunchTemplate": ("ebs.gp3", "cloudwatch.metric"),
    "aws:ec2/natGateway:NatGateway": ("nat.hour", "nat.data"),
    "aws:ecr/repository:Repository": ("ecr.storage",),
    "aws:eks/cluster:Cluster": ("eks.cluster",),
    "aws:eks/nodeGroup:NodeGroup": ("ec2", "ebs.gp3"),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("cache.",),
    "aws:guardduty/detector:Detector": ("guardduty.events", "guardduty.flows"),
    "aws:guardduty/detectorFeature:DetectorFeature": (
        "guardduty.s3-events", "guardduty.eks-events", "guardduty.rds-vcpus"),
    "aws:kms/key:Key": ("kms.key", "kms.calls"),
    "aws:lambda/function:Function": ("lambda.requests", "lambda.duration-arm64", "cloudfront.lambda-requests"),
    "aws:rds/instance:Instance": ("rds.multi.", "rds.single.", "rds.storage-", "rds.backup"),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": (
        "rds.backup", "transfer.regions"),
    "aws:route53/healthCheck:HealthCheck": ("route53.health-check",),
    "aws:route53/record:Record": ("route53.queries",),
    "aws:s3/bucket:Bucket": ("s3.storage", "s3.writes", "s3.reads"),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": ("transfer.regions", "s3.storage"),
    "aws:secretsmanager/secret:Secret": ("secrets.secret", "secrets.calls"),
    "aws:securityhub/standardsSubscription:StandardsSubscription": ("security-hub.checks",),
    "aws:synthetics/canary:Canary": ("cloudwatch.canary-run",),
    "aws:wafv2/webAcl:WebAcl": ("waf.acl", "waf.rule", "waf.requests"),
    "aws:xray/samplingRule:SamplingRule": ("xray.traces",),
    "kubernetes:core/v1:PodTemplate": ("ebs.gp3",),
    "kubernetes:networking.k8s.io/v1:Ingress": ("alb.hour", "alb.lcu", "ipv4.address"),
}
# Present with some settings only: interface endpoints beside the free gateway ones, volumes, bot control.
SOMETIMES: Mapping[str, tuple[str, ...]] = {"aws:ec2/vpcEndpoint:VpcEndpoint": ("endpoint.hour", "endpoint.data")}

_PART_OF = "a part of what has a price itself"
_IDENTITY = "IAM is free"
_NAMES = "addresses, rules and routes of a network are free"
# Type → why nothing is paid for it.
FREE: Mapping[str, str] = {
    "aws:accessanalyzer/analyzer:Analyzer": "external access findings are free",
    "aws:acm/certificate:Certificate": "public certificates that stay in AWS are free",
    "aws:acm/certificateValidation:CertificateValidation": "a wait, nothing at AWS",
    "aws:apigateway/account:Account": _PART_OF, "aws:apigateway/apiKey:ApiKey": _PART_OF,
    "aws:apigateway/basePathMapping:BasePathMapping": _PART_OF, "aws:apigateway/deployment:Deployment": _PART_OF,
    "aws:apigateway/domainName:DomainName": _PART_OF, "aws:apigateway/methodSettings:MethodSettings": _PART_OF,
    "aws:apigateway/stage:Stage": "a stage without a cache is free", "aws:apigateway/usagePlan:UsagePlan": _PART_OF,
    "aws:apigateway/usagePlanKey:UsagePlanKey": _PART_OF, "aws:apigatewayv2/apiMapping:ApiMapping": _PART_OF,
    "aws:apigatewayv2/deployment:Deployment": _PART_OF, "aws:apigatewayv2/domainName:DomainName": _PART_OF,
    "aws:apigatewayv2/integration:Integration": _PART_OF, "aws:apigatewayv2/route:Route": _PART_OF,
    "aws:apigatewayv2/routeResponse:RouteResponse": _PART_OF, "aws:apigatewayv2/stage:Stage": _PART_OF,
    "aws:backup/plan:Plan": _PART_OF, "aws:backup/selection:Selection": _PART_OF,
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": _PART_OF,
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": _PART_OF,
    "aws:budgets/budget:Budget": "budgets without actions are free",
    "aws:cfg/deliveryChannel:DeliveryChannel": _PART_OF, "aws:cfg/recorderStatus:RecorderStatus": _PART_OF,
    "aws:cloudfront/cachePolicy:CachePolicy": _PART_OF,
    "aws:cloudfront/originAccessControl:OriginAccessControl": _PART_OF,
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy": _PART_OF,
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": _PART_OF,
    "aws:cloudtrail/trail:Trail": "the first copy of management events is free; its bucket and log group are priced",
    "aws:cloudwatch/eventRule:EventRule": "events of AWS services on the default bus are free",
    "aws:cloudwatch/eventTarget:EventTarget": _PART_OF,
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": "anomaly detection is free",
    "aws:costexplorer/anomalySubscription:AnomalySubscription": "anomaly detection is free",
    "aws:ebs/encryptionByDefault:EncryptionByDefault": "a setting of the account",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _NAMES, "aws:ec2/internetGateway:InternetGateway": _NAMES,
    "aws:ec2/route:Route": _NAMES, "aws:ec2/routeTable:RouteTable": _NAMES,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _NAMES, "aws:ec2/securityGroup:SecurityGroup": _NAMES,
    "aws:ec2/subnet:Subnet": _NAMES, "aws:ec2/vpc:Vpc": _NAMES,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _NAMES,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _PART_OF, "aws:ecr/repositoryPolicy:RepositoryPolicy": _PART_OF,
    "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration": "basic scans are free",
    "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": _PART_OF,
    "aws:eks/accessEntry:AccessEntry": _PART_OF, "aws:eks/addon:Addon": "AWS's own add-ons are free",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _PART_OF,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _PART_OF,
    "aws:elasticache/parameterGroup:ParameterGroup": _PART_OF, "aws:elasticache/subnetGroup:SubnetGroup": _PART_OF,
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _IDENTITY, "aws:iam/policy:Policy": _IDENTITY,
    "aws:iam/role:Role": _IDENTITY, "aws:iam/rolePolicy:RolePolicy": _IDENTITY,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _IDENTITY,
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": _IDENTITY, "aws:kms/alias:Alias": _PART_OF,
    "aws:lambda/eventSourceMapping:EventSourceMapping": "what Lambda reads of a table's stream is free",
    "aws:lambda/permission:Permission": _IDENTITY, "aws:rds/eventSubscription:EventSubscription": _PART_OF,
    "aws:rds/parameterGroup:ParameterGroup": _PART_OF, "aws:rds/subnetGroup:SubnetGroup": _PART_OF,
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": "a setting of the account",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _PART_OF,
    "aws:s3/bucketLogging:BucketLogging": _PART_OF, "aws:s3/bucketNotification:BucketNotification": _PART_OF,
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _PART_OF,
    "aws:s3/bucketObjectv2:BucketObjectv2": _PART_OF, "aws:s3/bucketPolicy:BucketPolicy": _PART_OF,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _PART_OF,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _PART_OF,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _PART_OF,
    "aws:s3/bucketVersioning:BucketVersioning": _PART_OF,
    "aws:secretsmanager/secretRotation:SecretRotation": _PART_OF,
    "aws:secretsmanager/secretVersion:SecretVersion": _PART_OF, "aws:securityhub/account:Account": _PART_OF,
    "aws:sns/topicPolicy:TopicPolicy": _PART_OF, "aws:ssm/parameter:Parameter": "standard parameters are free",
    "aws:wafv2/ipSet:IpSet": _PART_OF, "aws:wafv2/webAclAssociation:WebAclAssociation": _PART_OF,
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": _PART_OF, "aws:xray/group:Group": _PART_OF,
}
# What begins so, unless it is in PRICED.
FREE_FAMILIES: Mapping[str, str] = {
    "candlefish:": "a component: its parts are priced", "eks:": "a component: its parts are priced",
    "kubernetes:": "runs on nodes and volumes that are priced", "pulumi:": "nothing at AWS",
    "random:": "nothing at AWS",
}
# Type → why its price is in no line.
NOT_PRICED: Mapping[str, str] = {
    "aws:apigatewayv2/api:Api": "messages and minutes of WebSockets: nobody has counted a session's",
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": "a restored copy is there for 4 hours a month",
    "aws:cognito/userPool:UserPool": "operators only; no price with a source",
    "aws:cognito/userPoolClient:UserPoolClient": "operators only; no price with a source",
    "aws:cognito/userPoolDomain:UserPoolDomain": "operators only; no price with a source",
    "aws:ecr/replicationConfiguration:ReplicationConfiguration": "images are replicated seldom; copies are not counted",
    "aws:scheduler/schedule:Schedule": "a few hundred calls a month; no price with a source",
    "aws:sns/topic:Topic": "messages to people are few; no price with a source",
    "aws:sns/topicSubscription:TopicSubscription": "messages to people are few; no price with a source",
    "aws:sqs/queue:Queue": "dead letters are few; no price with a source",
}


def known(resource_type: str) -> bool:
    return (resource_type in PRICED or resource_type in SOMETIMES or resource_type in FREE
            or resource_type in NOT_PRICED or any(resource_type.startswith(family) for family in FREE_FAMILIES))
