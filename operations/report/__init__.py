"""Reports of what the other operations know, each part from the module that knows it.

Belongs here: what is asked for which part, and how it is told. Does not belong here: finding anything out.
"""
