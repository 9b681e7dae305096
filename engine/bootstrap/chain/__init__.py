"""What the committee and model nodes bring to the server: taken only when it checks out, stored for good, read by
everybody. What makes it valid is not decided here but in ``engine.verification``.

``service`` is the table of paths, ``http`` serves it (``passing`` at a mirror), ``blocks`` and ``intake`` check,
``store`` keeps.
"""
