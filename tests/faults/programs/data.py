"""A database and a cache with their groups."""

from tests.faults.programs.raw import aws, kept, network, role, step, tags

vpc, subnets = network("data")
ids = [subnet.id for subnet in subnets]
guard = aws("ec2/securityGroup:SecurityGroup", "data", {"vpcId": vpc.id, "description": "data", "tags": tags()})
key = aws("kms/key:Key", "data", {"description": "data", "tags": tags(Name="data")}, "arn")
monitoring = role("monitoring", "monitoring.rds.amazonaws.com")
group = aws("rds/subnetGroup:SubnetGroup", "database", {
    "subnetIds": ids, "description": step("first", "second"), "tags": tags()}, "name")
parameters = aws("rds/parameterGroup:ParameterGroup", "database", {
    "family": "postgres16", "description": "database", "tags": tags(),
    "parameters": [{"name": "log_min_duration_statement", "value": step("500", "250")}]}, "name")
aws("rds/instance:Instance", "database", {
    "engine": "postgres", "engineVersion": "16", "instanceClass": "db.t4g.small", "allocatedStorage": step(30, 40),
    "storageType": "gp3", "storageEncrypted": True, "kmsKeyId": key.arn, "dbName": "candlefish", "username": "admin_",
    "manageMasterUserPassword": True, "backupRetentionPeriod": step(7, 14), "skipFinalSnapshot": True,
    "dbSubnetGroupName": group.name, "parameterGroupName": parameters.name, "vpcSecurityGroupIds": [guard.id],
    "monitoringInterval": 60, "monitoringRoleArn": monitoring.arn, "copyTagsToSnapshot": step(False, True),
    "applyImmediately": True, "tags": tags()})
cache_group = aws("elasticache/subnetGroup:SubnetGroup", "cache", {
    "subnetIds": ids, "description": step("first", "second"), "tags": tags()}, "name")
cache_parameters = aws("elasticache/parameterGroup:ParameterGroup", "cache", {
    "family": "valkey8", "description": "cache", "tags": tags(),
    "parameters": [{"name": "maxmemory-policy", "value": step("volatile-lru", "allkeys-lru")}]}, "name")
if kept():
    aws("elasticache/replicationGroup:ReplicationGroup", "cache", {
        "description": step("first", "second"), "engine": "valkey", "engineVersion": "8.0",
        "nodeType": "cache.t4g.micro", "numCacheClusters": 2, "automaticFailoverEnabled": True, "multiAzEnabled": True,
        "parameterGroupName": cache_parameters.name, "subnetGroupName": cache_group.name,
        "securityGroupIds": [guard.id], "atRestEncryptionEnabled": True, "kmsKeyId": key.arn,
        "transitEncryptionEnabled": True, "snapshotRetentionLimit": step(3, 5), "applyImmediately": True,
        "tags": tags()})
