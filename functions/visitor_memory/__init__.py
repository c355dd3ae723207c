"""What the site remembers of a visitor, under a hash: read, written, exported and erased in every table (F2)."""
