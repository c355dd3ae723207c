"""The rehearsal's time: it stands still until it is moved, and what becomes due on the way is called, in order.

Belongs here: when something is due (`cron`, `occurrences`), what is called by the clock (`sources`), how (`deliveries`,
`invocations`), what of it is written down (`record`), and the moving itself (`clock`). Does not belong here: the
emulators' own schedulers, which are off (`emulators.clocks`).
"""
