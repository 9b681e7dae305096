"""The GenTorrent engine: links, paths, forwarding, inference and the local API, without any window.

It is a library and the program behind ``gentorrent``. It is not the desktop application: nothing here imports ``app``
or Qt, and everything runs headless. ``__version__`` below is the one place where the version stands; the packaging,
the command line and the wire handshake read it from here.
"""

__version__ = "0.1.0"
