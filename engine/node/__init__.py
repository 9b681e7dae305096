"""The composition root: it puts the pure machines, the transports, inference, storage and the API together.

Everything with a life of its own is an ``async def run()`` that its owner here cancels to stop it. No protocol rule and
no layout lives here.
"""
