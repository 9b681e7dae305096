"""Ways to choose the member that serves a request, behind one interface (``interface.py``). Pure."""
