"""What is done to the platform: rollouts, recovery, cost, verification."""
