<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name></name>
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
        <source>Show more (%Ln characters)</source>
        <translation>
            <numerusform>Show more (%Ln character)</numerusform>
            <numerusform>Show more (%Ln characters)</numerusform>
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
        <source>answering %Ln now</source>
        <translation>
            <numerusform>answering %Ln now</numerusform>
            <numerusform>answering %Ln now</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>… and %Ln characters more</source>
        <translation>
            <numerusform>… and %Ln character more</numerusform>
            <numerusform>… and %Ln characters more</numerusform>
        </translation>
    </message>
</context>
</TS>
