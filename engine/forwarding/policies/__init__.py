"""Ways to choose the member that serves a request, behind one interface (``interface.py``); ``registry.py`` has them by
name. Pure: a policy asks nobody and sends nothing.

What holds for all of them (who may serve at all, the share of newcomers) is in ``candidates.py``.
"""
