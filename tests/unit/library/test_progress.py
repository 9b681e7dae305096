"""Progress as the window and the terminal get it."""

from engine.library.progress import Meter, Progress


def test_stages_bytes_and_speed():
    now = [0.0]
    told: list[Progress] = []
    meter = Meter(told.append, lambda: now[0])
    meter.stage("downloading")
    meter.begin("a", 100)
    meter.begin("b", 50, 50)
    for step in range(1, 11):
        now[0] = step
        meter.at("a", step * 10, received=10)
    meter.stage("done")
    last = told[-1]
    assert (last.stage, last.done, last.total) == ("done", 150, 150)
    assert last.speed == 10
    assert [one.stage for one in told[:1]] == ["downloading"]
    assert all(one.done <= one.total for one in told)


def test_not_told_more_often_than_anyone_reads_but_troubles_always():
    now = [0.0]
    told: list[Progress] = []
    meter = Meter(told.append, lambda: now[0], interval=0.1)
    meter.begin("a", 1000)
    before = len(told)
    for done in range(100):
        now[0] += 0.01
        meter.at("a", done)
    assert before + 9 <= len(told) <= before + 11
    meter.at("a", 100, note="the connection ended early")
    assert told[-1].files[0].note == "the connection ended early"
