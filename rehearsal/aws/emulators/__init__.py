"""What runs in the emulators' own processes: calls that an emulator lacks, added to it from outside.

Belongs here: operations of the AWS API that more than the provider needs (the user's `aws`, a function). Does not
belong here: anything that the provider can do with the calls that there are.
"""
