"""The security controls of the platform, over resources: they run on any graph, before it is deployed."""
