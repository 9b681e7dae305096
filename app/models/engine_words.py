"""Sentences of the engine that people see most, in the language of the window.

The engine speaks English to every client. What stands here word for word is translated; anything else, such as a
sentence with an address in it, is shown as it came.
"""

from __future__ import annotations

from app.i18n import mark, tr

SENTENCES = (
    mark("Answered on this machine; nobody else saw it."),
    mark("Signed by the machine that answered; it matches the question and every token."),
    mark("Choosing anonymous paths"),
    mark("This machine reads the question"),
    mark("The model thinks before it answers"),
    mark("loading the model and telling the network"),
    mark("waiting for the network"),
    mark("No relays are known yet."),
    mark("No machine that answers is linked yet."),
    mark("The directory of the network is not here yet."),
    mark("There is no network to contribute to; join one with --bootstrap."),
    mark("There is no network to contribute to. Start the engine with --bootstrap URL#NETWORKID to join one."),
    mark("The machine that was answering had an error."),
    mark("The machine that was answering stops contributing. Ask again; another one answers."),
    mark("Chats cannot be saved: the disk is full. Free some space."),
    mark("Chats cannot be saved: another program holds the chat database. Close it."),
    mark("Chats cannot be saved: the data directory cannot be written. Look at its owner and disk."),
    mark("What is not yet on the disk is kept in memory until then."),
    mark("The keys of this engine lie in a file that is not encrypted; no keyring works here."),
)


def from_engine(text: str) -> str:
    """``text`` with every sentence that is known in the language in use."""
    for sentence in SENTENCES:
        if sentence in text:
            text = text.replace(sentence, tr(sentence))
    return text
