"""The stand-in for PyAV has no libraries to collect (PyInstaller's own hook looks for them)."""
