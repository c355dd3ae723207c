"""Disasters, done to a rehearsed environment: the table of them, how each strikes, the drill that shows the way back.

Here belongs what breaks an environment on purpose, and what is told of it. Not here: the commands that bring it back,
which work on a real account just the same.
"""
