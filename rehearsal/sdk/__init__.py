"""What the Pulumi SDK packages say about resource types: inputs, outputs, replacements.

Belongs here: facts read from the installed packages' source, and tables that complete them. Does not belong here: the
emulators, and any import of the packages themselves (importing pulumi_aws takes seconds).
"""
