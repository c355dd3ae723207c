"""The four steps of Secrets Manager's rotation, shared by the functions that rotate."""
