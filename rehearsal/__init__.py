"""Where the platform is practised offline: an engine that speaks Pulumi's protocol, an embedded AWS, a real
Kubernetes API.

Belongs here: everything that stands in for the outside world. Does not belong here: anything that knows what
Candlefish is. This package imports nothing of `infra`, `operations`, `functions` or `candlefish`.
"""
