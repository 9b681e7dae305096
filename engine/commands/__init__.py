"""The commands of ``gentorrent``, one module each. They turn options into calls and results into text.

They do no work of their own: that is in the packages below. Each imports what it needs when it runs, so that
``gentorrent --help`` is quick and a command loads no more than its own.
"""
