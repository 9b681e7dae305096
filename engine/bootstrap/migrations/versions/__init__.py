"""One module per change of the tables, oldest first; a published one is never edited.

They are not imported by the program: alembic finds them here.
"""
