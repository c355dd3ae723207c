"""A client of the Kubernetes API, for the rehearsal and for operations against real clusters."""
