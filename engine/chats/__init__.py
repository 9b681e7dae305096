"""The chats of this machine's owner: kept in one SQLite database, answered by the engine, shown by any client.

``history`` is the service behind the control API; ``store`` keeps rows, ``database`` writes them in a thread of its
own. ``tree``, ``prompt``, ``words`` and ``export`` decide without I/O. It does not make answers (they come from a
``service.AnswerService``) and never sends a chat anywhere but into a question.
"""
