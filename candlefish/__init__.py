"""The command line: thin, one module a verb. What the verbs do is elsewhere."""
