"""The dashboard: verdicts and runs in a local page, over the run folders alone.

Nothing here imports torch or Lightning: the first page must be there in seconds. Notes and tags of runs are all that it writes.
"""
