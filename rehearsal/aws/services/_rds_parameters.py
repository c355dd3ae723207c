"""Property → parameter of the RDS API, and answer → output, of a DB instance."""

from __future__ import annotations

# What every way of creation and a modification take.
COMMON = {
    "autoMinorVersionUpgrade": "AutoMinorVersionUpgrade", "caCertIdentifier": "CACertificateIdentifier",
    "copyTagsToSnapshot": "CopyTagsToSnapshot", "deletionProtection": "DeletionProtection",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication", "instanceClass": "DBInstanceClass",
    "iops": "Iops", "maxAllocatedStorage": "MaxAllocatedStorage", "multiAz": "MultiAZ", "networkType": "NetworkType",
    "optionGroupName": "OptionGroupName", "parameterGroupName": "DBParameterGroupName",
    "publiclyAccessible": "PubliclyAccessible", "storageThroughput": "StorageThroughput",
    "storageType": "StorageType", "vpcSecurityGroupIds": "VpcSecurityGroupIds",
}
# What a creation and a modification take, but no restore: a restored instance is modified afterwards, as the provider
# does.
SETTINGS = {
    "allocatedStorage": "AllocatedStorage", "backupRetentionPeriod": "BackupRetentionPeriod",
    "backupWindow": "PreferredBackupWindow", "databaseInsightsMode": "DatabaseInsightsMode",
    "engineVersion": "EngineVersion", "maintenanceWindow": "PreferredMaintenanceWindow",
    "manageMasterUserPassword": "ManageMasterUserPassword",
    "monitoringInterval": "MonitoringInterval", "monitoringRoleArn": "MonitoringRoleArn",
    "password": "MasterUserPassword", "performanceInsightsEnabled": "EnablePerformanceInsights",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
    "performanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
}
CREATION = {
    "availabilityZone": "AvailabilityZone", "characterSetName": "CharacterSetName", "dbName": "DBName",
    "dbSubnetGroupName": "DBSubnetGroupName", "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "engine": "Engine", "engineLifecycleSupport": "EngineLifecycleSupport", "kmsKeyId": "KmsKeyId",
    "licenseModel": "LicenseModel", "port": "Port", "storageEncrypted": "StorageEncrypted", "timezone": "Timezone",
    "username": "MasterUsername",
}
RESTORE = ("availabilityZone", "dbName", "dbSubnetGroupName", "enabledCloudwatchLogsExports", "engine",
            "licenseModel", "port")
MODIFICATION = {**COMMON, **SETTINGS, "dbSubnetGroupName": "DBSubnetGroupName", "port": "DBPortNumber"}
READ = {
    "AllocatedStorage": "allocatedStorage", "AutoMinorVersionUpgrade": "autoMinorVersionUpgrade",
    "AvailabilityZone": "availabilityZone", "BackupRetentionPeriod": "backupRetentionPeriod",
    "CACertificateIdentifier": "caCertIdentifier", "CharacterSetName": "characterSetName",
    "CopyTagsToSnapshot": "copyTagsToSnapshot", "DBInstanceArn": "arn", "DBInstanceClass": "instanceClass",
    "DBInstanceIdentifier": "identifier", "DBInstanceStatus": "status", "DBName": "dbName",
    "DbiResourceId": "resourceId", "DeletionProtection": "deletionProtection", "Engine": "engine",
    "EngineVersion": "engineVersionActual", "IAMDatabaseAuthenticationEnabled": "iamDatabaseAuthenticationEnabled",
    "Iops": "iops", "LicenseModel": "licenseModel", "MasterUsername": "username",
    "MaxAllocatedStorage": "maxAllocatedStorage", "MonitoringInterval": "monitoringInterval",
    "MonitoringRoleArn": "monitoringRoleArn", "MultiAZ": "multiAz", "PreferredBackupWindow": "backupWindow",
    "PreferredMaintenanceWindow": "maintenanceWindow", "PubliclyAccessible": "publiclyAccessible",
    "StorageEncrypted": "storageEncrypted", "StorageThroughput": "storageThroughput", "StorageType": "storageType",
    "Timezone": "timezone",
}
