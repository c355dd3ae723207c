"""Rollouts of one service in two colours: start, promote, abort, roll back, and what is written down on the way."""
