<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name></name>
    <message numerus="yes">
        <source>%Ln answer(s) said neither, and do not count.</source>
        <translation>
            <numerusform>%Ln answer said neither, and does not count.</numerusform>
            <numerusform>%Ln answers said neither, and do not count.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln change(s) of names, folders and presets, not saved when the engine ended, would be lost.</source>
        <translation>
            <numerusform>%Ln change of a name, folder or preset, not saved when the engine ended, would be lost.</numerusform>
            <numerusform>%Ln changes of names, folders and presets, not saved when the engine ended, would be lost.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln change(s) to your chats would be lost: the newest of messages, names, folders, presets and deletions.</source>
        <translation>
            <numerusform>%Ln change to your chats would be lost: the newest of messages, names, folders, presets or deletions.</numerusform>
            <numerusform>%Ln changes to your chats would be lost: the newest of messages, names, folders, presets and deletions.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln change(s) wait for it.</source>
        <translation>
            <numerusform>%Ln change waits for it.</numerusform>
            <numerusform>%Ln changes wait for it.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln character(s)</source>
        <translation>
            <numerusform>%Ln character</numerusform>
            <numerusform>%Ln characters</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chat(s) deleted</source>
        <translation>
            <numerusform>%Ln chat deleted</numerusform>
            <numerusform>%Ln chats deleted</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chat(s) with a new answer</source>
        <translation>
            <numerusform>%Ln chat with a new answer</numerusform>
            <numerusform>%Ln chats with a new answer</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln circuit(s) of other people pass through this machine now.</source>
        <translation>
            <numerusform>%Ln circuit of other people passes through this machine now.</numerusform>
            <numerusform>%Ln circuits of other people pass through this machine now.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln download(s)</source>
        <translation>
            <numerusform>%Ln download</numerusform>
            <numerusform>%Ln downloads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln epoch(s) wait for the server</source>
        <translation>
            <numerusform>%Ln epoch waits for the server</numerusform>
            <numerusform>%Ln epochs wait for the server</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln hour(s) a week</source>
        <translation>
            <numerusform>%Ln hour a week</numerusform>
            <numerusform>%Ln hours a week</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln link(s) through it</source>
        <translation>
            <numerusform>%Ln link through it</numerusform>
            <numerusform>%Ln links through it</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln message(s) after the first turn did not fit and were not sent to the model.</source>
        <translation>
            <numerusform>%Ln message after the first turn did not fit and was not sent to the model.</numerusform>
            <numerusform>%Ln messages after the first turn did not fit and were not sent to the model.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln message(s) deleted</source>
        <translation>
            <numerusform>%Ln message deleted</numerusform>
            <numerusform>%Ln messages deleted</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln minute(s) ago</source>
        <translation>
            <numerusform>%Ln minute ago</numerusform>
            <numerusform>%Ln minutes ago</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln model(s)</source>
        <translation>
            <numerusform>%Ln model</numerusform>
            <numerusform>%Ln models</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln more file(s)</source>
        <translation>
            <numerusform>%Ln more file</numerusform>
            <numerusform>%Ln more files</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln node(s)</source>
        <translation>
            <numerusform>%Ln node</numerusform>
            <numerusform>%Ln nodes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln note(s)</source>
        <translation>
            <numerusform>%Ln note</numerusform>
            <numerusform>%Ln notes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln note(s) of the engine</source>
        <translation>
            <numerusform>%Ln note of the engine</numerusform>
            <numerusform>%Ln notes of the engine</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln other(s)</source>
        <translation>
            <numerusform>%Ln other</numerusform>
            <numerusform>%Ln others</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln problem(s) found</source>
        <translation>
            <numerusform>%Ln problem found</numerusform>
            <numerusform>%Ln problems found</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln processor thread(s)</source>
        <translation>
            <numerusform>%Ln processor thread</numerusform>
            <numerusform>%Ln processor threads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln program(s) first</source>
        <translation>
            <numerusform>%Ln program first</numerusform>
            <numerusform>%Ln programs first</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln relay(s) on each path</source>
        <translation>
            <numerusform>%Ln relay on each path</numerusform>
            <numerusform>%Ln relays on each path</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln thread(s)</source>
        <translation>
            <numerusform>%Ln thread</numerusform>
            <numerusform>%Ln threads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>A text that ends an answer has %Ln characters at most.</source>
        <translation>
            <numerusform>A text that ends an answer has %Ln character at most.</numerusform>
            <numerusform>A text that ends an answer has %Ln characters at most.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Ask without the %Ln oldest message(s)</source>
        <translation>
            <numerusform>Ask without the %Ln oldest message</numerusform>
            <numerusform>Ask without the %Ln oldest messages</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>At most %Ln texts can end an answer.</source>
        <translation>
            <numerusform>At most %Ln text can end an answer.</numerusform>
            <numerusform>At most %Ln texts can end an answer.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Folder {name}, %Ln chat(s), {state}</source>
        <translation>
            <numerusform>Folder {name}, %Ln chat, {state}</numerusform>
            <numerusform>Folder {name}, %Ln chats, {state}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Handed in. %Ln machine(s) that signed may be checked sooner; nothing else follows from it.</source>
        <translation>
            <numerusform>Handed in. %Ln machine that signed may be checked sooner; nothing else follows from it.</numerusform>
            <numerusform>Handed in. %Ln machines that signed may be checked sooner; nothing else follows from it.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Looking through the folder: %Ln file(s)</source>
        <translation>
            <numerusform>Looking through the folder: %Ln file</numerusform>
            <numerusform>Looking through the folder: %Ln files</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>One on each line, %Ln at most. \n is a line break.</source>
        <translation>
            <numerusform>One on each line, %Ln at most. \n is a line break.</numerusform>
            <numerusform>One on each line, %Ln at most. \n is a line break.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show more (%Ln characters)</source>
        <translation>
            <numerusform>Show more (%Ln character)</numerusform>
            <numerusform>Show more (%Ln characters)</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The %Ln oldest message(s) did not fit and were not sent to the model.</source>
        <translation>
            <numerusform>The %Ln oldest message did not fit and was not sent to the model.</numerusform>
            <numerusform>The %Ln oldest messages did not fit and were not sent to the model.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The answer was stopped: it is longer than %Ln characters.</source>
        <translation>
            <numerusform>The answer was stopped: it is longer than %Ln character.</numerusform>
            <numerusform>The answer was stopped: it is longer than %Ln characters.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The name is too long. %Ln characters fit.</source>
        <translation>
            <numerusform>The name is too long. %Ln character fits.</numerusform>
            <numerusform>The name is too long. %Ln characters fit.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The system prompt is too long. %Ln characters fit.</source>
        <translation>
            <numerusform>The system prompt is too long. %Ln character fits.</numerusform>
            <numerusform>The system prompt is too long. %Ln characters fit.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Verifiers of the network ask as others do, and compute again whether an answer comes from the model that it names. Counted is what blocks of their committee say of this machine in the last %Ln hour(s).</source>
        <translation>
            <numerusform>Verifiers of the network ask as others do, and compute again whether an answer comes from the model that it names. Counted is what blocks of their committee say of this machine in the last %Ln hour.</numerusform>
            <numerusform>Verifiers of the network ask as others do, and compute again whether an answer comes from the model that it names. Counted is what blocks of their committee say of this machine in the last %Ln hours.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Windows starts no command of more than %Ln characters</source>
        <translation>
            <numerusform>Windows starts no command of more than %Ln character</numerusform>
            <numerusform>Windows starts no command of more than %Ln characters</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about %Ln minute(s) left</source>
        <translation>
            <numerusform>about %Ln minute left</numerusform>
            <numerusform>about %Ln minutes left</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>answering %Ln now</source>
        <translation>
            <numerusform>answering %Ln now</numerusform>
            <numerusform>answering %Ln now</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{size}, about %Ln minute(s) at 50 Mbit/s.</source>
        <translation>
            <numerusform>{size}, about %Ln minute at 50 Mbit/s.</numerusform>
            <numerusform>{size}, about %Ln minutes at 50 Mbit/s.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>… and %Ln characters more</source>
        <translation>
            <numerusform>… and %Ln character more</numerusform>
            <numerusform>… and %Ln characters more</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>… and %Ln rows more, which a copy of the whole text has</source>
        <translation>
            <numerusform>… and %Ln row more, which a copy of the whole text has</numerusform>
            <numerusform>… and %Ln rows more, which a copy of the whole text has</numerusform>
        </translation>
    </message>
</context>
</TS>
