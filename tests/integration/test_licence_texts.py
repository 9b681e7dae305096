"""Texts of licences over the control API: of the hub, of a folder, of what is here, and what is wrong with them."""

import shutil

from engine.api import schema
from engine.library.agreements import Agreements
from engine.library.names import MAX_LICENCE
from tests.integration.test_library_service import LLAMA, PATIENCE, ask, catalogue, ended, fetch, hub, running  # noqa: F401
from tests.integration.test_model_catalogue import SOURCE
from tests.support.local_api import until

TEXT = "Do what <b>you</b> like."


async def test_the_text_is_the_hubs_before_and_lies_here_after_a_download(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    catalogue(data)
    licence = hub.repositories[LLAMA.repository].folder / "LICENSE"
    async with running(data, hub) as (service, told):
        none = await ask(service, schema.GetLicence(model="Tiny", ref="1"))
        assert (none.ref, none.name, none.text) == ("1", "", "")
        licence.write_bytes(b"x" * (MAX_LICENCE + 1))
        long = await ask(service, schema.GetLicence(model="Tiny"))
        assert (long.name, long.text) == ("LICENSE", "")
        licence.write_text(TEXT)
        for model in ("Tiny", LLAMA.repository):
            found = await ask(service, schema.GetLicence(model=model))
            assert (found.name, found.text) == ("LICENSE", TEXT)
        hub.faults["LICENSE"] = ["404"] * 9
        refused = await ask(service, schema.GetLicence(model="Tiny"))
        assert isinstance(refused, schema.RequestFailed)
        assert "LICENSE" in refused.text
        hub.faults.clear()
        await fetch(service, "Tiny")
        await until(lambda: any(isinstance(one, schema.DownloadEnded) for one in told), PATIENCE)
        assert ended(told).code == ""
        hub.repositories.clear()
        assert (await ask(service, schema.GetLicence(model="Tiny"))).text == TEXT


async def test_folders_and_what_nobody_knows(tmp_path, hub):  # noqa: F811
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "COPYING.txt").write_text(TEXT)
    async with running(tmp_path / "data", hub) as (service, _):
        found = await ask(service, schema.GetLicence(folder=str(mine)))
        assert (found.name, found.text, found.licence, found.accepted) == ("COPYING.txt", TEXT, "", False)
        for request, code in (
            (schema.GetLicence(folder="mine"), "invalid_request"),
            (schema.GetLicence(folder=str(tmp_path / "no")), "storage_failed"),
            (schema.GetLicence(folder="/a\0b"), "storage_failed"),
            (schema.GetLicence(model="no-such"), "model_not_found"),
            (schema.GetLicence(), "model_not_found"),
            (schema.GetLicence(model="../../keys"), "model_not_found"),
        ):
            assert (await ask(service, request)).code == code


async def test_what_was_accepted_for_an_import_is_not_asked_about_again(tmp_path, hub):  # noqa: F811
    mine = tmp_path / "mine"
    shutil.copytree(SOURCE, mine)
    (mine / "LICENSE").write_text(TEXT)
    async with running(tmp_path / "data", hub) as (service, told):
        read = await ask(service, schema.GetLicence(folder=str(mine), model="mine"))
        assert (read.text, read.accepted, len(read.terms)) == (TEXT, False, 64)
        assert isinstance(
            await ask(service, schema.ImportModel(folder=str(mine), name="mine", terms=read.terms)), schema.Accepted
        )
        await until(lambda: any(isinstance(one, schema.ImportEnded) for one in told), PATIENCE)
        for model, accepted in (("mine", True), ("other", False)):
            assert (await ask(service, schema.GetLicence(folder=str(mine), model=model))).accepted is accepted
        (mine / "LICENSE").write_text("Another one.")
        assert not (await ask(service, schema.GetLicence(folder=str(mine), model="mine"))).accepted
        (tmp_path / "data" / "models" / ".agreed.json").write_text("x")  # nobody knows, so it is asked and not taken
        read = await ask(service, schema.GetLicence(folder=str(mine), model="mine"))
        assert (read.text, read.accepted) == ("Another one.", False)
        refused = await ask(service, schema.ImportModel(folder=str(mine), name="two", terms=read.terms))
        assert (refused.code, ".agreed.json is damaged" in refused.text) == ("storage_failed", True)


async def test_an_engine_that_ends_while_a_licence_is_noted_begins_no_import(tmp_path, hub, monkeypatch):  # noqa: F811
    async with running(tmp_path / "data", hub) as (service, _):
        monkeypatch.setattr(Agreements, "agree", lambda *_: service._imports.end())
        reply = await ask(service, schema.ImportModel(folder=str(SOURCE), name="mine", terms="a" * 64))
        assert (reply.code, service._imports.progress) == ("overloaded", {})


async def test_a_question_that_fails_unexpectedly_is_refused_and_ends_no_connection(tmp_path, hub, monkeypatch):  # noqa: F811
    async with running(tmp_path / "data", hub) as (service, _):
        for error, code in (
            (RuntimeError("a mistake"), "internal_error"),
            (PermissionError(13, "no"), "storage_failed"),
        ):

            async def fails(_, error=error):
                raise error

            monkeypatch.setattr(service._licences, "reply", fails)
            refused = await ask(service, schema.GetLicence(model="Tiny", ref="7"))
            assert (refused.ref, refused.code) == ("7", code)
