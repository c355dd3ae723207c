"""A port of this machine that leads to what only the cluster's network reaches: database, cache, Grafana, Prometheus.

Belongs here: where each is, how one speaks to it, the pod that relays. Does not belong here: the protocol
(`kube.portforward`).
"""
