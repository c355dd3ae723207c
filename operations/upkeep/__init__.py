"""What keeps a running platform in shape (O9): certificates, secrets, capacity, the cache, reports, the calendar."""
