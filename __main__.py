"""The Candlefish platform: settings → environment → outputs."""

import pulumi

from infra.environment import Environment
from infra.settings.stack import from_stack

for name, value in Environment(from_stack()).outputs.items():
    pulumi.export(name, value)
