"""Control loops over the Kubernetes API that a cluster on AWS gets from add-ons: metrics, external secrets, volumes,
names inside the cluster.

Belongs here: the asynchronous API client and informers that all loops share (`api`, `informer`), one module a loop.
Does not belong here: pods and nodes (`node`), what is in front of the cluster (`loadbalancer`).
"""
