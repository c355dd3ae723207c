"""What stands between the internet and the cluster: names, certificates, firewalls, headers, CloudFront.

Belongs here: wiring of Route 53, ACM, WAFv2, CloudFront, Lambda@Edge and the operators' sign-in. Does not belong here:
which paths are cached and which headers are sent (`infra.plans.edge`), which rules a firewall has
(`infra.plans.firewall`), which names there are (`infra.plans.hosts`); the load balancer, which the cluster makes
(`infra.components.workloads`).
"""
