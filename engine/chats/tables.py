"""Tables of the chat database, and how older ones become the newest."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

APPLICATION_ID = 0x47546368  # "GTch", in the file's header: this database is of this program
MIGRATIONS: Sequence[str] = (
    # 1: the first
    """
    CREATE TABLE chats (
        number INTEGER PRIMARY KEY NOT NULL, id TEXT UNIQUE NOT NULL, title TEXT NOT NULL, folder TEXT NOT NULL,
        created REAL NOT NULL, updated REAL NOT NULL, activity INTEGER NOT NULL, tip TEXT NOT NULL,
        deleted INTEGER NOT NULL, settings TEXT NOT NULL);
    CREATE INDEX chats_by_activity ON chats (deleted, activity DESC);
    CREATE TABLE messages (
        place INTEGER PRIMARY KEY NOT NULL, id TEXT UNIQUE NOT NULL, chat TEXT NOT NULL, parent TEXT NOT NULL,
        role TEXT NOT NULL, text TEXT NOT NULL, reasoning TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL,
        finished REAL NOT NULL, model TEXT NOT NULL, details TEXT, problem TEXT, receipt TEXT NOT NULL);
    CREATE INDEX messages_by_chat ON messages (chat, place, id, parent, role);
    CREATE INDEX messages_by_state ON messages (state) WHERE state = 'writing';
    CREATE TABLE attachments (
        id TEXT PRIMARY KEY NOT NULL, chat TEXT NOT NULL, message TEXT NOT NULL, place INTEGER NOT NULL,
        name TEXT NOT NULL, text TEXT NOT NULL);
    CREATE INDEX attachments_by_message ON attachments (chat, message, place);
    CREATE TABLE drafts (id TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL);
    CREATE TABLE folders (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL);
    CREATE TABLE presets (id TEXT PRIMARY KEY NOT NULL, preset TEXT NOT NULL);

    CREATE VIRTUAL TABLE titles USING fts5 (
        title, content = 'chats', content_rowid = 'number', tokenize = "unicode61 remove_diacritics 2", prefix = '2 3');
    CREATE TRIGGER title_added AFTER INSERT ON chats BEGIN
        INSERT INTO titles (rowid, title) VALUES (new.number, new.title); END;
    CREATE TRIGGER title_removed AFTER DELETE ON chats BEGIN
        INSERT INTO titles (titles, rowid, title) VALUES ('delete', old.number, old.title); END;
    CREATE TRIGGER title_changed AFTER UPDATE ON chats WHEN old.title <> new.title BEGIN
        INSERT INTO titles (titles, rowid, title) VALUES ('delete', old.number, old.title);
        INSERT INTO titles (rowid, title) VALUES (new.number, new.title); END;

    -- An answer is found once it is complete: each of its saves while it is written would index it anew.
    CREATE VIRTUAL TABLE texts USING fts5 (
        text, content = 'messages', content_rowid = 'place', tokenize = "unicode61 remove_diacritics 2",
        prefix = '2 3');
    CREATE TRIGGER text_added AFTER INSERT ON messages WHEN new.state <> 'writing' BEGIN
        INSERT INTO texts (rowid, text) VALUES (new.place, new.text); END;
    CREATE TRIGGER text_removed AFTER DELETE ON messages WHEN old.state <> 'writing' BEGIN
        INSERT INTO texts (texts, rowid, text) VALUES ('delete', old.place, old.text); END;
    CREATE TRIGGER text_changed_from AFTER UPDATE ON messages
        WHEN old.state <> 'writing' AND (old.text <> new.text OR new.state = 'writing') BEGIN
        INSERT INTO texts (texts, rowid, text) VALUES ('delete', old.place, old.text); END;
    CREATE TRIGGER text_changed_to AFTER UPDATE ON messages
        WHEN new.state <> 'writing' AND (old.text <> new.text OR old.state = 'writing') BEGIN
        INSERT INTO texts (rowid, text) VALUES (new.place, new.text); END;
    """,
)
VERSION = len(MIGRATIONS)
TABLES = ("chats", "messages", "attachments", "drafts", "folders", "presets")


def migrate(database: sqlite3.Connection) -> None:
    """Bring an empty or older database to :data:`VERSION`, each step whole or not at all."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        marks = f"PRAGMA user_version = {number}; PRAGMA application_id = {APPLICATION_ID};"
        try:
            database.executescript(f"BEGIN IMMEDIATE; {script}; {marks} COMMIT;")
        except sqlite3.Error:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
