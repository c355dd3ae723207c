"""What operators turn by hand in a running environment: maintenance page, switches of services, least pods.

Each command looks first and writes only what is missing, so that the same command again finishes one that was killed.
Releases are `operations.rollout`'s.
"""
