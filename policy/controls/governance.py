"""Backup vaults and the account's watchers: trail, detector, recorder."""

from __future__ import annotations

from policy.model import STACK, control, exists, given, says

VAULT = "aws:backup/vault:Vault"
TRAIL = "aws:cloudtrail/trail:Trail"
RECORDER = "aws:cfg/recorder:Recorder"
OWNER = "let the stack that owns the account's singletons make it"

CONTROLS = (
    control("CKV_AWS_166 Backup.1", "recovery points under a key of our own", VAULT, given("kmsKeyArn"),
            "give kms_key_arn"),
    control("CKV_AWS_67 CloudTrail.1", "a trail over all regions", STACK,
            exists(TRAIL, lambda trail: trail.at("isMultiRegionTrail")), OWNER),
    control("CKV_AWS_35 CloudTrail.2", "trail under a key of our own", TRAIL, given("kmsKeyId"), "give kms_key_id"),
    control("CKV_AWS_36 CloudTrail.4", "log files validated", TRAIL, says("enableLogFileValidation"),
            "set enable_log_file_validation=True"),
    control("CKV2_AWS_10 CloudTrail.5", "trail sent to CloudWatch", TRAIL, given("cloudWatchLogsGroupArn"),
            "give cloud_watch_logs_group_arn"),
    control("CKV_AWS_238 GuardDuty.1", "detector", STACK,
            exists("aws:guardduty/detector:Detector", lambda detector: detector.at("enable") in (None, True)), OWNER),
    control("CKV2_AWS_45", "recorder running", STACK,
            exists("aws:cfg/recorderStatus:RecorderStatus", lambda status: status.at("isEnabled")), OWNER),
    control("CKV2_AWS_48 Config.1", "everything recorded", RECORDER,
            lambda recorder: recorder.at("recordingGroup.allSupported") in (None, True)
            and recorder.at("recordingGroup.includeGlobalResourceTypes"),
            "record all supported kinds, global ones too"),
)
