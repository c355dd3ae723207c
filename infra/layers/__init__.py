"""The layers of an environment: which components there are, and what of the settings and of each other they get.

A module a layer, with a `build` that takes the layers below. Components know neither settings of other components nor
environments; that knowledge is here.
"""
