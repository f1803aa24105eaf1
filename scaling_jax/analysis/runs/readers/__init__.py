"""Anyone's files in, sheets out: what kind of file it is decides its reader.

`files.read_sheets` is the door. Nothing here knows what columns mean.
"""
