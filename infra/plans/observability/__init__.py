"""What is watched, from when on it is a problem, and whom it wakes: tables and what follows from them. No Pulumi."""
