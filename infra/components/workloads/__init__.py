"""What runs in the cluster's namespace: the services in two colours, and the front door to them.

Belongs here: Kubernetes objects as Pulumi resources, and what operations own of them. Does not belong here: the
manifests themselves (`infra.plans.kubernetes`, `infra.plans.ingress`), add-ons (`infra.components.addons`).
"""
