"""What a change would do to the stacks, for those who review it.

Belongs here: comparing two graphs, what is lost by a step, and the pages that say so (Markdown, HTML, JSON); all of it
pure. Does not belong here: how a graph comes about (`rehearsal.recording`), what a ref is and which process runs what
(`candlefish.preview`).
"""
