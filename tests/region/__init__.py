"""A region is lost and taken over, by the commands of docs/recovery.md, in a home of its own."""
