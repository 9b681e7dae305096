<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source> Retry</source>
        <translation> Wiederholen</translation>
    </message>
    <message>
        <source> · {seconds} s</source>
        <translation> · {seconds} s</translation>
    </message>
    <message numerus="yes">
        <source>%Ln node(s)</source>
        <translation>
            <numerusform>%Ln Knoten</numerusform>
            <numerusform>%Ln Knoten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln note(s)</source>
        <translation>
            <numerusform>%Ln Hinweis</numerusform>
            <numerusform>%Ln Hinweise</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln note(s) of the engine</source>
        <translation>
            <numerusform>%Ln Hinweis der Engine</numerusform>
            <numerusform>%Ln Hinweise der Engine</numerusform>
        </translation>
    </message>
    <message>
        <source>A guard that works together with a proxy or with the answering node can recognise you by timing. What you write can name you too.</source>
        <translation>Ein Guard, der mit einem Proxy oder mit dem antwortenden Knoten gemeinsame Sache macht, kann dich am Zeitverlauf erkennen. Auch was du schreibst, kann dich verraten.</translation>
    </message>
    <message>
        <source>A link in an answer leads to</source>
        <translation>Ein Link in einer Antwort führt zu</translation>
    </message>
    <message>
        <source>An engine was running already and keeps its own settings, so these options have no effect: {given}. Quit GenTorrent, end that engine and start again to use them.</source>
        <translation>Eine Engine lief schon und behält ihre eigenen Einstellungen, deshalb bleiben diese Optionen ohne Wirkung: {given}. Um sie zu nutzen, beende GenTorrent und diese Engine und starte neu.</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Antwort</translation>
    </message>
    <message>
        <source>Answering node</source>
        <translation>Antwortender Knoten</translation>
    </message>
    <message>
        <source>Ask a question</source>
        <translation>Stell eine Frage</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>Erneut fragen</translation>
    </message>
    <message>
        <source>Ask this question again</source>
        <translation>Diese Frage noch einmal stellen</translation>
    </message>
    <message>
        <source>Ask: {question}</source>
        <translation>Fragen: {question}</translation>
    </message>
    <message>
        <source>Asking the engine how it is</source>
        <translation>Die Engine wird nach ihrem Zustand gefragt</translation>
    </message>
    <message>
        <source>Badge</source>
        <translation>Siegel</translation>
    </message>
    <message>
        <source>Bootstrap server</source>
        <translation>Bootstrap-Server</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Carried pieces of the sealed text, of which any {k} of {n} join to the whole.</source>
        <translation>Trug Teile des versiegelten Textes; je {k} von {n} ergeben das Ganze.</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Chat</translation>
    </message>
    <message>
        <source>Checking the receipt</source>
        <translation>Die Quittung wird geprüft</translation>
    </message>
    <message>
        <source>Choosing anonymous paths</source>
        <translation>Anonyme Pfade werden gewählt</translation>
    </message>
    <message>
        <source>Contribute</source>
        <translation>Beitragen</translation>
    </message>
    <message>
        <source>Contribute: answer other people&apos;s questions on this machine</source>
        <translation>Beitragen: auf diesem Rechner Fragen anderer beantworten</translation>
    </message>
    <message>
        <source>Contributing is not possible: {reason}</source>
        <translation>Beitragen ist nicht möglich: {reason}</translation>
    </message>
    <message>
        <source>Contributing is paused: {reason}</source>
        <translation>Beitragen pausiert: {reason}</translation>
    </message>
    <message>
        <source>Contributing: {state}</source>
        <translation>Beitragen: {state}</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy the address</source>
        <translation>Adresse kopieren</translation>
    </message>
    <message>
        <source>Copy the address of the link</source>
        <translation>Adresse des Links kopieren</translation>
    </message>
    <message>
        <source>Copy the answer</source>
        <translation>Antwort kopieren</translation>
    </message>
    <message>
        <source>Copy the answer as Markdown</source>
        <translation>Antwort als Markdown kopieren</translation>
    </message>
    <message>
        <source>Copy the code</source>
        <translation>Code kopieren</translation>
    </message>
    <message>
        <source>Copy the selection</source>
        <translation>Auswahl kopieren</translation>
    </message>
    <message>
        <source>Copy the whole text as Markdown</source>
        <translation>Ganzen Text als Markdown kopieren</translation>
    </message>
    <message>
        <source>Copy the {language} code</source>
        <translation>{language}-Code kopieren</translation>
    </message>
    <message>
        <source>Copy this code</source>
        <translation>Diesen Code kopieren</translation>
    </message>
    <message>
        <source>Could read the question and the answer, and saw this machine&apos;s address: it came without relays.</source>
        <translation>Konnte Frage und Antwort lesen und sah die Adresse dieses Rechners: Sie kam ohne Relays.</translation>
    </message>
    <message>
        <source>Could read the question and the answer. It does not know who asked.</source>
        <translation>Konnte Frage und Antwort lesen. Wer gefragt hat, weiß er nicht.</translation>
    </message>
    <message>
        <source>Ctrl+N</source>
        <comment>key</comment>
        <translation>Strg+N</translation>
    </message>
    <message>
        <source>Each path</source>
        <translation>Jeder Pfad</translation>
    </message>
    <message>
        <source>Enter</source>
        <comment>key</comment>
        <translation>Eingabetaste</translation>
    </message>
    <message>
        <source>Enter sends, Shift and Enter make a new line, Escape stops the answer.</source>
        <translation>Die Eingabetaste sendet, Umschalt und Eingabetaste beginnen eine neue Zeile, Escape hält die Antwort an.</translation>
    </message>
    <message>
        <source>Esc</source>
        <comment>key</comment>
        <translation>Esc</translation>
    </message>
    <message>
        <source>Everyone else</source>
        <translation>Alle anderen</translation>
    </message>
    <message>
        <source>Finishing…</source>
        <translation>Wird beendet …</translation>
    </message>
    <message>
        <source>GenTorrent: contributing</source>
        <translation>GenTorrent: trägt bei</translation>
    </message>
    <message>
        <source>Guards</source>
        <translation>Guards</translation>
    </message>
    <message>
        <source>How to join</source>
        <translation>So trittst du bei</translation>
    </message>
    <message>
        <source>Image: {words}</source>
        <translation>Bild: {words}</translation>
    </message>
    <message>
        <source>In the network “{name}”, weaker than it should be.</source>
        <translation>Im Netz „{name}“, schwächer als vorgesehen.</translation>
    </message>
    <message>
        <source>In the network “{name}”: {details}</source>
        <translation>Im Netz „{name}“: {details}</translation>
    </message>
    <message>
        <source>In the network, weaker than it should be.</source>
        <translation>Im Netz, schwächer als vorgesehen.</translation>
    </message>
    <message>
        <source>In the network: {details}</source>
        <translation>Im Netz: {details}</translation>
    </message>
    <message>
        <source>It is written {letters}.</source>
        <translation>In Buchstaben: {letters}</translation>
    </message>
    <message>
        <source>Joining the network “{name}”.</source>
        <translation>Beitritt zum Netz „{name}“ läuft.</translation>
    </message>
    <message>
        <source>Joining the network.</source>
        <translation>Beitritt zum Netz läuft.</translation>
    </message>
    <message>
        <source>Jump to the newest text</source>
        <translation>Zum neuesten Text springen</translation>
    </message>
    <message>
        <source>Know only their two neighbours on the path.</source>
        <translation>Kennen nur ihre beiden Nachbarn auf dem Pfad.</translation>
    </message>
    <message>
        <source>Knows who is online and who is linked with whom. Not who asks what.</source>
        <translation>Weiß, wer online ist und wer mit wem verbunden ist. Nicht, wer was fragt.</translation>
    </message>
    <message>
        <source>Local</source>
        <translation>Lokal</translation>
    </message>
    <message>
        <source>Local: this machine wrote the answer itself, so there is nobody to check.</source>
        <translation>Lokal: Dieser Rechner hat die Antwort selbst geschrieben, es gibt also niemanden zu prüfen.</translation>
    </message>
    <message>
        <source>Middle relays</source>
        <translation>Mittlere Relays</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Model that answers</source>
        <translation>Modell, das antwortet</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Mehr</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neuer Chat</translation>
    </message>
    <message>
        <source>Newest</source>
        <translation>Neuestes</translation>
    </message>
    <message>
        <source>No model yet</source>
        <translation>Noch kein Modell</translation>
    </message>
    <message>
        <source>No network: answers are made on this machine only.</source>
        <translation>Kein Netz: Antworten entstehen nur auf diesem Rechner.</translation>
    </message>
    <message>
        <source>Node {id}</source>
        <translation>Knoten {id}</translation>
    </message>
    <message>
        <source>Nodes before it</source>
        <translation>Knoten davor</translation>
    </message>
    <message>
        <source>Not possible</source>
        <translation>Nicht möglich</translation>
    </message>
    <message>
        <source>Not verified</source>
        <translation>Nicht bestätigt</translation>
    </message>
    <message>
        <source>Not verified: there is no valid receipt for this answer, so nobody vouches for it.</source>
        <translation>Nicht bestätigt: Zu dieser Antwort gibt es keine gültige Quittung, also bürgt niemand für sie.</translation>
    </message>
    <message>
        <source>Notes</source>
        <translation>Hinweise</translation>
    </message>
    <message>
        <source>Notes of the engine</source>
        <translation>Hinweise der Engine</translation>
    </message>
    <message>
        <source>Nothing. The question and the answer did not leave this machine.</source>
        <translation>Nichts. Frage und Antwort haben diesen Rechner nicht verlassen.</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Aus</translation>
    </message>
    <message>
        <source>On</source>
        <translation>An</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Open chat</source>
        <translation>Chat öffnen</translation>
    </message>
    <message>
        <source>Open the link in the web browser</source>
        <translation>Link im Browser öffnen</translation>
    </message>
    <message>
        <source>Open the link …</source>
        <translation>Link öffnen …</translation>
    </message>
    <message>
        <source>Open this link?</source>
        <translation>Diesen Link öffnen?</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Pausiert</translation>
    </message>
    <message>
        <source>Proxies</source>
        <translation>Proxys</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>Frage</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Retry: ask this question again</source>
        <translation>Wiederholen: diese Frage noch einmal stellen</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>Alles auswählen</translation>
    </message>
    <message>
        <source>Send the question</source>
        <translation>Frage senden</translation>
    </message>
    <message>
        <source>Sending the question</source>
        <translation>Die Frage wird gesendet</translation>
    </message>
    <message>
        <source>Show more</source>
        <translation>Mehr zeigen</translation>
    </message>
    <message numerus="yes">
        <source>Show more (%Ln characters)</source>
        <translation>
            <numerusform>Mehr zeigen (%Ln Zeichen)</numerusform>
            <numerusform>Mehr zeigen (%Ln Zeichen)</numerusform>
        </translation>
    </message>
    <message>
        <source>Signed</source>
        <translation>Signiert</translation>
    </message>
    <message>
        <source>Signed: the answering node signed a receipt for exactly this answer, and the receipt was checked.</source>
        <translation>Signiert: Der antwortende Knoten hat für genau diese Antwort eine Quittung unterschrieben, und die Quittung wurde geprüft.</translation>
    </message>
    <message>
        <source>Starting the engine on this machine</source>
        <translation>Die Engine auf diesem Rechner startet</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Startet …</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>Antwort anhalten</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>Angehalten.</translation>
    </message>
    <message numerus="yes">
        <source>The answer was stopped: it is longer than %Ln characters.</source>
        <translation>
            <numerusform>Die Antwort wurde angehalten: Sie ist länger als %Ln Zeichen.</numerusform>
            <numerusform>Die Antwort wurde angehalten: Sie ist länger als %Ln Zeichen.</numerusform>
        </translation>
    </message>
    <message>
        <source>The built-in model knows this app. Begin with one of these, or type below.</source>
        <translation>Das eingebaute Modell kennt diese App. Beginne mit einer dieser Fragen oder schreibe unten.</translation>
    </message>
    <message>
        <source>The connection is not encrypted.</source>
        <translation>Die Verbindung ist nicht verschlüsselt.</translation>
    </message>
    <message>
        <source>The engine cannot be started: {reason}.</source>
        <translation>Die Engine lässt sich nicht starten: {reason}.</translation>
    </message>
    <message>
        <source>The engine cut the connection because the window was too slow. Connecting again.</source>
        <translation>Die Engine hat die Verbindung getrennt, weil das Fenster zu langsam war. Sie wird neu verbunden.</translation>
    </message>
    <message>
        <source>The engine ended unexpectedly. It is being started again.</source>
        <translation>Die Engine ist unerwartet zu Ende gegangen. Sie wird neu gestartet.</translation>
    </message>
    <message>
        <source>The engine ended while it started, without a word.</source>
        <translation>Die Engine ging beim Start zu Ende, ohne einen Grund zu nennen.</translation>
    </message>
    <message>
        <source>The engine is being started again: press Retry to ask again.</source>
        <translation>Die Engine startet neu: Mit „Nochmal“ fragst du erneut.</translation>
    </message>
    <message>
        <source>The engine is running</source>
        <translation>Die Engine läuft</translation>
    </message>
    <message>
        <source>The engine is stopped</source>
        <translation>Die Engine ist angehalten</translation>
    </message>
    <message>
        <source>The engine on this machine ended while it answered, so the answer is incomplete.</source>
        <translation>Die Engine auf diesem Rechner ging während der Antwort zu Ende, deshalb ist die Antwort unvollständig.</translation>
    </message>
    <message>
        <source>The engine takes the question</source>
        <translation>Die Engine nimmt die Frage an</translation>
    </message>
    <message>
        <source>The engine that runs does not talk to this window: {reason}.</source>
        <translation>Die laufende Engine spricht nicht mit diesem Fenster: {reason}.</translation>
    </message>
    <message>
        <source>The engine was stopped. It is being started again.</source>
        <translation>Die Engine wurde angehalten. Sie wird neu gestartet.</translation>
    </message>
    <message>
        <source>The first relays. Know this machine&apos;s address, not the question or who answers.</source>
        <translation>Die ersten Relays. Kennen die Adresse dieses Rechners, nicht die Frage und nicht, wer antwortet.</translation>
    </message>
    <message>
        <source>The full address: {address}</source>
        <translation>Die ganze Adresse: {address}</translation>
    </message>
    <message>
        <source>The last relays. Know that somebody asks the answering node. Not who, nor what.</source>
        <translation>Die letzten Relays. Wissen, dass jemand den antwortenden Knoten fragt. Nicht wer, und nicht was.</translation>
    </message>
    <message>
        <source>The limits</source>
        <translation>Die Grenzen</translation>
    </message>
    <message>
        <source>The link leads to a machine by its number instead of a name.</source>
        <translation>Der Link führt über eine Nummer statt eines Namens zu einem Rechner.</translation>
    </message>
    <message>
        <source>The model reads the question</source>
        <translation>Das Modell liest die Frage</translation>
    </message>
    <message>
        <source>The network cannot be reached.</source>
        <translation>Das Netz ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>The network “{name}” cannot be reached.</source>
        <translation>Das Netz „{name}“ ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>The part before the @ is not the site. The link leads to {host}.</source>
        <translation>Der Teil vor dem @ ist nicht die Website. Der Link führt zu {host}.</translation>
    </message>
    <message>
        <source>The part of the engine that runs models ended.</source>
        <translation>Der Teil der Engine, der Modelle ausführt, ist zu Ende gegangen.</translation>
    </message>
    <message>
        <source>The text of the link names another site than the one it leads to.</source>
        <translation>Der Text des Links nennt eine andere Website als die, zu der er führt.</translation>
    </message>
    <message>
        <source>The text was not pasted: it has {length} characters, and a question can have {most}. Paste a part of it.</source>
        <translation>Der Text wurde nicht eingefügt: Er hat {length} Zeichen, eine Frage darf {most} haben. Füge einen Teil davon ein.</translation>
    </message>
    <message>
        <source>Thinking</source>
        <translation>Denkt nach</translation>
    </message>
    <message>
        <source>Thinking for {seconds} s</source>
        <translation>Denkt seit {seconds} s nach</translation>
    </message>
    <message>
        <source>This chat has become too long to be sent. Start a new chat and ask there.</source>
        <translation>Dieser Chat ist zu lang geworden, um ihn zu senden. Beginne einen neuen Chat und frage dort.</translation>
    </message>
    <message>
        <source>This machine</source>
        <translation>Dieser Rechner</translation>
    </message>
    <message>
        <source>This machine relays nothing for others: {reason}</source>
        <translation>Dieser Rechner leitet nichts für andere weiter: {reason}</translation>
    </message>
    <message>
        <source>This name uses letters that can be taken for other ones. It may not be the site it looks like.</source>
        <translation>Dieser Name enthält Buchstaben, die man mit anderen verwechseln kann. Vielleicht ist es nicht die Website, nach der es aussieht.</translation>
    </message>
    <message>
        <source>Thought for {seconds} s</source>
        <translation>Hat {seconds} s nachgedacht</translation>
    </message>
    <message>
        <source>Too many programs are connected to the engine. Close one of them.</source>
        <translation>Zu viele Programme sind mit der Engine verbunden. Schließe eines davon.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Nochmal versuchen</translation>
    </message>
    <message>
        <source>Try to start the engine again</source>
        <translation>Nochmal versuchen, die Engine zu starten</translation>
    </message>
    <message>
        <source>Turning off…</source>
        <translation>Wird ausgeschaltet …</translation>
    </message>
    <message>
        <source>Turning on…</source>
        <translation>Wird eingeschaltet …</translation>
    </message>
    <message>
        <source>Verified</source>
        <translation>Bestätigt</translation>
    </message>
    <message>
        <source>Verified: the receipt was checked, and the committee&apos;s latest verdict on this node is a pass.</source>
        <translation>Bestätigt: Die Quittung wurde geprüft, und im jüngsten Urteil des Komitees hat dieser Knoten bestanden.</translation>
    </message>
    <message>
        <source>Waiting for the engine</source>
        <translation>Warten auf die Engine</translation>
    </message>
    <message>
        <source>Waiting for the engine on this machine</source>
        <translation>Warten auf die Engine dieses Rechners</translation>
    </message>
    <message>
        <source>Waiting in the queue</source>
        <translation>Warten in der Schlange</translation>
    </message>
    <message>
        <source>Weaker</source>
        <translation>Schwächer</translation>
    </message>
    <message>
        <source>Were asked first, and passed the question on, refused it or went away. Could read the question, and what they answered of it.</source>
        <translation>Wurden zuerst gefragt und haben die Frage weitergereicht, abgelehnt oder sind verschwunden. Konnten die Frage lesen und das, was sie davon beantwortet haben.</translation>
    </message>
    <message>
        <source>What has arrived is kept.</source>
        <translation>Was angekommen ist, bleibt erhalten.</translation>
    </message>
    <message>
        <source>What the model thought</source>
        <translation>Was das Modell gedacht hat</translation>
    </message>
    <message>
        <source>What would you like to know?</source>
        <translation>Was möchtest du wissen?</translation>
    </message>
    <message>
        <source>Who could know what?</source>
        <translation>Wer könnte was wissen?</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>Schreibt</translation>
    </message>
    <message>
        <source>You are not in a network, so questions are answered on this machine and nothing leaves it.

