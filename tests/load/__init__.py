"""`make load`: a rehearsed environment under load, under attack and with faults, through the addresses of its outputs.

`journey.js` beside it is for k6 and for environments on AWS (docs/observability.md).
"""
