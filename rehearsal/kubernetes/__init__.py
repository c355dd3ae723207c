"""A Kubernetes cluster on this machine: real control plane, a node and a load balancer of our own, the provider.

Belongs here: where the binaries come from, the processes of the control plane, a small API client, the provider for
`kubernetes:` resources, what runs pods and routes to them. Does not belong here: AWS (only the token check of EKS is
shared, `tokens.py`), the engine, and anything that knows what Candlefish is.
"""
