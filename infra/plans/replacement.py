"""Resources that have no identity of their own but that of what they belong to.

Pulumi makes a replacement first and deletes the old resource afterwards. Of these there can be one only: the new one
is written over the old, and deleting the old takes the new away (a vault's lock, a web ACL's association, its logging,
an access policy's scope); or the new one is refused while the old is there (a database's replicated backups, an API's
name, a login's domain). The provider does not say so (pulumi-aws has no `deleteBeforeReplace` for them), so the program
does.
"""

from __future__ import annotations

DELETED_FIRST = frozenset({
    "aws:apigatewayv2/apiMapping:ApiMapping",
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
    "aws:cognito/userPoolDomain:UserPoolDomain",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
    "aws:wafv2/webAclAssociation:WebAclAssociation",
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
})
