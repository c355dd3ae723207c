"""The front door of the embedded AWS: one port for all services, accounts and regions.

Belongs here: what happens to a request between the client and the emulator. Does not belong here: which emulator is
better at what (`rehearsal.aws.routing`), starting processes (`rehearsal.aws.servers`).
"""
