"""Why a value is refused that somebody gave: see :mod:`engine.refused_values`."""

from engine.sentences.marking import mark

VALUES = {
    "value.refused": mark("{field} cannot be {given}: it has to be {allowed}."),
    "value.asked": mark("{field} has to be {allowed}."),
    "value.wrong": mark("{field} cannot be {given}."),
    "value.meant": mark("it has to be {allowed}."),
    "value.missing": mark("{field} is missing."),
    "value.other": mark("{field} is not what is asked for."),
    "value.request": mark("The request"),
    "value.whole_number": mark("a whole number"),
    "value.number": mark("a number"),
    "value.between": mark("{kind} from {least} to {most}"),
    "value.at_least": mark("{kind} of at least {least}"),
    "value.at_most": mark("{kind} of at most {most}"),
    "value.above": mark("{kind} above {least}"),
    "value.above_and_most": mark("{kind} above {least} and of at most {most}"),
    "value.text": mark("a text"),
    "value.text_at_most": mark("a text of at most {most} characters"),
    "value.text_between": mark("a text of {least} to {most} characters"),
    "value.list": mark("a list"),
    "value.list_at_most": mark("a list of at most {most}"),
    "value.list_between": mark("a list of {least} to {most}"),
    "value.object": mark("an object with fields"),
    "value.switch": mark("true or false"),
    "value.choice": mark("one of {choices}"),
    "value.or": mark("{one}, or {other}"),
    "value.long_text": mark("a text of {count} characters"),
    "value.long_list": mark("a list of {count}"),
}
