"""One module a service: its resource types and data sources as calls through boto3.

Every module registers with `@resource` and `@data_source` (rehearsal.aws.handler) when it is imported; the provider
imports them all.
"""
