"""PostgreSQL behind the emulated RDS instances, where one is installed: servers on loopback that live as long as the
embedded AWS. Nothing here knows AWS; what makes instances of it is in rehearsal/aws/emulators."""
