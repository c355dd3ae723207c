"""Releases of the static site (N6): the idle colour's bucket is filled and checked, then CloudFront turns to it.

Each step looks first and writes only what is missing. What was decided is in a record beside the files, written by
compare and set, so that a release that was killed anywhere is finished by running the command again.
"""
