"""What stands between the internet and the cluster: names, certificates, firewalls, headers, CloudFront.

Belongs here: wiring of Route 53, ACM, WAFv2 and CloudFront. Does not belong here: which paths are cached, which headers
are sent, which rules a firewall has (`infra.plans.edge`); the load balancer, which the cluster makes
(`infra.components.workloads`).
"""
