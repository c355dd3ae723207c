"""How long a real `up` or `destroy` would take, on a clock that is only counted.

A table of what AWS took elsewhere (`durations.yaml`), the graph of the resources as Pulumi orders them, and a
simulation of Pulumi's scheduling over both. Nothing here calls anything.
"""
