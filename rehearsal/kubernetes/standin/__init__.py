"""What runs in place of a container image: a small HTTP service, or a command that ends.

Belongs here: code of the processes that stand for containers; it uses the standard library only, because its start
time and memory are paid once per pod. Does not belong here: deciding when a container starts or stops (`node`).
"""
