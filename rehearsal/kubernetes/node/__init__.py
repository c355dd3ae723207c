"""The cluster's nodes: Node objects that follow the node groups of EKS, and the kubelet of all of them.

Belongs here: what a kubelet does (pods as processes, probes, hooks, status, logs) and what an Auto Scaling group
does to nodes. Does not belong here: what a container answers (`standin`), traffic (`loadbalancer`).
"""
