"""The engine's door for programs on this machine: HTTP on loopback, OpenAI-compatible, and the control WebSocket.

It checks who asks and what is asked, and turns requests and events into JSON. It does not answer questions: whoever
answers is handed in as a ``service.ControlService``. ``schema`` alone is meant for other processes (the window imports
it) and loads nothing but msgspec.
"""
