"""Chats, what is attached to them, and how they are kept."""

from engine.sentences.marking import mark

CHATS = {
    "chat.no_model": mark(
        "There is no model to ask: none is on this machine, and the network has none or is not joined yet. "
        "Wait a moment, or download one."
    ),
    "chat.stopped": mark("The answer was stopped. What had arrived is kept."),
    "chat.interrupted": mark(
        "The engine ended while this answer was written. What had arrived is kept, but perhaps not its last second; "
        "ask again."
    ),
    "chat.incomplete": mark("The answer ended without its last event. Its text may be incomplete; ask again."),
    "chat.answer_too_long": mark("The answer was stopped: it is longer than {most} characters."),
    "chat.mistake": mark("The engine made a mistake while it answered; its log says which."),
    "chat.request_mistake": mark("The engine made a mistake with this; its log says which."),
    "chat.thinks": mark("The model thinks before it answers"),
    "chat.holds_less": mark(
        "The machine that answers holds less than it was thought to: earlier messages are left out"
    ),
    "chat.overflow": mark(
        "This conversation takes {used} tokens, some are needed for the answer, and {model} holds {limit} together."
    ),
    "chat.overflow_about": mark(
        "This conversation takes about {used} tokens, some are needed for the answer, and {model} holds "
        "{limit} together."
    ),
    "chat.overflow_drop": mark(
        "Leave out its oldest {droppable} messages this time, or choose a model with a longer context."
    ),
    "chat.overflow_shorten": mark("Shorten the question, or choose a model with a longer context."),
    "chat.not_found": mark("There is no chat '{chat}'. It was deleted, or another data directory has it."),
    "chat.message_not_found": mark("There is no message '{message}' in this chat."),
    "chat.id_deleted": mark("The id '{chat}' belongs to a deleted chat. Restore it, or take another id."),
    "chat.too_late": mark("It is too late to restore this: the chat was removed for good, or never was."),
    "chat.id_taken": mark("There is a message with this id already. Take another one."),
    "chat.busy": mark("An answer is being written in this chat. Wait for its end, or stop it."),
    "chat.full": mark("This chat has {count} messages, and no more fit. Begin a new one."),
    "chat.versions": mark("There are {most} versions here already. Begin a new chat."),
    "chat.question_gone": mark("This answer's question is not there any more, so it cannot be asked again."),
    "chat.question_empty": mark("The question is empty. Write something, or attach a file."),
    "chat.question_too_long": mark(
        "The question has {count} characters with its files, and at most {most} can be asked at once. Leave some out."
    ),
    "chat.temporary_most": mark("There are {most} temporary chats already. Close some of them."),
    "chat.ending": mark("The engine ends, or deletes everything. Ask again in a moment."),
    "chat.answers_most": mark("{most} answers are being written already. Wait until one is done, or stop one."),
    "chat.open_most": mark("{most} chats are open here already. Close one of them."),
    "preset.nameless": mark("A preset needs a name."),
    "preset.taken": mark("There is a preset called '{name}' already. Take another name."),
    "preset.most": mark("There are {most} presets already. Delete one of them."),
    "preset.text_most": mark("The system prompts of all presets have {most} characters at most."),
    "preset.gone": mark("There is no preset '{name}'. It was deleted."),
    "folder.nameless": mark("A folder needs a name."),
    "folder.most": mark("There are {most} folders already. Delete one of them."),
    "file.not_here": mark("This chat has no attachment '{name}'. Attach the file again."),
    "file.none": mark("There is no attachment '{name}' here."),
    "file.id_taken": mark("Another message has an attachment with this id. Take another one."),
    "edit.long": mark("Another wording of a question is kept up to {most} characters."),
    "edit.most": mark("Other wordings of {most} questions are kept already. Ask one of them first."),
    "file.most": mark("{most} files are attached already. Remove one of them."),
    "file.pieces": mark("Pieces of this file are missing. Send it again from its beginning."),
    "file.too_long": mark(
        "The file {name} is longer than {most} characters, which no model here could read at once. Attach a part of it."
    ),
    "file.uploads_most": mark("{most} files are being sent already. Finish one of them first."),
    "saving.disk_full": mark("Chats cannot be saved: the disk is full. Free some space."),
    "saving.held": mark("Chats cannot be saved: another program holds the chat database. Close it."),
    "saving.read_only": mark(
        "Chats cannot be saved: the data directory cannot be written. Look at its owner and disk."
    ),
    "saving.broken": mark("The chat database cannot be used ({error}). Check the disk."),
    "saving.kept": mark("What is not yet on the disk is kept in memory until then."),
    "saving.no_room": mark("So much waits in memory already that nothing can be added."),
    "saving.deleted": mark("The file of the chats, {name}, was deleted or moved away while the engine ran."),
    "saving.replaced": mark("Another file took the place of {name}, the file of the chats, while the engine ran."),
    "saving.anew": mark(
        "All chats were written anew, and nothing is lost. To delete chats, delete them in the window."
    ),
    "saving.gone": mark("{name}, the file of all chats, is gone: deleted, moved away or replaced."),
    "saving.closed": mark("The engine ends; chats are closed already."),
    "control.cancelled": mark("The answer was stopped. What has arrived is kept."),
    "control.no_network": mark(
        "There is no network to contribute to. Join one in the window, or start the engine with --bootstrap."
    ),
    "recovered.damaged": mark("The chat database was damaged."),
    "recovered.damaged_as": mark("The chat database was damaged ({found})."),
    "recovered.foreign": mark("The chat database was not of this program."),
    "recovered.newer": mark("The chat database was of a newer version of this program."),
    "recovered.aside": mark("It was kept as {name} in {folder}."),
    "recovered.some": mark("What could be read of it is in a new one (chats: {chats}, messages: {messages})."),
    "recovered.nothing": mark("Nothing in it could be read; a new, empty one was made."),
}
