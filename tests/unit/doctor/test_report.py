"""What an examination hands over: sentences keep their codes for the window, and the report is plain JSON."""

from __future__ import annotations

import json

from engine.doctor.facts import Facts, IceFact, ServerFacts
from engine.doctor.findings import judge
from engine.doctor.report import examined, report
from engine.sentences import parts_of, say

SILENT = say("probe.silent", seconds=1.8)
LOST = IceFact(url="turns:h:443", transport="tls", reached=False, error=SILENT)
FACTS = Facts(
    server=ServerFacts(url="http://h", reached=True, problem="refused", detail=say("probe.silent", seconds=12.0)),
    stun=(IceFact(url="stun:h:1", transport="udp", reached=False, error=SILENT),),
    turn=(LOST, IceFact(url="turn:h:1", transport="udp", reached=False, error=say("probe.no_host"))),
)


def test_why_a_server_is_no_use_can_be_said_in_other_languages():
    shown = examined("doctor", FACTS, lambda told: told)
    words = {(one.kind, one.address): one.words["problem"] for one in shown.servers}
    assert words["turn", "turns:h:443"] == words["stun", "stun:h:1"] == parts_of(SILENT)
    bootstrap = shown.servers[0]
    assert (bootstrap.problem, bootstrap.words["problem"][0].code) == ("no answer within 12 s", "probe.silent")


def test_a_finding_names_all_servers_with_their_reasons():
    turn = next(one for one in judge(FACTS) if one.id == "turn")
    assert turn.found == (
        "No TURN server can be used: turns:h:443: no answer within 1.8 s; turn:h:1: there is no such host."
    )
    listed = turn.words["found"][0].values["failed"]
    assert isinstance(listed, tuple)
    assert listed[0].code == "probe.and"


def test_the_report_is_plain():
    told = json.loads(json.dumps(report(FACTS, judge(FACTS))))
    assert told["turn"][0]["error"] == "no answer within 1.8 s"
    assert told["server"]["detail"] == "no answer within 12 s"
