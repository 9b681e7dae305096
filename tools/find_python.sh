#!/bin/sh
# Prints the Python to make the environment with: 3.11 to 3.14, 3.11 first, because that is what the tests run on.
# A name that exists but does not run (a version manager's shim) is passed over. PYTHON=... in the environment wins.
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3 python}; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1; then
        command -v "$candidate"
        exit 0
    fi
done
cat >&2 <<'TEXT'
GenTorrent needs Python 3.11, 3.12, 3.13 or 3.14, and none was found.
Some of its packages exist for these versions only. What to do:
  Debian, Ubuntu:  sudo apt-get install python3
  elsewhere:       https://www.python.org/downloads/
or name one that is not on the PATH:  make demo PYTHON=/path/to/python3.12
TEXT
exit 1
