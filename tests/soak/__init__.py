"""`make soak`: rollouts under load, with faults and with bad releases, for as long as wanted; every request is counted.

Belongs here: what makes load, watches what must hold, and kills rollouts. The short forms that `make test` runs are
tests/cluster/test_soak.py and tests/cluster/test_crash_sweep.py. Does not belong here: what a rollout is
(`operations.rollout`), the cluster (`tests.cluster.agent_world`).
"""
