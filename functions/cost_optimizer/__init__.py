"""Finds what costs money and does nothing for it, and says so (F7). It changes and deletes nothing.

`checks` is the table of what is looked for, `prices` what a month of it costs, `report` what is told.
"""
