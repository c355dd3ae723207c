"""What several functions need; packaged beside each of them as the package `common`.

Belongs here: the event schema, keyed hashes, answers over HTTP, the table client with its retries, metrics and logs.
Does not belong here: what one function alone does. Only the standard library and, loaded at the first call, boto3.
"""