To join a network, ask its operator for the address. Then quit GenTorrent and start it with that address:

    gentorrent app --bootstrap http://HOST:PORT#NETWORKID

To open a network of your own, run gentorrent bootstrap --init once and then gentorrent bootstrap; it prints the address to give to others.</source>
        <translation>Du bist in keinem Netz. Fragen werden auf diesem Rechner beantwortet, und nichts verlässt ihn.

Um einem Netz beizutreten, frag dessen Betreiber nach der Adresse. Beende dann GenTorrent und starte es mit dieser Adresse:

    gentorrent app --bootstrap http://HOST:PORT#NETWORKID

Um ein eigenes Netz zu öffnen, führe einmal gentorrent bootstrap --init aus und danach gentorrent bootstrap; das nennt die Adresse, die du weitergibst.</translation>
    </message>
    <message>
        <source>Your question is kept; press Retry once that is mended.</source>
        <translation>Deine Frage bleibt erhalten; drücke „Nochmal“, sobald das behoben ist.</translation>
    </message>
    <message numerus="yes">
        <source>answering %Ln now</source>
        <translation>
            <numerusform>beantwortet gerade %Ln Frage</numerusform>
            <numerusform>beantwortet gerade %Ln Fragen</numerusform>
        </translation>
    </message>
    <message>
        <source>code</source>
        <comment>no language named</comment>
        <translation>Code</translation>
    </message>
    <message>
        <source>cut at its length limit</source>
        <translation>an der Längengrenze abgeschnitten</translation>
    </message>
    <message>
        <source>direct, without relays</source>
        <translation>direkt, ohne Relays</translation>
    </message>
    <message>
        <source>first token after {time}</source>
        <translation>erstes Token nach {time}</translation>
    </message>
    <message>
        <source>hide what the model thought</source>
        <translation>Gedanken des Modells verbergen</translation>
    </message>
    <message>
        <source>show what the model thought</source>
        <translation>Gedanken des Modells zeigen</translation>
    </message>
    <message>
        <source>the engine refused this window</source>
        <translation>die Engine hat dieses Fenster abgelehnt</translation>
    </message>
    <message>
        <source>weaker: {paths} × {hops} relays instead of {full_paths} × {full_hops}</source>
        <translation>schwächer: {paths} × {hops} Relays statt {full_paths} × {full_hops}</translation>
    </message>
    <message>
        <source>{action} ({key})</source>
        <translation>{action} ({key})</translation>
    </message>
    <message>
        <source>{answered} answered, {tokens} tokens</source>
        <translation>{answered} beantwortet, {tokens} Tokens</translation>
    </message>
    <message>
        <source>{choice}, for this chat while relays are missing</source>
        <translation>{choice}, für diesen Chat, solange Relays fehlen</translation>
    </message>
    <message>
        <source>{model} · on the network</source>
        <translation>{model} · im Netz</translation>
    </message>
    <message>
        <source>{model} · on this machine</source>
        <translation>{model} · auf diesem Rechner</translation>
    </message>
    <message>
        <source>{paths} of {wanted} paths, {relays} relays, {nodes} nodes</source>
        <translation>{paths} von {wanted} Pfaden, {relays} Relays, {nodes} Knoten</translation>
    </message>
    <message>
        <source>{seconds} s wait</source>
        <translation>{seconds} s Wartezeit</translation>
    </message>
    <message>
        <source>{speed} tokens/s</source>
        <translation>{speed} Tokens/s</translation>
    </message>
    <message>
        <source>{text}, about {seconds} s</source>
        <translation>{text}, etwa {seconds} s</translation>
    </message>
    <message>
        <source>{text}, place {place}</source>
        <translation>{text}, Platz {place}</translation>
    </message>
    <message>
        <source>{time} ms</source>
        <translation>{time} ms</translation>
    </message>
    <message>
        <source>{time} s</source>
        <translation>{time} s</translation>
    </message>
    <message numerus="yes">
        <source>… and %Ln characters more</source>
        <translation>
            <numerusform>… und %Ln weiteres Zeichen</numerusform>
            <numerusform>… und %Ln weitere Zeichen</numerusform>
        </translation>
    </message>
</context>
</TS>
