"""Thousands of damaged copies of the real stack files, each either refused in one clear message or good for a preview.

    python -m tests.settings_fuzz --seed 7 --count 1500

`damage`: what is done to a file. `loading`: how a copy is read, and what is wrong with the answer. `previews`: accepted
copies through the program. A short run is part of the unit tests.
"""
