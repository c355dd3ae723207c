"""Takes an environment down for the night and up in the morning (F8): node groups, database, alarms."""
