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
    <message>
        <source>%</source>
        <translation>%</translation>
    </message>
    <message numerus="yes">
        <source>%Ln answer(s) said neither, and do not count.</source>
        <translation>
            <numerusform>%Ln Antwort sagte weder das eine noch das andere und zählt nicht.</numerusform>
            <numerusform>%Ln Antworten sagten weder das eine noch das andere und zählen nicht.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln change(s) of names, folders and presets, not saved when the engine ended, would be lost.</source>
        <translation>
            <numerusform>%Ln Änderung an Namen, Ordnern und Vorlagen, beim Ende der Engine noch nicht gesichert, ginge verloren.</numerusform>
            <numerusform>%Ln Änderungen an Namen, Ordnern und Vorlagen, beim Ende der Engine noch nicht gesichert, gingen verloren.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln change(s) to your chats would be lost: the newest of messages, names, folders, presets and deletions.</source>
        <translation>
            <numerusform>%Ln Änderung an deinen Chats ginge verloren: das Neueste an Nachrichten, Namen, Ordnern, Vorlagen und Löschungen.</numerusform>
            <numerusform>%Ln Änderungen an deinen Chats gingen verloren: das Neueste an Nachrichten, Namen, Ordnern, Vorlagen und Löschungen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln change(s) wait for it.</source>
        <translation>
            <numerusform>%Ln Änderung wartet darauf.</numerusform>
            <numerusform>%Ln Änderungen warten darauf.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln character(s)</source>
        <translation>
            <numerusform>%Ln Zeichen</numerusform>
            <numerusform>%Ln Zeichen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chat(s) deleted</source>
        <translation>
            <numerusform>%Ln Chat gelöscht</numerusform>
            <numerusform>%Ln Chats gelöscht</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chat(s) with a new answer</source>
        <translation>
            <numerusform>%Ln Chat mit einer neuen Antwort</numerusform>
            <numerusform>%Ln Chats mit neuen Antworten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln circuit(s) of other people pass through this machine now.</source>
        <translation>
            <numerusform>%Ln Kanal anderer führt gerade durch diesen Rechner.</numerusform>
            <numerusform>%Ln Kanäle anderer führen gerade durch diesen Rechner.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln download(s)</source>
        <translation>
            <numerusform>%Ln Download</numerusform>
            <numerusform>%Ln Downloads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln epoch(s) wait for the server</source>
        <translation>
            <numerusform>%Ln Epoche wartet auf den Server</numerusform>
            <numerusform>%Ln Epochen warten auf den Server</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln hour(s) a week</source>
        <translation>
            <numerusform>%Ln Stunde in der Woche</numerusform>
            <numerusform>%Ln Stunden in der Woche</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln link(s) through it</source>
        <translation>
            <numerusform>%Ln Verbindung darüber</numerusform>
            <numerusform>%Ln Verbindungen darüber</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln message(s) after the first turn did not fit and were not sent to the model.</source>
        <translation>
            <numerusform>%Ln Nachricht nach der ersten Frage passte nicht und ging nicht an das Modell.</numerusform>
            <numerusform>%Ln Nachrichten nach der ersten Frage passten nicht und gingen nicht an das Modell.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln message(s) deleted</source>
        <translation>
            <numerusform>%Ln Nachricht gelöscht</numerusform>
            <numerusform>%Ln Nachrichten gelöscht</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln minute(s) ago</source>
        <translation>
            <numerusform>vor %Ln Minute</numerusform>
            <numerusform>vor %Ln Minuten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln model(s)</source>
        <translation>
            <numerusform>%Ln Modell</numerusform>
            <numerusform>%Ln Modelle</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln more file(s)</source>
        <translation>
            <numerusform>%Ln weitere Datei</numerusform>
            <numerusform>%Ln weitere Dateien</numerusform>
        </translation>
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
    <message numerus="yes">
        <source>%Ln other(s)</source>
        <translation>
            <numerusform>%Ln weiteres</numerusform>
            <numerusform>%Ln weitere</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln problem(s) found</source>
        <translation>
            <numerusform>%Ln Problem gefunden</numerusform>
            <numerusform>%Ln Probleme gefunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln processor thread(s)</source>
        <translation>
            <numerusform>%Ln Prozessor-Thread</numerusform>
            <numerusform>%Ln Prozessor-Threads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln program(s) first</source>
        <translation>
            <numerusform>%Ln Programm geht vor</numerusform>
            <numerusform>%Ln Programme gehen vor</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln relay(s) on each path</source>
        <translation>
            <numerusform>%Ln Relay auf jedem Pfad</numerusform>
            <numerusform>%Ln Relays auf jedem Pfad</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln thread(s)</source>
        <translation>
            <numerusform>%Ln Thread</numerusform>
            <numerusform>%Ln Threads</numerusform>
        </translation>
    </message>
    <message>
        <source>--signaling-address {address} does not work, because {problem}. Nodes that come back while every server is away cannot begin here. End the other program, or choose another port, and start again.</source>
        <translation>--signaling-address {address} geht nicht: {problem}. Knoten, die zurückkommen, während alle Server weg sind, können hier nicht beginnen. Beende das andere Programm, oder wähle einen anderen Port, und starte neu.</translation>
    </message>
    <message>
        <source>1 path of 1 relay</source>
        <translation>1 Pfad mit 1 Relay</translation>
    </message>
    <message>
        <source>1 path of {relays} relays</source>
        <translation>1 Pfad mit {relays} Relays</translation>
    </message>
    <message>
        <source>A TURN server lends addresses by {transport} in {milliseconds} ms.</source>
        <translation>Ein TURN-Server verleiht Adressen über {transport} in {milliseconds} ms.</translation>
    </message>
    <message>
        <source>A Wayland desktop does not tell what fills the screen.</source>
        <translation>Ein Wayland-Desktop sagt nicht, was den Bildschirm füllt.</translation>
    </message>
    <message>
        <source>A download that would take more is refused.</source>
        <translation>Ein Download, der mehr bräuchte, wird abgelehnt.</translation>
    </message>
    <message>
        <source>A few answers for the verifiers</source>
        <translation>Einige Antworten für die Prüfer</translation>
    </message>
    <message>
        <source>A file that anybody can check, without a network</source>
        <translation>Eine Datei, die jeder prüfen kann, auch ohne Netz</translation>
    </message>
    <message>
        <source>A folder needs a name.</source>
        <translation>Ein Ordner braucht einen Namen.</translation>
    </message>
    <message>
        <source>A folder of this machine</source>
        <translation>Ein Ordner dieses Rechners</translation>
    </message>
    <message>
        <source>A game is running.</source>
        <translation>Ein Spiel läuft.</translation>
    </message>
    <message>
        <source>A guard that works together with a proxy or with the answering node can recognise you by timing. What you write can name you too.</source>
        <translation>Ein Guard, der mit einem Proxy oder mit dem antwortenden Knoten gemeinsame Sache macht, kann dich am Zeitverlauf erkennen. Auch was du schreibst, kann dich verraten.</translation>
    </message>
    <message>
        <source>A larger model</source>
        <translation>Ein größeres Modell</translation>
    </message>
    <message>
        <source>A larger model on this machine</source>
        <translation>Ein größeres Modell auf diesem Rechner</translation>
    </message>
    <message>
        <source>A link in an answer leads to</source>
        <translation>Ein Link in einer Antwort führt zu</translation>
    </message>
    <message>
        <source>A model that would help more</source>
        <translation>Ein Modell, das mehr helfen würde</translation>
    </message>
    <message>
        <source>A network of your own</source>
        <translation>Ein eigenes Netz</translation>
    </message>
    <message>
        <source>A note for yourself.</source>
        <translation>Eine Notiz für dich.</translation>
    </message>
    <message>
        <source>A preset needs a name.</source>
        <translation>Eine Vorlage braucht einen Namen.</translation>
    </message>
    <message>
        <source>A program fills the screen.</source>
        <translation>Ein Programm füllt den Bildschirm.</translation>
    </message>
    <message>
        <source>A publisher; nobody else has looked at it</source>
        <translation>Ein Herausgeber; niemand sonst hat es sich angesehen</translation>
    </message>
    <message>
        <source>A question of yours is being answered on this machine. Wait until that is done, or stop it, and remove {model} then.</source>
        <translation>Eine deiner Fragen wird auf diesem Rechner beantwortet. Warte, bis das fertig ist, oder brich es ab, und entferne {model} dann.</translation>
    </message>
    <message>
        <source>A relay carries sealed traffic. It cannot be read here, and uses your connection.</source>
        <translation>Ein Relay trägt versiegelten Verkehr. Er ist hier nicht lesbar und nutzt deine Leitung.</translation>
    </message>
    <message>
        <source>A router with another NAT setting (often called full cone or open), or a port forwarding, makes direct links possible.</source>
        <translation>Ein Router mit anderer NAT-Einstellung (oft Full Cone oder offen genannt) oder eine Portweiterleitung macht direkte Verbindungen möglich.</translation>
    </message>
    <message numerus="yes">
        <source>A text that ends an answer has %Ln characters at most.</source>
        <translation>
            <numerusform>Ein Text, der eine Antwort beendet, hat höchstens %Ln Zeichen.</numerusform>
            <numerusform>Ein Text, der eine Antwort beendet, hat höchstens %Ln Zeichen.</numerusform>
        </translation>
    </message>
    <message>
        <source>About {speed} tokens/s here.</source>
        <translation>Etwa {speed} Tokens/s hier.</translation>
    </message>
    <message>
        <source>Above 0, words become less likely the more often they came.</source>
        <translation>Über 0 werden Wörter umso unwahrscheinlicher, je öfter sie vorkamen.</translation>
    </message>
    <message>
        <source>Above 0, words that came at all become less likely.</source>
        <translation>Über 0 werden Wörter unwahrscheinlicher, die überhaupt vorkamen.</translation>
    </message>
    <message>
        <source>Above 1, words that came before become less likely.</source>
        <translation>Über 1 werden Wörter unwahrscheinlicher, die schon vorkamen.</translation>
    </message>
    <message>
        <source>Accept and download</source>
        <translation>Annehmen und herunterladen</translation>
    </message>
    <message>
        <source>Accept and import</source>
        <translation>Annehmen und importieren</translation>
    </message>
    <message>
        <source>Ada&apos;s desktop</source>
        <translation>Adas Rechner</translation>
    </message>
    <message>
        <source>Add</source>
        <comment>a program</comment>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add the program</source>
        <translation>Das Programm hinzufügen</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>Address for other programs (OpenAI&apos;s protocol)</source>
        <translation>Adresse für andere Programme (Protokoll von OpenAI)</translation>
    </message>
    <message>
        <source>Address under which others reach this machine</source>
        <translation>Adresse, unter der andere diesen Rechner erreichen</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>All chats were deleted.</source>
        <translation>Alle Chats wurden gelöscht.</translation>
    </message>
    <message>
        <source>All chats were written anew, and nothing is lost. To delete chats, delete them in the window.</source>
        <translation>Alle Chats wurden neu geschrieben, nichts ist verloren. Um Chats zu löschen, lösche sie im Fenster.</translation>
    </message>
    <message>
        <source>All is well</source>
        <translation>Alles ist gut</translation>
    </message>
    <message>
        <source>All links go through a TURN server over TCP or TLS, which is slower.</source>
        <translation>Alle Verbindungen gehen über TCP oder TLS durch einen TURN-Server, was langsamer ist.</translation>
    </message>
    <message>
        <source>All right</source>
        <translation>In Ordnung</translation>
    </message>
    <message>
        <source>All stored chats are deleted.</source>
        <translation>Alle gespeicherten Chats sind gelöscht.</translation>
    </message>
    <message>
        <source>All stored chats with their drafts, folders and presets, for good. Models and settings stay.</source>
        <translation>Alle gespeicherten Chats mit ihren Entwürfen, Ordnern und Vorlagen, endgültig. Modelle und Einstellungen bleiben.</translation>
    </message>
    <message>
        <source>Also on metered connections</source>
        <translation>Auch über getaktete Verbindungen</translation>
    </message>
    <message>
        <source>Also the keys of this machine</source>
        <translation>Auch die Schlüssel dieses Rechners</translation>
    </message>
    <message>
        <source>Alt+Left</source>
        <comment>key</comment>
        <translation>Alt+Links</translation>
    </message>
    <message>
        <source>Alt+Left, Alt+Right</source>
        <comment>key</comment>
        <translation>Alt+Links, Alt+Rechts</translation>
    </message>
    <message>
        <source>Alt+Right</source>
        <comment>key</comment>
        <translation>Alt+Rechts</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>Immer</translation>
    </message>
    <message>
        <source>An answer is being written in this chat.</source>
        <translation>In diesem Chat wird gerade eine Antwort geschrieben.</translation>
    </message>
    <message>
        <source>An answer is being written in this chat. Wait for its end, or stop it.</source>
        <translation>In diesem Chat wird gerade eine Antwort geschrieben. Warte ihr Ende ab oder halte sie an.</translation>
    </message>
    <message>
        <source>An answer is being written to another version.</source>
        <translation>Zu einer anderen Fassung wird eine Antwort geschrieben.</translation>
    </message>
    <message>
        <source>An answer is ready</source>
        <translation>Eine Antwort ist da</translation>
    </message>
    <message>
        <source>An engine was running already and keeps its own settings, so these options have no effect: {given}. Quit GenTorrent, end that engine and start again to use them.</source>
        <translation>Eine Engine lief schon und behält ihre eigenen Einstellungen, deshalb bleiben diese Optionen ohne Wirkung: {given}. Um sie zu nutzen, beende GenTorrent und diese Engine und starte neu.</translation>
    </message>
    <message>
        <source>An examination is going on already. Wait for its end.</source>
        <translation>Eine Untersuchung läuft schon. Warte auf ihr Ende.</translation>
    </message>
    <message>
        <source>An import or a download from elsewhere was broken off. Discard it, or begin it again.</source>
        <translation>Ein Import oder ein Download von anderswo wurde abgebrochen. Verwirf ihn oder beginne ihn neu.</translation>
    </message>
    <message>
        <source>And what it knows of its networks. The engine starts anew, and this machine is a new one for everybody: its reputation and its invitations to private networks are lost, and other programs need a new token.</source>
        <translation>Und was er von seinen Netzen weiß. Die Engine startet neu, und dieser Rechner ist für alle ein neuer: Sein Ruf und seine Einladungen in private Netze gehen verloren, und andere Programme brauchen ein neues Token.</translation>
    </message>
    <message>
        <source>Another engine ({owner}) already uses the data directory {folder}. Two on one directory would damage each other&apos;s keys. Stop that one, use it instead, or choose another directory with --data.</source>
        <translation>Eine andere Engine ({owner}) benutzt den Datenordner {folder} schon. Zwei in einem Ordner würden einander die Schlüssel beschädigen. Beende jene, benutze sie stattdessen, oder wähle mit --data einen anderen Ordner.</translation>
    </message>
    <message>
        <source>Another file took the place of {name}, the file of the chats, while the engine ran.</source>
        <translation>Eine andere Datei kam an die Stelle von {name}, der Datei der Chats, während die Engine lief.</translation>
    </message>
    <message>
        <source>Another licence</source>
        <translation>Andere Lizenz</translation>
    </message>
    <message>
        <source>Another message has an attachment with this id. Take another one.</source>
        <translation>Eine andere Nachricht hat einen Anhang mit dieser Kennung. Nimm eine andere.</translation>
    </message>
    <message>
        <source>Another one if a program has this already.</source>
        <translation>Ein anderer, falls ein Programm diesen schon hat.</translation>
    </message>
    <message>
        <source>Another program is using {device}.</source>
        <translation>Ein anderes Programm benutzt {device}.</translation>
    </message>
    <message>
        <source>Another program uses the port {port}. Choose another one, or end that program.</source>
        <translation>Ein anderes Programm benutzt den Port {port}. Wähle einen anderen oder beende jenes Programm.</translation>
    </message>
    <message>
        <source>Another receipt is being handed in. Try again when that is done.</source>
        <translation>Eine andere Quittung wird gerade eingereicht. Versuche es noch einmal, wenn das fertig ist.</translation>
    </message>
    <message>
        <source>Another wording of a question is kept up to {most} characters.</source>
        <translation>Eine andere Fassung einer Frage wird bis zu {most} Zeichen lang aufbewahrt.</translation>
    </message>
    <message>
        <source>Another wording of the question</source>
        <translation>Andere Fassung der Frage</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Antwort</translation>
    </message>
    <message>
        <source>Answer by {model}</source>
        <translation>Antwort von {model}</translation>
    </message>
    <message>
        <source>Answer other people&apos;s questions</source>
        <translation>Fragen anderer beantworten</translation>
    </message>
    <message>
        <source>Answer other people&apos;s questions with this machine</source>
        <translation>Mit diesem Rechner Fragen anderer beantworten</translation>
    </message>
    <message>
        <source>Answer requests of</source>
        <translation>Anfragen beantworten von</translation>
    </message>
    <message>
        <source>Answer with a small model</source>
        <translation>Mit einem kleinen Modell antworten</translation>
    </message>
    <message>
        <source>Answered on this machine; nobody else saw it.</source>
        <translation>Auf diesem Rechner beantwortet; niemand sonst hat es gesehen.</translation>
    </message>
    <message>
        <source>Answering node</source>
        <translation>Antwortender Knoten</translation>
    </message>
    <message>
        <source>Answers are made on this machine only, and nothing leaves it.</source>
        <translation>Antworten entstehen nur auf diesem Rechner, und nichts verlässt ihn.</translation>
    </message>
    <message>
        <source>Answers others</source>
        <translation>Antwortet anderen</translation>
    </message>
    <message>
        <source>Answers to others</source>
        <translation>Antworten an andere</translation>
    </message>
    <message>
        <source>Answers under way when it pauses</source>
        <translation>Laufende Antworten beim Pausieren</translation>
    </message>
    <message>
        <source>Anybody can publish a model. Nobody but its publisher has looked at these.</source>
        <translation>Jeder kann ein Modell veröffentlichen. Diese hat sich niemand außer ihrem Herausgeber angesehen.</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>Darstellung</translation>
    </message>
    <message>
        <source>Apple&apos;s chip (Core ML)</source>
        <translation>dem Chip von Apple (Core ML)</translation>
    </message>
    <message>
        <source>Arrow keys move, Shift with them marks several hours, Space turns them on or off.</source>
        <translation>Pfeiltasten bewegen, mit der Umschalttaste markieren sie mehrere Stunden, die Leertaste schaltet sie ein oder aus.</translation>
    </message>
    <message>
        <source>As suits the model</source>
        <translation>Wie es zum Modell passt</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>Fragen</translation>
    </message>
    <message>
        <source>Ask a network&apos;s operator for an invitation or its address and join on the page Network (--bootstrap URL#NETWORKID), or host a network of your own.</source>
        <translation>Bitte den Betreiber eines Netzes um eine Einladung oder die Adresse und tritt auf der Seite Netz bei (--bootstrap URL#NETWORKID), oder betreib ein eigenes Netz.</translation>
    </message>
    <message>
        <source>Ask a question</source>
        <translation>Stell eine Frage</translation>
    </message>
    <message>
        <source>Ask a smaller model: {model}</source>
        <translation>Ein kleineres Modell fragen: {model}</translation>
    </message>
    <message>
        <source>Ask again; this answer stays as a version</source>
        <translation>Noch einmal fragen; diese Antwort bleibt als Fassung erhalten</translation>
    </message>
    <message>
        <source>Ask questions</source>
        <translation>Fragen stellen</translation>
    </message>
    <message>
        <source>Ask the last question again</source>
        <translation>Letzte Frage noch einmal stellen</translation>
    </message>
    <message>
        <source>Ask the model hub</source>
        <translation>Den Modell-Hub fragen</translation>
    </message>
    <message>
        <source>Ask the network</source>
        <translation>Das Netz fragen</translation>
    </message>
    <message>
        <source>Ask the network&apos;s operator to run a TURN server (operator guide).</source>
        <translation>Bitte den Betreiber des Netzes, einen TURN-Server zu betreiben (Operator Guide).</translation>
    </message>
    <message>
        <source>Ask the operator for the current address.</source>
        <translation>Bitte den Betreiber um die aktuelle Adresse.</translation>
    </message>
    <message>
        <source>Ask the operator. Behind a company&apos;s inspecting proxy its certificate must be installed in this system.</source>
        <translation>Frag den Betreiber. Hinter einem mitlesenden Proxy einer Firma muss dessen Zertifikat in diesem System installiert sein.</translation>
    </message>
    <message>
        <source>Ask this question again</source>
        <translation>Diese Frage noch einmal stellen</translation>
    </message>
    <message>
        <source>Ask this unreviewed model all the same</source>
        <translation>Dieses ungeprüfte Modell trotzdem fragen</translation>
    </message>
    <message>
        <source>Ask this wording</source>
        <translation>Diese Fassung fragen</translation>
    </message>
    <message numerus="yes">
        <source>Ask without the %Ln oldest message(s)</source>
        <translation>
            <numerusform>Ohne die %Ln älteste Nachricht fragen</numerusform>
            <numerusform>Ohne die %Ln ältesten Nachrichten fragen</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask {model} on the network</source>
        <translation>{model} im Netz fragen</translation>
    </message>
    <message>
        <source>Ask {model} on this machine</source>
        <translation>{model} auf diesem Rechner fragen</translation>
    </message>
    <message>
        <source>Ask {model}, which holds {tokens} tokens</source>
        <translation>{model} fragen, das {tokens} Token fasst</translation>
    </message>
    <message>
        <source>Ask: {question}</source>
        <translation>Fragen: {question}</translation>
    </message>
    <message>
        <source>Asked again after {seconds} s</source>
        <translation>Wird nach {seconds} s noch einmal gefragt</translation>
    </message>
    <message>
        <source>Asking STUN and TURN servers</source>
        <translation>STUN- und TURN-Server werden gefragt</translation>
    </message>
    <message>
        <source>Asking the engine how it is</source>
        <translation>Die Engine wird nach ihrem Zustand gefragt</translation>
    </message>
    <message>
        <source>Asking the model hub</source>
        <translation>Der Modell-Hub wird gefragt</translation>
    </message>
    <message numerus="yes">
        <source>At most %Ln texts can end an answer.</source>
        <translation>
            <numerusform>Höchstens %Ln Text kann eine Antwort beenden.</numerusform>
            <numerusform>Höchstens %Ln Texte können eine Antwort beenden.</numerusform>
        </translation>
    </message>
    <message>
        <source>At most so fast</source>
        <translation>Höchstens so schnell</translation>
    </message>
    <message>
        <source>At most so fast, over ten seconds. Passing on has its own limit.</source>
        <translation>Höchstens so schnell, über zehn Sekunden. Das Weiterleiten hat seine eigene Grenze.</translation>
    </message>
    <message>
        <source>At most so many threads.</source>
        <translation>Höchstens so viele Threads.</translation>
    </message>
    <message>
        <source>At most so many threads. The engine starts anew with it as soon as no answer is being written.</source>
        <translation>Höchstens so viele Threads. Die Engine fängt damit neu an, sobald keine Antwort geschrieben wird.</translation>
    </message>
    <message>
        <source>At most so much in a month</source>
        <translation>Höchstens so viel im Monat</translation>
    </message>
    <message>
        <source>At most so much of your connection.</source>
        <translation>Höchstens so viel von deiner Leitung.</translation>
    </message>
    <message>
        <source>Attach text files</source>
        <translation>Textdateien anhängen</translation>
    </message>
    <message>
        <source>Attached file {name}, {about}</source>
        <translation>Angehängte Datei {name}, {about}</translation>
    </message>
    <message>
        <source>Attached: {name}</source>
        <translation>Angehängt: {name}</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>Back to what suits the model</source>
        <translation>Zurück zu dem, was zum Modell passt</translation>
    </message>
    <message>
        <source>Badge</source>
        <translation>Siegel</translation>
    </message>
    <message>
        <source>Bandwidth could not be measured: {error}.</source>
        <translation>Die Bandbreite war nicht zu messen: {error}.</translation>
    </message>
    <message>
        <source>Bandwidth for traffic of others</source>
        <translation>Bandbreite für Verkehr anderer</translation>
    </message>
    <message>
        <source>Before the download</source>
        <translation>Vor dem Download</translation>
    </message>
    <message>
        <source>Before the import</source>
        <translation>Vor dem Import</translation>
    </message>
    <message>
        <source>Begin a new line</source>
        <translation>Neue Zeile beginnen</translation>
    </message>
    <message>
        <source>Begin new chats like this one</source>
        <translation>Neue Chats wie diesen beginnen</translation>
    </message>
    <message>
        <source>Begins</source>
        <translation>Beginnt</translation>
    </message>
    <message>
        <source>Being kept</source>
        <translation>Wird gesichert</translation>
    </message>
    <message>
        <source>Being read</source>
        <translation>Wird gelesen</translation>
    </message>
    <message>
        <source>Best for this machine</source>
        <translation>Das beste für diesen Rechner</translation>
    </message>
    <message>
        <source>Blocked here: links go through TCP</source>
        <translation>Hier gesperrt: Verbindungen laufen über TCP</translation>
    </message>
    <message>
        <source>Bootstrap server</source>
        <translation>Bootstrap-Server</translation>
    </message>
    <message>
        <source>Bootstrap servers introduce machines to each other; STUN and TURN help them through routers.</source>
        <translation>Bootstrap-Server machen Rechner miteinander bekannt; STUN- und TURN-Server helfen ihnen durch Router.</translation>
    </message>
    <message>
        <source>Built-in model</source>
        <translation>Eingebautes Modell</translation>
    </message>
    <message>
        <source>Called</source>
        <translation>Heißt</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Cannot be used</source>
        <translation>Nicht benutzbar</translation>
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
        <source>Chat settings</source>
        <translation>Chat-Einstellungen</translation>
    </message>
    <message>
        <source>Chats</source>
        <translation>Chats</translation>
    </message>
    <message>
        <source>Chats cannot be saved: another program holds the chat database. Close it.</source>
        <translation>Chats können nicht gesichert werden: Ein anderes Programm hält die Chat-Datenbank. Schließe es.</translation>
    </message>
    <message>
        <source>Chats cannot be saved: the data directory cannot be written. Look at its owner and disk.</source>
        <translation>Chats können nicht gesichert werden: In das Datenverzeichnis kann nicht geschrieben werden. Sieh nach seinem Besitzer und der Platte.</translation>
    </message>
    <message>
        <source>Chats cannot be saved: the disk is full. Free some space.</source>
        <translation>Chats können nicht gesichert werden: Die Platte ist voll. Schaffe Platz.</translation>
    </message>
    <message>
        <source>Check now</source>
        <translation>Jetzt prüfen</translation>
    </message>
    <message>
        <source>Check the address and whether other sites open. If they do, the server is down: ask its operator.</source>
        <translation>Prüf die Adresse und ob andere Seiten sich öffnen. Wenn ja, läuft der Server nicht: Frag seinen Betreiber.</translation>
    </message>
    <message>
        <source>Check the connection</source>
        <translation>Die Verbindung prüfen</translation>
    </message>
    <message>
        <source>Checking the model</source>
        <translation>Das Modell wird geprüft</translation>
    </message>
    <message>
        <source>Checking the receipt</source>
        <translation>Die Quittung wird geprüft</translation>
    </message>
    <message>
        <source>Checking what has arrived</source>
        <translation>Was angekommen ist, wird geprüft</translation>
    </message>
    <message>
        <source>Checks of other machines</source>
        <translation>Prüfung anderer Rechner</translation>
    </message>
    <message>
        <source>Choose the folder of the model</source>
        <translation>Den Ordner des Modells auswählen</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Auswählen …</translation>
    </message>
    <message>
        <source>Choosing anonymous paths</source>
        <translation>Anonyme Pfade werden gewählt</translation>
    </message>
    <message>
        <source>Click here to read it.</source>
        <translation>Klicke hier, um sie zu lesen.</translation>
    </message>
    <message>
        <source>Click here to see why, and to ask again.</source>
        <translation>Klicke hier, um den Grund zu sehen und nochmal zu fragen.</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close the chat settings</source>
        <translation>Chat-Einstellungen schließen</translation>
    </message>
    <message>
        <source>Close the window</source>
        <translation>Fenster schließen</translation>
    </message>
    <message>
        <source>Closing the window</source>
        <translation>Schließen des Fensters</translation>
    </message>
    <message>
        <source>Comes with the program</source>
        <translation>Gehört zum Programm</translation>
    </message>
    <message>
        <source>Commit or version</source>
        <translation>Commit oder Version</translation>
    </message>
    <message>
        <source>Computes on</source>
        <translation>Rechnet auf</translation>
    </message>
    <message>
        <source>Connected</source>
        <translation>Verbunden</translation>
    </message>
    <message>
        <source>Connected, weaker than it should be</source>
        <translation>Verbunden, schwächer als vorgesehen</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>Verbindung</translation>
    </message>
    <message>
        <source>Consider --no-relay, or a connection by cable.</source>
        <translation>Schalte das Weiterleiten für andere ab (--no-relay), oder nimm eine Verbindung per Kabel.</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>Contribute</source>
        <translation>Beitragen</translation>
    </message>
    <message>
        <source>Contribute at: {hours}</source>
        <translation>Beitragen: {hours}</translation>
    </message>
    <message>
        <source>Contribute: answer other people&apos;s questions on this machine</source>
        <translation>Beitragen: auf diesem Rechner Fragen anderer beantworten</translation>
    </message>
    <message>
        <source>Contributing goes on.</source>
        <translation>Das Beitragen geht weiter.</translation>
    </message>
    <message>
        <source>Contributing has stopped</source>
        <translation>Beitragen hat aufgehört</translation>
    </message>
    <message>
        <source>Contributing is not possible: {reason}</source>
        <translation>Beitragen ist nicht möglich: {reason}</translation>
    </message>
    <message>
        <source>Contributing is paused</source>
        <translation>Beitragen pausiert</translation>
    </message>
    <message>
        <source>Contributing is paused: {reason}</source>
        <translation>Beitragen pausiert: {reason}</translation>
    </message>
    <message>
        <source>Contributing pauses or becomes impossible, with the reason.</source>
        <translation>Beitragen pausiert oder wird unmöglich, mit dem Grund.</translation>
    </message>
    <message>
        <source>Contributing stops by itself</source>
        <translation>Beitragen hört von selbst auf</translation>
    </message>
    <message>
        <source>Contributing {model} from now on: {reason}</source>
        <translation>Ab jetzt wird {model} beigetragen: {reason}</translation>
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
        <source>Copy the ids</source>
        <translation>Kennungen kopieren</translation>
    </message>
    <message>
        <source>Copy the question</source>
        <translation>Frage kopieren</translation>
    </message>
    <message>
        <source>Copy the report</source>
        <translation>Bericht kopieren</translation>
    </message>
    <message>
        <source>Copy the selection</source>
        <translation>Auswahl kopieren</translation>
    </message>
    <message>
        <source>Copy the text</source>
        <translation>Text kopieren</translation>
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
        <source>Copy: {name}</source>
        <translation>Kopieren: {name}</translation>
    </message>
    <message>
        <source>Copying</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copying: {done} of {total}</source>
        <translation>Wird kopiert: {done} von {total}</translation>
    </message>
    <message>
        <source>Could not {action} {path}: the disk is full. Nothing was changed. Free some space.</source>
        <translation>{path} ließ sich nicht {action}: Die Platte ist voll. Nichts wurde geändert. Schaff etwas Platz.</translation>
    </message>
    <message>
        <source>Could not {action} {path}: this user may not ({error}). Change the owner of the folder, or choose another one with --data.</source>
        <translation>{path} ließ sich nicht {action}: Dieser Benutzer darf das nicht ({error}). Ändere den Besitzer des Ordners, oder wähle mit --data einen anderen.</translation>
    </message>
    <message>
        <source>Could not {action} {path}: {error}. Check the disk and try again.</source>
        <translation>{path} ließ sich nicht {action}: {error}. Prüf die Platte und versuch es noch einmal.</translation>
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
        <source>Counted by the model&apos;s own tokenizer.</source>
        <translation>Vom Tokenizer des Modells gezählt.</translation>
    </message>
    <message>
        <source>Ctrl+,</source>
        <comment>key</comment>
        <translation>Strg+,</translation>
    </message>
    <message>
        <source>Ctrl+1 to Ctrl+5</source>
        <comment>key</comment>
        <translation>Strg+1 bis Strg+5</translation>
    </message>
    <message>
        <source>Ctrl+B</source>
        <comment>key</comment>
        <translation>Strg+B</translation>
    </message>
    <message>
        <source>Ctrl+E</source>
        <comment>key</comment>
        <translation>Strg+E</translation>
    </message>
    <message>
        <source>Ctrl+F</source>
        <comment>key</comment>
        <translation>Strg+F</translation>
    </message>
    <message>
        <source>Ctrl+I</source>
        <comment>key</comment>
        <translation>Strg+I</translation>
    </message>
    <message>
        <source>Ctrl+L</source>
        <comment>key</comment>
        <translation>Strg+L</translation>
    </message>
    <message>
        <source>Ctrl+M</source>
        <comment>key</comment>
        <translation>Strg+M</translation>
    </message>
    <message>
        <source>Ctrl+N</source>
        <comment>key</comment>
        <translation>Strg+N</translation>
    </message>
    <message>
        <source>Ctrl+O</source>
        <comment>key</comment>
        <translation>Strg+O</translation>
    </message>
    <message>
        <source>Ctrl+Q</source>
        <comment>key</comment>
        <translation>Strg+Q</translation>
    </message>
    <message>
        <source>Ctrl+R</source>
        <comment>key</comment>
        <translation>Strg+R</translation>
    </message>
    <message>
        <source>Ctrl+Shift+N</source>
        <comment>key</comment>
        <translation>Strg+Umschalt+N</translation>
    </message>
    <message>
        <source>Ctrl+W</source>
        <comment>key</comment>
        <translation>Strg+W</translation>
    </message>
    <message>
        <source>Ctrl+{number}</source>
        <translation>Strg+{number}</translation>
    </message>
    <message>
        <source>Currency</source>
        <translation>Währung</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>Daten</translation>
    </message>
    <message>
        <source>Data directory</source>
        <translation>Datenordner</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>Tage</translation>
    </message>
    <message>
        <source>Default</source>
        <comment>preset</comment>
        <translation>Standard</translation>
    </message>
    <message>
        <source>Del</source>
        <comment>key</comment>
        <translation>Entf</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Delete all my data</source>
        <translation>Alle meine Daten löschen</translation>
    </message>
    <message>
        <source>Delete all my data?</source>
        <translation>Alle meine Daten löschen?</translation>
    </message>
    <message>
        <source>Delete everything</source>
        <translation>Alles löschen</translation>
    </message>
    <message>
        <source>Delete the answer</source>
        <translation>Antwort löschen</translation>
    </message>
    <message>
        <source>Delete the answer with all that follows it</source>
        <translation>Die Antwort mit allem löschen, was auf sie folgt</translation>
    </message>
    <message>
        <source>Delete the chat in the list</source>
        <translation>Den Chat in der Liste löschen</translation>
    </message>
    <message>
        <source>Delete the folder, keep its chats</source>
        <translation>Ordner löschen, Chats behalten</translation>
    </message>
    <message>
        <source>Delete the question</source>
        <translation>Frage löschen</translation>
    </message>
    <message>
        <source>Delete the question with all that follows it</source>
        <translation>Die Frage mit allem löschen, was auf sie folgt</translation>
    </message>
    <message>
        <source>Delete {model} from this machine?</source>
        <translation>{model} von diesem Rechner löschen?</translation>
    </message>
    <message>
        <source>Delete “{name}”</source>
        <translation>„{name}“ löschen</translation>
    </message>
    <message>
        <source>Deleted are all chats that this machine keeps, with drafts, attached files, receipts, folders and presets, also in what was kept of damaged databases. Answers that are being written are stopped.

What stays: models, these settings, logs (which hold no chats), files that you exported, and copies in backups of yours. Questions and answers that went over the network are with whoever answered.

This cannot be undone.</source>
        <translation>Gelöscht werden alle Chats, die dieser Rechner aufbewahrt, mit Entwürfen, angehängten Dateien, Quittungen, Ordnern und Vorlagen, auch in dem, was von beschädigten Datenbanken aufgehoben wurde. Laufende Antworten werden angehalten.

Es bleiben: Modelle, diese Einstellungen, Protokolle (in denen keine Chats stehen), Dateien, die du exportiert hast, und Kopien in deinen Sicherungen. Fragen und Antworten, die über das Netz gingen, liegen bei denen, die geantwortet haben.

Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
        <source>Deleted. {size} are free again.</source>
        <translation>Gelöscht. {size} sind wieder frei.</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Löschen …</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Details</translation>
    </message>
    <message>
        <source>Details: {model}</source>
        <translation>Details: {model}</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>Geräte</translation>
    </message>
    <message>
        <source>Diagnostics</source>
        <translation>Diagnose</translation>
    </message>
    <message>
        <source>Did you mean &quot;{name}&quot;?</source>
        <translation>Meintest du „{name}“?</translation>
    </message>
    <message>
        <source>Digest</source>
        <translation>Digest</translation>
    </message>
    <message>
        <source>Digest of its vocabulary</source>
        <translation>Digest des Vokabulars</translation>
    </message>
    <message>
        <source>Direct: no relays. The machine that answered saw this machine&apos;s address.</source>
        <translation>Direkt: keine Relays. Der Rechner, der geantwortet hat, sah die Adresse dieses Rechners.</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Discard the download of {model}?</source>
        <translation>Den Download von {model} verwerfen?</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Festplatte</translation>
    </message>
    <message>
        <source>Disk for models</source>
        <translation>Festplatte für Modelle</translation>
    </message>
    <message>
        <source>Do what the reason says (gentorrent identity tells and changes under which identity this machine relays), or start the engine with --no-relay.</source>
        <translation>Tu, was der Grund sagt (gentorrent identity zeigt und ändert, unter welcher Identität dieser Rechner weiterleitet), oder starte die Engine mit --no-relay.</translation>
    </message>
    <message>
        <source>Do what the reason says, or tell the operator.</source>
        <translation>Tu, was der Grund sagt, oder sag es dem Betreiber.</translation>
    </message>
    <message>
        <source>Do what the reason says.</source>
        <translation>Tu, was der Grund sagt.</translation>
    </message>
    <message>
        <source>Does not fit</source>
        <translation>Passt nicht</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
    <message>
        <source>Download of {model}</source>
        <translation>Download von {model}</translation>
    </message>
    <message>
        <source>Download {model}?</source>
        <translation>{model} herunterladen?</translation>
    </message>
    <message>
        <source>Downloading</source>
        <translation>Wird heruntergeladen</translation>
    </message>
    <message>
        <source>Drag over the hours, or click a day. Outside of them this machine does nothing for others.</source>
        <translation>Ziehe über die Stunden oder klicke auf einen Tag. Außerhalb davon tut dieser Rechner nichts für andere.</translation>
    </message>
    <message>
        <source>Each path</source>
        <translation>Jeder Pfad</translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation>Früher</translation>
    </message>
    <message>
        <source>Edit the last question</source>
        <translation>Letzte Frage bearbeiten</translation>
    </message>
    <message>
        <source>Edit the question</source>
        <translation>Frage bearbeiten</translation>
    </message>
    <message>
        <source>Edit the question; this version and its answers stay</source>
        <translation>Frage bearbeiten; diese Fassung und ihre Antworten bleiben erhalten</translation>
    </message>
    <message>
        <source>Either its operator uses a certificate of his own, or somebody on the way reads along.</source>
        <translation>Entweder benutzt sein Betreiber ein eigenes Zertifikat, oder jemand auf dem Weg liest mit.</translation>
    </message>
    <message>
        <source>Electricity</source>
        <translation>Strom</translation>
    </message>
    <message>
        <source>Else ask the operator for a TURN server.</source>
        <translation>Sonst bitte den Betreiber um einen TURN-Server.</translation>
    </message>
    <message>
        <source>End the search</source>
        <translation>Die Suche beenden</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Engine</translation>
    </message>
    <message>
        <source>Enough to ask; too little to relay well for others.</source>
        <translation>Genug zum Fragen; zu wenig, um gut für andere weiterzuleiten.</translation>
    </message>
    <message>
        <source>Enter</source>
        <comment>key</comment>
        <translation>Eingabetaste</translation>
    </message>
    <message>
        <source>Enter asks, Escape leaves the question as it was.</source>
        <translation>Die Eingabetaste fragt, Escape lässt die Frage, wie sie war.</translation>
    </message>
    <message>
        <source>Enter opens a chat, F2 renames it, Delete deletes it, Ctrl+M moves it to a folder.</source>
        <translation>Enter öffnet einen Chat, F2 benennt ihn um, Entf löscht ihn, Strg+M verschiebt ihn in einen Ordner.</translation>
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
        <source>Estimated from the length of the text: the model&apos;s tokenizer is not loaded on this machine.</source>
        <translation>Aus der Länge des Textes geschätzt: Der Tokenizer des Modells ist auf diesem Rechner nicht geladen.</translation>
    </message>
    <message>
        <source>Every machine that serves {model} was found not to serve what it claims. Choose another model.</source>
        <translation>Von jedem Rechner, der {model} anbietet, hat sich gezeigt, dass er etwas anderes ausführt. Wähle ein anderes Modell.</translation>
    </message>
    <message>
        <source>Everybody who has the address</source>
        <translation>Alle, die die Adresse haben</translation>
    </message>
    <message>
        <source>Everyone</source>
        <translation>Allen</translation>
    </message>
    <message>
        <source>Everyone else</source>
        <translation>Alle anderen</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>Überall</translation>
    </message>
    <message>
        <source>Everywhere, under an address</source>
        <translation>Überall, unter einer Adresse</translation>
    </message>
    <message>
        <source>Expel</source>
        <translation>Ausschließen</translation>
    </message>
    <message>
        <source>Export as JSON…</source>
        <translation>Als JSON exportieren…</translation>
    </message>
    <message>
        <source>Export as Markdown…</source>
        <translation>Als Markdown exportieren…</translation>
    </message>
    <message>
        <source>Export as PDF…</source>
        <translation>Als PDF exportieren…</translation>
    </message>
    <message>
        <source>Export the chat</source>
        <translation>Den Chat exportieren</translation>
    </message>
    <message>
        <source>F1</source>
        <comment>key</comment>
        <translation>F1</translation>
    </message>
    <message>
        <source>F2</source>
        <comment>key</comment>
        <translation>F2</translation>
    </message>
    <message>
        <source>F3</source>
        <comment>key</comment>
        <translation>F3</translation>
    </message>
    <message>
        <source>F3, Shift+F3</source>
        <comment>key</comment>
        <translation>F3, Umschalt+F3</translation>
    </message>
    <message>
        <source>Fetch</source>
        <translation>Holen</translation>
    </message>
    <message>
        <source>Fewer parameters</source>
        <translation>Weniger Parameter</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Find a model</source>
        <translation>Modell finden</translation>
    </message>
    <message>
        <source>Fingerprint</source>
        <translation>Fingerabdruck</translation>
    </message>
    <message>
        <source>Fingerprint of {name}</source>
        <translation>Fingerabdruck von {name}</translation>
    </message>
    <message>
        <source>Finish, then pause</source>
        <translation>Beenden, dann pausieren</translation>
    </message>
    <message>
        <source>Finishing</source>
        <translation>Wird abgeschlossen</translation>
    </message>
    <message>
        <source>Finishing…</source>
        <translation>Wird beendet …</translation>
    </message>
    <message>
        <source>Fits</source>
        <translation>Passt</translation>
    </message>
    <message>
        <source>Fits this machine</source>
        <translation>Passt auf diesen Rechner</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Folder deleted, its chats are kept</source>
        <translation>Ordner gelöscht, seine Chats bleiben</translation>
    </message>
    <message>
        <source>Folder of the model</source>
        <translation>Ordner des Modells</translation>
    </message>
    <message numerus="yes">
        <source>Folder {name}, %Ln chat(s), {state}</source>
        <translation>
            <numerusform>Ordner {name}, %Ln Chat, {state}</numerusform>
            <numerusform>Ordner {name}, %Ln Chats, {state}</numerusform>
        </translation>
    </message>
    <message>
        <source>Follow what is said about UDP, the router and TURN; if all of that is good, a local firewall may block this program. Where few relays are listed they may just have left: run this again in a minute.</source>
        <translation>Folge dem, was über UDP, den Router und TURN gesagt ist; ist das alles gut, sperrt vielleicht eine Firewall auf diesem Rechner das Programm. Wo wenige Relays verzeichnet sind, können sie gerade gegangen sein: Versuch es in einer Minute noch einmal.</translation>
    </message>
    <message>
        <source>For an invitation that is good for this machine alone, its operator needs the two ids of it.</source>
        <translation>Für eine Einladung, die nur für diesen Rechner gilt, braucht ihr Betreiber dessen zwei Kennungen.</translation>
    </message>
    <message>
        <source>For everything that is done for others.</source>
        <translation>Für alles, was für andere getan wird.</translation>
    </message>
    <message>
        <source>For example: answer in short sentences, for a ten-year-old.</source>
        <translation>Zum Beispiel: Antworte in kurzen Sätzen, für ein zehnjähriges Kind.</translation>
    </message>
    <message>
        <source>For one engine, to be used until {when}. Pass it on over a way that nobody else reads: who has it first joins. It is shown this once.</source>
        <translation>Für eine Engine, einzulösen bis {when}. Gib sie auf einem Weg weiter, den sonst niemand mitliest: Wer sie zuerst hat, tritt bei. Sie wird nur dieses eine Mal gezeigt.</translation>
    </message>
    <message>
        <source>For the machine</source>
        <translation>Für den Rechner</translation>
    </message>
    <message>
        <source>For trying out, with further engines on this machine.</source>
        <translation>Zum Ausprobieren, mit weiteren Engines auf diesem Rechner.</translation>
    </message>
    <message>
        <source>For who helps you: without addresses, ids, keys and names.</source>
        <translation>Für alle, die dir helfen: ohne Adressen, Kennungen, Schlüssel und Namen.</translation>
    </message>
    <message>
        <source>For whom</source>
        <translation>Für wen</translation>
    </message>
    <message>
        <source>Found here: {hardware}</source>
        <translation>Hier gefunden: {hardware}</translation>
    </message>
    <message>
        <source>Found in this chat</source>
        <translation>In diesem Chat gefunden</translation>
    </message>
    <message>
        <source>Found on the model hub, where everybody can upload. Nobody has looked at these for you.</source>
        <translation>Gefunden auf dem Modell-Hub, wo jeder hochladen kann. Niemand hat sich diese für dich angesehen.</translation>
    </message>
    <message>
        <source>Found: {words}</source>
        <translation>Gefunden: {words}</translation>
    </message>
    <message>
        <source>Frequency penalty</source>
        <translation>Häufigkeitsstrafe</translation>
    </message>
    <message>
        <source>Friends, a club or a lab share their models among themselves. This machine introduces them.</source>
        <translation>Freunde, ein Verein oder ein Labor teilen ihre Modelle unter sich. Dieser Rechner macht sie miteinander bekannt.</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Von</translation>
    </message>
    <message>
        <source>From outside it is seen as {address}.</source>
        <translation>Von außen ist er als {address} zu sehen.</translation>
    </message>
    <message>
        <source>From publishers</source>
        <translation>Von Herausgebern</translation>
    </message>
    <message>
        <source>From where</source>
        <translation>Von wo</translation>
    </message>
    <message>
        <source>Further servers</source>
        <translation>Weitere Server</translation>
    </message>
    <message>
        <source>GB</source>
        <translation>GB</translation>
    </message>
    <message>
        <source>Games, films, presentations.</source>
        <translation>Spiele, Filme, Präsentationen.</translation>
    </message>
    <message>
        <source>GenTorrent: contributing</source>
        <translation>GenTorrent: trägt bei</translation>
    </message>
    <message>
        <source>GenTorrent: {state}</source>
        <translation>GenTorrent: {state}</translation>
    </message>
    <message>
        <source>Give the preset a name.</source>
        <translation>Gib der Vorlage einen Namen.</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Go on now</source>
        <translation>Jetzt weitermachen</translation>
    </message>
    <message>
        <source>Go to the next control</source>
        <translation>Zum nächsten Bedienelement</translation>
    </message>
    <message>
        <source>Go without relays, as you accepted</source>
        <translation>Gehen ohne Relays, wie du es zugelassen hast</translation>
    </message>
    <message>
        <source>Goes on at {time}.</source>
        <translation>Weiter um {time}.</translation>
    </message>
    <message>
        <source>Goes on when the machine is plugged in.</source>
        <translation>Geht weiter, sobald der Rechner am Netz hängt.</translation>
    </message>
    <message>
        <source>Group member {node}</source>
        <translation>Gruppenmitglied {node}</translation>
    </message>
    <message>
        <source>Guards</source>
        <translation>Guards</translation>
    </message>
    <message>
        <source>HF_HUB_OFFLINE is set, so no hub is asked. Unset it to download models.</source>
        <translation>HF_HUB_OFFLINE ist gesetzt, deshalb wird kein Hub gefragt. Lösche die Variable, um Modelle herunterzuladen.</translation>
    </message>
    <message>
        <source>Hand in receipts of a few answers?</source>
        <translation>Quittungen einiger Antworten einreichen?</translation>
    </message>
    <message>
        <source>Hand in the receipt</source>
        <translation>Quittung einreichen</translation>
    </message>
    <message>
        <source>Hand over</source>
        <translation>Übergeben</translation>
    </message>
    <message numerus="yes">
        <source>Handed in. %Ln machine(s) that signed may be checked sooner; nothing else follows from it.</source>
        <translation>
            <numerusform>Eingereicht. %Ln Rechner, der unterschrieben hat, wird vielleicht eher geprüft; sonst folgt nichts daraus.</numerusform>
            <numerusform>Eingereicht. %Ln Rechner, die unterschrieben haben, werden vielleicht eher geprüft; sonst folgt nichts daraus.</numerusform>
        </translation>
    </message>
    <message>
        <source>Have the machine checked?</source>
        <translation>Den Rechner prüfen lassen?</translation>
    </message>
    <message>
        <source>Have the machine checked…</source>
        <translation>Rechner prüfen lassen…</translation>
    </message>
    <message>
        <source>Hidden from neighbours: all links go through the TURN server</source>
        <translation>Vor Nachbarn verborgen: Alle Verbindungen laufen über den TURN-Server</translation>
    </message>
    <message>
        <source>Hide the list of chats</source>
        <translation>Die Liste der Chats ausblenden</translation>
    </message>
    <message>
        <source>Host this network</source>
        <translation>Dieses Netz betreiben</translation>
    </message>
    <message>
        <source>Host this network while the engine runs</source>
        <translation>Dieses Netz betreiben, solange die Engine läuft</translation>
    </message>
    <message>
        <source>Hours</source>
        <translation>Stunden</translation>
    </message>
    <message>
        <source>Hours</source>
        <comment>of a day</comment>
        <translation>Stunden</translation>
    </message>
    <message>
        <source>Hours of the week in which this machine contributes</source>
        <translation>Stunden der Woche, in denen dieser Rechner beiträgt</translation>
    </message>
    <message>
        <source>How far the check is</source>
        <translation>Wie weit die Prüfung ist</translation>
    </message>
    <message>
        <source>How freely words are chosen. 0 always takes the likeliest one.</source>
        <translation>Wie frei Wörter gewählt werden. 0 nimmt immer das wahrscheinlichste.</translation>
    </message>
    <message>
        <source>How long they have to rest</source>
        <translation>Wie lange sie ruhen müssen</translation>
    </message>
    <message>
        <source>How much they have to need</source>
        <translation>Wie viel sie brauchen müssen</translation>
    </message>
    <message>
        <source>How this machine is connected</source>
        <translation>Wie dieser Rechner verbunden ist</translation>
    </message>
    <message>
        <source>How this machine is connected with the others.</source>
        <translation>Wie dieser Rechner mit den anderen verbunden ist.</translation>
    </message>
    <message>
        <source>How to join</source>
        <translation>So trittst du bei</translation>
    </message>
    <message>
        <source>If everything else here is good, restart the engine and run this again.</source>
        <translation>Ist alles andere hier gut, starte die Engine neu und versuch es noch einmal.</translation>
    </message>
    <message>
        <source>If the firewall is yours, allow outgoing UDP.</source>
        <translation>Wenn die Firewall deine ist, erlaub ausgehendes UDP.</translation>
    </message>
    <message>
        <source>Image: {words}</source>
        <translation>Bild: {words}</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importieren</translation>
    </message>
    <message>
        <source>Import a model</source>
        <translation>Ein Modell importieren</translation>
    </message>
    <message>
        <source>Import {model}?</source>
        <translation>{model} importieren?</translation>
    </message>
    <message>
        <source>In a file that is not encrypted</source>
        <translation>In einer unverschlüsselten Datei</translation>
    </message>
    <message>
        <source>In an encrypted file</source>
        <translation>In einer verschlüsselten Datei</translation>
    </message>
    <message>
        <source>In letters it reads {letters}</source>
        <translation>In Buchstaben: {letters}</translation>
    </message>
    <message>
        <source>In memory</source>
        <translation>Im Speicher</translation>
    </message>
    <message>
        <source>In no network</source>
        <translation>In keinem Netz</translation>
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
        <source>In the system&apos;s keyring</source>
        <translation>Im Schlüsselbund des Systems</translation>
    </message>
    <message>
        <source>In this network no invitation begins with &apos;{invitation}&apos;.</source>
        <translation>In diesem Netz beginnt keine Einladung mit „{invitation}“.</translation>
    </message>
    <message>
        <source>In this network {count} invitations begin with &apos;{invitation}&apos;. Give more of its id.</source>
        <translation>In diesem Netz beginnen {count} Einladungen mit „{invitation}“. Gib mehr von ihrer Kennung an.</translation>
    </message>
    <message>
        <source>Invitation or address of a network</source>
        <translation>Einladung oder Adresse eines Netzes</translation>
    </message>
    <message>
        <source>Invitation {id}</source>
        <translation>Einladung {id}</translation>
    </message>
    <message>
        <source>Invitations</source>
        <translation>Einladungen</translation>
    </message>
    <message>
        <source>Invite somebody</source>
        <translation>Jemanden einladen</translation>
    </message>
    <message>
        <source>It admits one engine, once.</source>
        <translation>Sie lässt eine Engine ein, einmal.</translation>
    </message>
    <message>
        <source>It begins as soon as this machine is in a network.</source>
        <translation>Es beginnt, sobald dieser Rechner in einem Netz ist.</translation>
    </message>
    <message>
        <source>It cannot be told in which encoding {name} is written. Save it as UTF-8 and attach it again.</source>
        <translation>Es lässt sich nicht erkennen, in welcher Zeichenkodierung {name} geschrieben ist. Speichere die Datei als UTF-8 und hänge sie noch einmal an.</translation>
    </message>
    <message>
        <source>It could not be read: {problem}</source>
        <translation>Es ließ sich nicht lesen: {problem}</translation>
    </message>
    <message>
        <source>It does not answer any more: it was removed, or its driver has lost it.</source>
        <translation>Es antwortet nicht mehr: entfernt, oder vom Treiber verloren.</translation>
    </message>
    <message>
        <source>It does that now.</source>
        <translation>Das tut er jetzt.</translation>
    </message>
    <message>
        <source>It has {links} links and {paths} of {wanted} paths.</source>
        <translation>Sie hat {links} Verbindungen und {paths} von {wanted} Pfaden.</translation>
    </message>
    <message>
        <source>It is expected to write about {rate} tokens a second here.</source>
        <translation>Erwartet werden hier etwa {rate} Tokens in der Sekunde.</translation>
    </message>
    <message>
        <source>It is full. {overflow}</source>
        <translation>Er ist voll. {overflow}</translation>
    </message>
    <message>
        <source>It is on this machine. Choose it above a chat.</source>
        <translation>Es ist auf diesem Rechner. Wähle es über einem Chat.</translation>
    </message>
    <message>
        <source>It is switched off for contributing.</source>
        <translation>Das Beitragen ist hier abgeschaltet.</translation>
    </message>
    <message>
        <source>It is too late to restore this: the chat was removed for good, or never was.</source>
        <translation>Dafür ist es zu spät: Der Chat wurde endgültig entfernt, oder es gab ihn nie.</translation>
    </message>
    <message>
        <source>It is used because {servers}, which should be first, does not answer.</source>
        <translation>Er wird benutzt, weil {servers}, eigentlich der erste, nicht antwortet.</translation>
    </message>
    <message>
        <source>It needs {needed} GB with its caches and what is loaded beside it, and of {device} {most} GB may be used. Allow more, or choose a smaller model.</source>
        <translation>Es braucht {needed} GB mit seinen Zwischenspeichern und dem, was daneben geladen ist, und von {device} dürfen {most} GB benutzt werden. Erlaube mehr, oder wähle ein kleineres Modell.</translation>
    </message>
    <message>
        <source>It slows down just below, and pauses above.</source>
        <translation>Wird knapp darunter langsamer, darüber gibt es eine Pause.</translation>
    </message>
    <message>
        <source>It slows down to stay below.</source>
        <translation>Wird langsamer, um darunter zu bleiben.</translation>
    </message>
    <message>
        <source>It still works, but not for long if the clock goes on like this.</source>
        <translation>Noch geht es, aber nicht mehr lange, wenn die Uhr so weitergeht.</translation>
    </message>
    <message>
        <source>It takes more than {watts} W even when it hardly works; it rests for a minute.</source>
        <translation>Selbst bei wenig Arbeit werden mehr als {watts} W verbraucht; eine Minute Pause.</translation>
    </message>
    <message>
        <source>It was kept as {name} in {folder}.</source>
        <translation>Sie wurde als {name} in {folder} aufgehoben.</translation>
    </message>
    <message>
        <source>It works more slowly, so that answers to others stay below {rate} Mbit/s.</source>
        <translation>Es geht langsamer, damit Antworten an andere unter {rate} Mbit/s bleiben.</translation>
    </message>
    <message>
        <source>It works more slowly, so that this month&apos;s energy lasts.</source>
        <translation>Es geht langsamer, damit die Energie dieses Monats reicht.</translation>
    </message>
    <message>
        <source>It works more slowly, so that this month&apos;s traffic lasts.</source>
        <translation>Es geht langsamer, damit der Datenverkehr dieses Monats reicht.</translation>
    </message>
    <message>
        <source>It writes {rate} tokens a second here.</source>
        <translation>Es schreibt hier {rate} Tokens in der Sekunde.</translation>
    </message>
    <message>
        <source>Its licence cannot be shown now. {why}</source>
        <translation>Die Lizenz kann gerade nicht gezeigt werden. {why}</translation>
    </message>
    <message>
        <source>Its licence has to be accepted before.</source>
        <translation>Vorher muss die Lizenz angenommen werden.</translation>
    </message>
    <message>
        <source>Its licence is another one now ({licence}) than the one that you have accepted. It is not used until you have read and accepted that.</source>
        <translation>Die Lizenz ist jetzt eine andere ({licence}) als die, die du angenommen hast. Das Modell wird erst wieder benutzt, wenn du sie gelesen und angenommen hast.</translation>
    </message>
    <message>
        <source>Its licence says what the model may be used for. You are asked once for each model, and again when its licence changes.</source>
        <translation>Die Lizenz sagt, wofür das Modell verwendet werden darf. Du wirst für jedes Modell einmal gefragt, und wieder, wenn sich seine Lizenz ändert.</translation>
    </message>
    <message>
        <source>Its licence: {licence}.</source>
        <translation>Lizenz: {licence}.</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>Beitreten</translation>
    </message>
    <message>
        <source>Join a network</source>
        <translation>Einem Netz beitreten</translation>
    </message>
    <message>
        <source>Joining</source>
        <translation>Beitritt läuft</translation>
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
        <source>Joining {address}</source>
        <translation>Tritt {address} bei</translation>
    </message>
    <message>
        <source>Jump to the newest text</source>
        <translation>Zum neuesten Text springen</translation>
    </message>
    <message>
        <source>Keep the first and newest turns</source>
        <translation>Anfang und Ende behalten</translation>
    </message>
    <message>
        <source>Keeps running</source>
        <translation>Läuft weiter</translation>
    </message>
    <message>
        <source>Kept on this machine, for this data directory.</source>
        <translation>Auf diesem Rechner gespeichert, für diesen Datenordner.</translation>
    </message>
    <message>
        <source>Keyboard and mouse have to rest first.</source>
        <translation>Tastatur und Maus müssen zuvor ruhen.</translation>
    </message>
    <message>
        <source>Keys</source>
        <comment>of the identity</comment>
        <translation>Schlüssel</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Know only their two neighbours on the path.</source>
        <translation>Kennen nur ihre beiden Nachbarn auf dem Pfad.</translation>
    </message>
    <message>
        <source>Known as soon as the engine runs</source>
        <translation>Bekannt, sobald die Engine läuft</translation>
    </message>
    <message>
        <source>Known settings: {names}.</source>
        <translation>Bekannte Einstellungen: {names}.</translation>
    </message>
    <message>
        <source>Knows who is online and who is linked with whom. Not who asks what.</source>
        <translation>Weiß, wer online ist und wer mit wem verbunden ist. Nicht, wer was fragt.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Language, look, start and more</source>
        <translation>Sprache, Aussehen, Start und mehr</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Verlassen</translation>
    </message>
    <message>
        <source>Leave out its oldest {droppable} messages this time, or choose a model with a longer context.</source>
        <translation>Lass diesmal ihre ältesten {droppable} Nachrichten weg oder wähle ein Modell mit längerem Kontext.</translation>
    </message>
    <message>
        <source>Leave out the oldest turns</source>
        <translation>Das Älteste weglassen</translation>
    </message>
    <message>
        <source>Leave the files where they are</source>
        <translation>Die Dateien lassen, wo sie sind</translation>
    </message>
    <message>
        <source>Leave this network</source>
        <translation>Dieses Netz verlassen</translation>
    </message>
    <message>
        <source>Left out</source>
        <translation>Weggelassen</translation>
    </message>
    <message>
        <source>Lets links through</source>
        <translation>Lässt Verbindungen durch</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Grenzen</translation>
    </message>
    <message>
        <source>Link with {node}</source>
        <translation>Verbindung mit {node}</translation>
    </message>
    <message>
        <source>Links are direct.</source>
        <translation>Verbindungen sind direkt.</translation>
    </message>
    <message>
        <source>Links are tried directly; behind strict routers some of them fail.</source>
        <translation>Verbindungen werden direkt versucht; hinter strengen Routern misslingen manche.</translation>
    </message>
    <message>
        <source>Links go through a TURN server only (--relayed-only), and {problem}.</source>
        <translation>Verbindungen gehen nur über einen TURN-Server (--relayed-only), und: {problem}.</translation>
    </message>
    <message>
        <source>Links need UDP or a TURN server by TCP or TLS, and neither works.</source>
        <translation>Verbindungen brauchen UDP oder einen TURN-Server über TCP oder TLS, und keines davon geht.</translation>
    </message>
    <message>
        <source>Links that cannot be direct fail.</source>
        <translation>Verbindungen, die nicht direkt sein können, misslingen.</translation>
    </message>
    <message>
        <source>Links with others behind such routers fail, as no TURN server can be used.</source>
        <translation>Verbindungen mit anderen hinter solchen Routern misslingen, denn kein TURN-Server ist zu gebrauchen.</translation>
    </message>
    <message>
        <source>Links with others behind such routers go through a TURN server.</source>
        <translation>Verbindungen mit anderen hinter solchen Routern gehen durch einen TURN-Server.</translation>
    </message>
    <message>
        <source>Links with the first relays (guards) are still being made.</source>
        <translation>Die Verbindungen zu den ersten Relays (Wächtern) werden noch hergestellt.</translation>
    </message>
    <message>
        <source>Links, paths and groups</source>
        <translation>Verbindungen, Pfade und Gruppen</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>Auslastung</translation>
    </message>
    <message>
        <source>Local</source>
        <translation>Lokal</translation>
    </message>
    <message>
        <source>Local API</source>
        <translation>Lokale API</translation>
    </message>
    <message>
        <source>Local: this machine wrote the answer itself, so there is nobody to check.</source>
        <translation>Lokal: Dieser Rechner hat die Antwort selbst geschrieben, es gibt also niemanden zu prüfen.</translation>
    </message>
    <message>
        <source>Logging in</source>
        <translation>Anmeldung</translation>
    </message>
    <message>
        <source>Logins and questions carry the time and are refused when it is more than {minutes} minutes off.</source>
        <translation>Anmeldungen und Fragen tragen die Zeit und werden abgelehnt, wenn sie mehr als {minutes} Minuten falsch ist.</translation>
    </message>
    <message>
        <source>Longer ones go to other machines.</source>
        <translation>Längere gehen an andere Rechner.</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>Längste Antwort</translation>
    </message>
    <message>
        <source>Longest request</source>
        <translation>Längste Anfrage</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>Aussehen</translation>
    </message>
    <message>
        <source>Looking at the bootstrap server</source>
        <translation>Der Bootstrap-Server wird angesehen</translation>
    </message>
    <message>
        <source>Looking for the text of its licence …</source>
        <translation>Der Text der Lizenz wird gesucht …</translation>
    </message>
    <message numerus="yes">
        <source>Looking through the folder: %Ln file(s)</source>
        <translation>
            <numerusform>Der Ordner wird durchgesehen: %Ln Datei</numerusform>
            <numerusform>Der Ordner wird durchgesehen: %Ln Dateien</numerusform>
        </translation>
    </message>
    <message>
        <source>Looking what this machine can run</source>
        <translation>Es wird nachgesehen, was auf diesem Rechner läuft</translation>
    </message>
    <message>
        <source>Looking which one would be best on this machine.</source>
        <translation>Schaut nach, welches auf diesem Rechner das beste wäre.</translation>
    </message>
    <message>
        <source>Lost with the question to which they were attached: {names}. Attach them again.</source>
        <translation>Mit der Frage verloren, an der sie hingen: {names}. Häng sie noch einmal an.</translation>
    </message>
    <message>
        <source>Machine {machine} is excluded: it has signed two things that contradict each other, as its signatures prove.</source>
        <translation>Der Rechner {machine} ist ausgeschlossen: Er hat zwei Dinge unterschrieben, die sich widersprechen, wie seine Unterschriften beweisen.</translation>
    </message>
    <message>
        <source>Machine {machine} is excluded: the committee found that it does not serve the model that it claims ({when}).</source>
        <translation>Der Rechner {machine} ist ausgeschlossen: Das Komitee hat gefunden, dass er nicht das Modell ausführt, das er nennt ({when}).</translation>
    </message>
    <message>
        <source>Machine {machine} is new: the committee has judged none of its answers yet.</source>
        <translation>Der Rechner {machine} ist neu: Das Komitee hat noch keine seiner Antworten beurteilt.</translation>
    </message>
    <message>
        <source>Machine {machine} was last checked by the committee on {when} and did not pass; its reputation is {reputation} after {judged} checks, not enough yet to be established.</source>
        <translation>Der Rechner {machine} wurde zuletzt am {when} vom Komitee geprüft und hat nicht bestanden; sein Ruf ist {reputation} nach {judged} Prüfungen, noch nicht genug, um als bewährt zu gelten.</translation>
    </message>
    <message>
        <source>Machine {machine} was last checked by the committee on {when} and did not pass; its reputation is {reputation} after {judged} checks.</source>
        <translation>Der Rechner {machine} wurde zuletzt am {when} vom Komitee geprüft und hat nicht bestanden; sein Ruf ist {reputation} nach {judged} Prüfungen.</translation>
    </message>
    <message>
        <source>Machine {machine} was last checked by the committee on {when} and passed; its reputation is {reputation} after {judged} checks, not enough yet to be established.</source>
        <translation>Der Rechner {machine} wurde zuletzt am {when} vom Komitee geprüft und hat bestanden; sein Ruf ist {reputation} nach {judged} Prüfungen, noch nicht genug, um als bewährt zu gelten.</translation>
    </message>
    <message>
        <source>Machine {machine} was last checked by the committee on {when} and passed; its reputation is {reputation} after {judged} checks.</source>
        <translation>Der Rechner {machine} wurde zuletzt am {when} vom Komitee geprüft und hat bestanden; sein Ruf ist {reputation} nach {judged} Prüfungen.</translation>
    </message>
    <message>
        <source>Machines behind the same router, such as those of a home or an office.</source>
        <translation>Rechner hinter demselben Router, etwa einer Wohnung oder eines Büros.</translation>
    </message>
    <message>
        <source>Make an invitation</source>
        <translation>Einladung erstellen</translation>
    </message>
    <message>
        <source>Make way for other programs</source>
        <translation>Anderen Programmen Platz machen</translation>
    </message>
    <message>
        <source>Mark nothing any more</source>
        <translation>Nichts mehr markieren</translation>
    </message>
    <message>
        <source>Mbit/s</source>
        <translation>Mbit/s</translation>
    </message>
    <message>
        <source>Measuring the bandwidth</source>
        <translation>Die Bandbreite wird gemessen</translation>
    </message>
    <message>
        <source>Members see it. It never changes.</source>
        <translation>Mitglieder sehen ihn. Er ändert sich nie.</translation>
    </message>
    <message>
        <source>Memory for it</source>
        <translation>Speicher dafür</translation>
    </message>
    <message>
        <source>Mend first why the bootstrap server refuses this machine.</source>
        <translation>Behebe zuerst, warum der Bootstrap-Server diesen Rechner ablehnt.</translation>
    </message>
    <message>
        <source>Message {at} of {all} that were found</source>
        <translation>Nachricht {at} von {all} gefundenen</translation>
    </message>
    <message>
        <source>Middle relays</source>
        <translation>Mittlere Relays</translation>
    </message>
    <message>
        <source>Min-p</source>
        <translation>Min-p</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Model for others</source>
        <translation>Modell für andere</translation>
    </message>
    <message>
        <source>Model that answers</source>
        <translation>Modell, das antwortet</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Models to choose from</source>
        <translation>Modelle zur Auswahl</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Mehr</translation>
    </message>
    <message>
        <source>More parameters</source>
        <translation>Weitere Parameter</translation>
    </message>
    <message>
        <source>Most links are direct.</source>
        <translation>Die meisten Verbindungen sind direkt.</translation>
    </message>
    <message>
        <source>Move the chat in the list to a folder</source>
        <translation>Chat in der Liste in einen Ordner verschieben</translation>
    </message>
    <message>
        <source>Move to folder</source>
        <translation>In Ordner verschieben</translation>
    </message>
    <message>
        <source>My networks</source>
        <translation>Meinen Netzen</translation>
    </message>
    <message>
        <source>Name here (as the folder, if empty)</source>
        <translation>Name hier (leer: wie der Ordner)</translation>
    </message>
    <message>
        <source>Name of a program, such as blender</source>
        <translation>Name eines Programms, etwa blender</translation>
    </message>
    <message>
        <source>Name of the model on this machine</source>
        <translation>Name des Modells auf diesem Rechner</translation>
    </message>
    <message>
        <source>Name of the network</source>
        <translation>Name des Netzes</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>Name der Vorlage</translation>
    </message>
    <message>
        <source>Neither generation_config.json nor config.json in {path} names the end-of-turn token (eos_token_id). Take generation_config.json from the model&apos;s repository.</source>
        <translation>Weder generation_config.json noch config.json in {path} nennt das Token, mit dem eine Antwort endet (eos_token_id). Nimm generation_config.json aus dem Repository des Modells.</translation>
    </message>
    <message>
        <source>Neither the desktop nor the system tells when mouse and keyboard were used.</source>
        <translation>Weder der Desktop noch das System sagt, wann Maus und Tastatur benutzt wurden.</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>Netz</translation>
    </message>
    <message>
        <source>Network id</source>
        <translation>Kennung des Netzes</translation>
    </message>
    <message>
        <source>NetworkManager does not know whether the connection is metered.</source>
        <translation>NetworkManager weiß nicht, ob die Verbindung getaktet ist.</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>Nie</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neuer Chat</translation>
    </message>
    <message>
        <source>New folder</source>
        <translation>Neuer Ordner</translation>
    </message>
    <message>
        <source>New folder {number}</source>
        <translation>Neuer Ordner {number}</translation>
    </message>
    <message>
        <source>New folder…</source>
        <translation>Neuer Ordner…</translation>
    </message>
    <message>
        <source>Newer version</source>
        <translation>Neuere Version</translation>
    </message>
    <message>
        <source>Newest</source>
        <translation>Neuestes</translation>
    </message>
    <message>
        <source>Next message that was found</source>
        <translation>Nächste gefundene Nachricht</translation>
    </message>
    <message>
        <source>Next or previous message that was found</source>
        <translation>Nächste oder vorige gefundene Nachricht</translation>
    </message>
    <message>
        <source>Next version of the answer</source>
        <translation>Nächste Fassung der Antwort</translation>
    </message>
    <message>
        <source>Next version of the question</source>
        <translation>Nächste Fassung der Frage</translation>
    </message>
    <message>
        <source>Nights</source>
        <translation>Nachts</translation>
    </message>
    <message>
        <source>Nights and weekends</source>
        <translation>Nachts und am Wochenende</translation>
    </message>
    <message>
        <source>No GPU was found.</source>
        <translation>Es wurde keine GPU gefunden.</translation>
    </message>
    <message>
        <source>No TURN server can be used: {failed}.</source>
        <translation>Kein TURN-Server ist zu gebrauchen: {failed}.</translation>
    </message>
    <message>
        <source>No limit</source>
        <comment>length of an answer</comment>
        <translation>Beliebig</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>Ohne Grenze</translation>
    </message>
    <message>
        <source>No link with the machine that answers could be made within {seconds} s, and this question goes there directly. Ask again; gentorrent doctor finds out what is in the way.</source>
        <translation>In {seconds} s kam keine Verbindung zu dem Rechner zustande, der antworten soll, und diese Frage geht direkt dorthin. Frag noch einmal; gentorrent doctor findet heraus, was im Weg ist.</translation>
    </message>
    <message>
        <source>No machine that answers is linked yet.</source>
        <translation>Noch ist kein antwortender Rechner verbunden.</translation>
    </message>
    <message>
        <source>No machine that serves {model} has the standing that is asked for. Ask for less, or try again later.</source>
        <translation>Kein Rechner, der {model} anbietet, hat den verlangten Ruf. Verlange weniger oder versuch es später noch einmal.</translation>
    </message>
    <message>
        <source>No model here fits into the memory that may be used.</source>
        <translation>Kein Modell hier passt in den Speicher, der benutzt werden darf.</translation>
    </message>
    <message>
        <source>No model here has all of these words. The model hub may know more.</source>
        <translation>Kein Modell hier enthält alle diese Wörter. Der Modell-Hub kennt vielleicht mehr.</translation>
    </message>
    <message>
        <source>No model of the catalogue would be better on this machine.</source>
        <translation>Kein Modell aus dem Katalog wäre auf diesem Rechner besser.</translation>
    </message>
    <message>
        <source>No model of the publisher {fingerprint} is known here. Check the fingerprint.</source>
        <translation>Vom Herausgeber {fingerprint} ist hier kein Modell bekannt. Prüfe den Fingerabdruck.</translation>
    </message>
    <message>
        <source>No model yet</source>
        <translation>Noch kein Modell</translation>
    </message>
    <message>
        <source>No models yet</source>
        <translation>Noch keine Modelle</translation>
    </message>
    <message>
        <source>No network is configured; answers are made on this machine. Join one with --bootstrap.</source>
        <translation>Es ist kein Netz eingerichtet; Antworten entstehen auf diesem Rechner. Tritt mit --bootstrap einem bei.</translation>
    </message>
    <message>
        <source>No network is hosted here</source>
        <translation>Hier wird kein Netz betrieben</translation>
    </message>
    <message>
        <source>No network is named.</source>
        <translation>Kein Netz ist genannt.</translation>
    </message>
    <message>
        <source>No network was made on this machine yet. Host one first.</source>
        <translation>Auf diesem Rechner wurde noch kein Netz angelegt. Richte zuerst eines ein.</translation>
    </message>
    <message>
        <source>No network: answers are made on this machine only.</source>
        <translation>Kein Netz: Antworten entstehen nur auf diesem Rechner.</translation>
    </message>
    <message>
        <source>No other machine is there now that could bring the receipt to the server. Try again later.</source>
        <translation>Jetzt ist kein anderer Rechner da, der die Quittung zum Server bringen könnte. Versuche es später noch einmal.</translation>
    </message>
    <message>
        <source>No other relay is listed, so no link could be tried.</source>
        <translation>Kein anderes Relay ist verzeichnet, also war keine Verbindung zu versuchen.</translation>
    </message>
    <message>
        <source>No preset</source>
        <translation>Keine Vorlage</translation>
    </message>
    <message>
        <source>No price, no limit</source>
        <translation>Kein Preis, keine Grenze</translation>
    </message>
    <message>
        <source>No relays are known yet.</source>
        <translation>Noch sind keine Relays bekannt.</translation>
    </message>
    <message>
        <source>No text of a licence comes with it.</source>
        <translation>Dem Modell liegt kein Lizenztext bei.</translation>
    </message>
    <message>
        <source>No thermometer of the processor is shown to programs.</source>
        <translation>Kein Thermometer des Prozessors ist für Programme sichtbar.</translation>
    </message>
    <message>
        <source>No traffic of other people passes through this machine.</source>
        <translation>Durch diesen Rechner läuft kein Verkehr anderer.</translation>
    </message>
    <message>
        <source>Nobody but its publisher has looked at this model.</source>
        <translation>Dieses Modell hat niemand angesehen außer dem, der es veröffentlicht.</translation>
    </message>
    <message>
        <source>Nobody but its publisher has looked at this model. It may be no good, or answer badly on purpose.</source>
        <translation>Niemand außer dem Herausgeber hat sich dieses Modell angesehen. Es kann nichts taugen oder absichtlich schlecht antworten.</translation>
    </message>
    <message>
        <source>Nobody can be asked to check the machine: it signed no receipt for this answer.</source>
        <translation>Niemand kann gebeten werden, den Rechner zu prüfen: Er hat für diese Antwort keine Quittung unterschrieben.</translation>
    </message>
    <message>
        <source>Nobody can be asked to check the machine: its network has no verifiers.</source>
        <translation>Niemand kann gebeten werden, den Rechner zu prüfen: Sein Netz hat keine Prüfer.</translation>
    </message>
    <message>
        <source>Nobody else serves it.</source>
        <translation>Sonst bietet es niemand an.</translation>
    </message>
    <message>
        <source>Nobody has looked at this model for you. It may be no good, or not run here.</source>
        <translation>Niemand hat sich dieses Modell für dich angesehen. Es kann nichts taugen oder hier nicht laufen.</translation>
    </message>
    <message>
        <source>Nobody has this model.</source>
        <translation>Niemand hat dieses Modell.</translation>
    </message>
    <message>
        <source>Nobody offers a model now</source>
        <translation>Niemand bietet gerade ein Modell an</translation>
    </message>
    <message>
        <source>Nobody on the network serves {model} at the moment. Choose another model or try again later.</source>
        <translation>Niemand im Netz bietet gerade {model} an. Wähle ein anderes Modell oder versuch es später noch einmal.</translation>
    </message>
    <message>
        <source>Nobody on the network serves {model} in the version that this machine knows at the moment. Choose another model or try again later.</source>
        <translation>Niemand im Netz bietet gerade {model} in der Fassung an, die dieser Rechner kennt. Wähle ein anderes Modell oder versuch es später noch einmal.</translation>
    </message>
    <message>
        <source>Node id</source>
        <translation>Kennung des Knotens</translation>
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
        <source>None in the way</source>
        <translation>Keiner im Weg</translation>
    </message>
    <message>
        <source>None of the models here could be loaded.</source>
        <translation>Keines der Modelle hier ließ sich laden.</translation>
    </message>
    <message>
        <source>None of {count} listed relays could be linked.</source>
        <translation>Mit keinem von {count} verzeichneten Relays kam eine Verbindung zustande.</translation>
    </message>
    <message>
        <source>None yet</source>
        <translation>Noch keines</translation>
    </message>
    <message>
        <source>Not checked yet</source>
        <translation>Noch nicht geprüft</translation>
    </message>
    <message>
        <source>Not known</source>
        <translation>Nicht bekannt</translation>
    </message>
    <message>
        <source>Not known yet whether it fits</source>
        <translation>Noch nicht bekannt, ob es passt</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Nicht jetzt</translation>
    </message>
    <message>
        <source>Not possible</source>
        <translation>Nicht möglich</translation>
    </message>
    <message>
        <source>Not reachable</source>
        <translation>Nicht erreichbar</translation>
    </message>
    <message>
        <source>Not signed are the {count} tokens that came last from a machine that went away.</source>
        <translation>Nicht unterschrieben sind die letzten {count} Tokens eines Rechners, der weggegangen ist.</translation>
    </message>
    <message>
        <source>Not usable: {failed}.</source>
        <translation>Nicht zu gebrauchen: {failed}.</translation>
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
        <source>Note</source>
        <translation>Hinweis</translation>
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
        <source>Nothing below has to be chosen. All of it can be changed later under Contribute, Network and Settings.</source>
        <translation>Nichts davon muss gewählt werden. Alles lässt sich später unter Beitragen, Netz und Optionen ändern.</translation>
    </message>
    <message>
        <source>Nothing can be joined without it. Check the address and this computer&apos;s connection.</source>
        <translation>Ohne ihn kann man nicht beitreten. Prüfe die Adresse und die Verbindung dieses Rechners.</translation>
    </message>
    <message>
        <source>Nothing else is known</source>
        <translation>Mehr ist nicht bekannt</translation>
    </message>
    <message>
        <source>Nothing else of the catalogue fits this machine</source>
        <translation>Sonst passt nichts aus dem Katalog auf diesen Rechner</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>Nothing found. Try fewer or other words.</source>
        <translation>Nichts gefunden. Versuch es mit weniger oder anderen Wörtern.</translation>
    </message>
    <message>
        <source>Nothing has arrived</source>
        <translation>Noch nichts ist angekommen</translation>
    </message>
    <message>
        <source>Nothing has happened since the engine started.</source>
        <translation>Seit die Engine läuft, ist nichts geschehen.</translation>
    </message>
    <message>
        <source>Nothing here tells whether other programs use {device}, so that alone pauses nothing. Programs in your list do.</source>
        <translation>Ob andere Programme {device} nutzen, ist hier nicht zu sehen; allein dafür wird also nicht pausiert. Für Programme in deiner Liste schon.</translation>
    </message>
    <message>
        <source>Nothing in it could be read; a new, empty one was made.</source>
        <translation>Nichts darin war lesbar; eine neue, leere wurde angelegt.</translation>
    </message>
    <message>
        <source>Nothing is copied, and the folder has to stay where it is.</source>
        <translation>Nichts wird kopiert, und der Ordner muss bleiben, wo er ist.</translation>
    </message>
    <message>
        <source>Nothing is known here of the published model {model}. Join the network that has it, or give its manifest to: gentorrent models add-manifest FILE</source>
        <translation>Von dem veröffentlichten Modell {model} ist hier nichts bekannt. Tritt dem Netz bei, das es hat, oder gib sein Manifest an: gentorrent models add-manifest FILE</translation>
    </message>
    <message>
        <source>Nothing is left out. The question is not sent, and you choose what happens.</source>
        <translation>Nichts wird weggelassen. Die Frage wird nicht gesendet, und du entscheidest, was geschieht.</translation>
    </message>
    <message>
        <source>Nothing is missing: IPv4 is enough. With IPv6 more links are direct.</source>
        <translation>Es fehlt nichts: IPv4 genügt. Mit IPv6 sind mehr Verbindungen direkt.</translation>
    </message>
    <message>
        <source>Nothing is passed on over a metered connection.</source>
        <translation>Über eine getaktete Verbindung wird nichts weitergeleitet.</translation>
    </message>
    <message>
        <source>Nothing new can be joined. Engines that run go on with their neighbours for up to a day.</source>
        <translation>Nichts Neues kann verbunden werden. Engines, die laufen, machen mit ihren Nachbarn bis zu einem Tag weiter.</translation>
    </message>
    <message>
        <source>Nothing. The question and the answer did not leave this machine.</source>
        <translation>Nichts. Frage und Antwort haben diesen Rechner nicht verlassen.</translation>
    </message>
    <message>
        <source>Notifications</source>
        <translation>Benachrichtigungen</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>Jetzt</translation>
    </message>
    <message>
        <source>Now: {model}</source>
        <translation>Jetzt: {model}</translation>
    </message>
    <message>
        <source>Of 100 answers that other machines give you, 2 are drawn by lot, at most 3 a day. What is sent is the receipt alone, never a word of question or answer: it says which machine answered, when, with which model and how many tokens.

It goes within half an hour over anonymous paths to another machine, which brings it to the network&apos;s server for the verifiers. They do not learn that it was you. Where there are no anonymous paths, nothing is sent. The machine that answered, if it ever sees the receipt, knows which question it was.

Verifiers may check that machine sooner then; nothing is decided by it. You can switch this off at any time; what was sent stays sent.</source>
        <translation>Von 100 Antworten, die andere Rechner dir geben, werden 2 ausgelost, höchstens 3 am Tag. Gesendet wird allein die Quittung, nie ein Wort von Frage oder Antwort: Sie sagt, welcher Rechner geantwortet hat, wann, mit welchem Modell und wie vielen Tokens.

Sie geht innerhalb einer halben Stunde über anonyme Pfade an einen anderen Rechner, der sie dem Server des Netzes für die Prüfer bringt. Diese erfahren nicht, dass du es warst. Wo es keine anonymen Pfade gibt, wird nichts gesendet. Der Rechner, der geantwortet hat, weiß, welche Frage es war, falls er die Quittung je sieht.

Prüfer prüfen diesen Rechner dann vielleicht früher; entschieden wird damit nichts. Du kannst das jederzeit abschalten; was gesendet ist, bleibt gesendet.</translation>
    </message>
    <message>
        <source>Of all processors, or of a graphics card or its encoder.</source>
        <translation>Von allen Prozessoren oder von einer Grafikkarte oder ihrem Encoder.</translation>
    </message>
    <message>
        <source>Of an unknown kind</source>
        <translation>Von unbekannter Art</translation>
    </message>
    <message>
        <source>Of the processor or a graphics card. Under “Devices” each can have a lower one.</source>
        <translation>Des Prozessors oder einer Grafikkarte. Unter „Geräte“ kann jedes eine niedrigere haben.</translation>
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
        <source>On the model hub</source>
        <translation>Auf dem Modell-Hub</translation>
    </message>
    <message>
        <source>On the network</source>
        <translation>Im Netz</translation>
    </message>
    <message>
        <source>On the network now</source>
        <translation>Jetzt im Netz</translation>
    </message>
    <message>
        <source>On the processor, with one that writes fast enough there. It makes way when you need the machine.</source>
        <translation>Auf dem Prozessor, mit einem, das dort schnell genug schreibt. Es macht Platz, wenn du den Rechner brauchst.</translation>
    </message>
    <message>
        <source>On this machine</source>
        <translation>Auf diesem Rechner</translation>
    </message>
    <message>
        <source>On this machine and on the network</source>
        <translation>Auf diesem Rechner und im Netz</translation>
    </message>
    <message>
        <source>One file for who helps you: how the engine is, your rules, and its log. Without keys, tokens, prompts, answers, addresses, your name and names of your programs.</source>
        <translation>Eine Datei für alle, die dir helfen: wie es der Engine geht, deine Regeln und ihr Protokoll. Ohne Schlüssel, Tokens, Prompts, Antworten, Adressen, deinen Namen und Namen deiner Programme.</translation>
    </message>
    <message numerus="yes">
        <source>One on each line, %Ln at most. \n is a line break.</source>
        <translation>
            <numerusform>Einer je Zeile, höchstens %Ln. \n ist ein Zeilenumbruch.</numerusform>
            <numerusform>Einer je Zeile, höchstens %Ln. \n ist ein Zeilenumbruch.</numerusform>
        </translation>
    </message>
    <message>
        <source>One transport is enough; the others are for networks that block it.</source>
        <translation>Ein Weg genügt; die anderen sind für Netze, die ihn sperren.</translation>
    </message>
    <message>
        <source>Only on this machine</source>
        <translation>Nur auf diesem Rechner</translation>
    </message>
    <message>
        <source>Only so many of the likeliest words are chosen from.</source>
        <translation>Nur aus so vielen der wahrscheinlichsten Wörter wird gewählt.</translation>
    </message>
    <message>
        <source>Only the administrator may read the processor&apos;s energy counter.</source>
        <translation>Nur der Administrator darf den Energiezähler des Prozessors lesen.</translation>
    </message>
    <message>
        <source>Only the icon beside the clock.</source>
        <translation>Nur das Symbol neben der Uhr.</translation>
    </message>
    <message>
        <source>Only the likeliest words that together have this share are chosen from.</source>
        <translation>Nur aus den wahrscheinlichsten Wörtern wird gewählt, die zusammen diesen Anteil haben.</translation>
    </message>
    <message>
        <source>Only what points to it is deleted. The folder {folder} stays as it is.</source>
        <translation>Nur der Verweis wird gelöscht. Der Ordner {folder} bleibt, wie er ist.</translation>
    </message>
    <message>
        <source>Only while nobody uses the machine</source>
        <translation>Nur, solange niemand den Rechner benutzt</translation>
    </message>
    <message>
        <source>Only whom I invite</source>
        <translation>Nur wen ich einlade</translation>
    </message>
    <message>
        <source>Only whom you invite</source>
        <translation>Nur wen du einlädst</translation>
    </message>
    <message>
        <source>Only your own networks are served, and this one is open to everybody.</source>
        <translation>Nur deine eigenen Netze werden bedient, und dieses steht allen offen.</translation>
    </message>
    <message>
        <source>Only {ready} of the {needed} anonymous paths that an answer needs could be built.</source>
        <translation>Nur {ready} der {needed} anonymen Pfade, die eine Antwort braucht, kamen zustande.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Open a page</source>
        <translation>Eine Seite öffnen</translation>
    </message>
    <message>
        <source>Open any web page in a browser and log in there; if none asks you to, check the address.</source>
        <translation>Öffne irgendeine Webseite im Browser und melde dich dort an; wenn keine danach fragt, prüf die Adresse.</translation>
    </message>
    <message>
        <source>Open chat</source>
        <translation>Chat öffnen</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Open the data directory</source>
        <translation>Den Datenordner öffnen</translation>
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
        <source>Open what is ruled about passing on traffic</source>
        <translation>Öffnen, was über das Weiterleiten bestimmt ist</translation>
    </message>
    <message>
        <source>Or choose something weaker: {offered}.</source>
        <translation>Oder wähle etwas Schwächeres: {offered}.</translation>
    </message>
    <message>
        <source>Or host a network of your own…</source>
        <translation>Oder ein eigenes Netz betreiben …</translation>
    </message>
    <message>
        <source>Other machines go on with them at once, or this one writes them to their end.</source>
        <translation>Andere Rechner setzen sie sofort fort, oder dieser schreibt sie zu Ende.</translation>
    </message>
    <message>
        <source>Other nodes cannot signal straight to this one, because {problem}.</source>
        <translation>Andere Knoten erreichen diesen nicht auf direktem Weg: {problem}.</translation>
    </message>
    <message>
        <source>Other people&apos;s questions are answered with {model}.</source>
        <translation>Fragen anderer werden mit {model} beantwortet.</translation>
    </message>
    <message>
        <source>Other people&apos;s sealed traffic passes through your connection. It cannot be read here.</source>
        <translation>Versiegelter Verkehr anderer läuft über deine Leitung. Er ist hier nicht lesbar.</translation>
    </message>
    <message>
        <source>Other programs need {share} % of the processors.</source>
        <translation>Andere Programme brauchen {share} % der Prozessoren.</translation>
    </message>
    <message>
        <source>Other wordings of {most} questions are kept already. Ask one of them first.</source>
        <translation>Andere Fassungen von {most} Fragen werden schon aufbewahrt. Stelle zuerst eine davon.</translation>
    </message>
    <message>
        <source>Others are answered with this one.</source>
        <translation>Andere bekommen Antworten von diesem.</translation>
    </message>
    <message>
        <source>Others that serve it: {others}; of these about {busy} % are answering.</source>
        <translation>Andere, die es anbieten: {others}; davon antworten gerade etwa {busy} %.</translation>
    </message>
    <message>
        <source>Otherwise ask the operator for a TURN server over TLS on port 443.</source>
        <translation>Sonst bitte den Betreiber um einen TURN-Server über TLS auf Port 443.</translation>
    </message>
    <message>
        <source>Our house</source>
        <translation>Unser Haus</translation>
    </message>
    <message>
        <source>Out of the folder</source>
        <translation>Aus dem Ordner heraus</translation>
    </message>
    <message>
        <source>Page {page} of {pages}</source>
        <translation>Seite {page} von {pages}</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>Pairs of machines that are both behind strict routers cannot be linked.</source>
        <translation>Paare von Rechnern, die beide hinter strengen Routern sind, kann niemand verbinden.</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Parameter</translation>
    </message>
    <message>
        <source>Pass on</source>
        <translation>Weiterleiten</translation>
    </message>
    <message>
        <source>Pass on other people&apos;s traffic</source>
        <translation>Verkehr anderer weiterleiten</translation>
    </message>
    <message>
        <source>Pass on traffic</source>
        <translation>Verkehr weiterleiten</translation>
    </message>
    <message>
        <source>Pass on traffic, nothing else</source>
        <translation>Nur Verkehr weiterleiten</translation>
    </message>
    <message>
        <source>Passing on traffic</source>
        <translation>Weiterleiten</translation>
    </message>
    <message>
        <source>Passing on traffic is switched off.</source>
        <translation>Das Weiterleiten ist ausgeschaltet.</translation>
    </message>
    <message>
        <source>Pasted text {number}.txt</source>
        <translation>Eingefügter Text {number}.txt</translation>
    </message>
    <message>
        <source>Path kept ready</source>
        <translation>Bereitgehaltener Pfad</translation>
    </message>
    <message>
        <source>Path of a chat</source>
        <translation>Pfad eines Chats</translation>
    </message>
    <message>
        <source>Path of the open chat</source>
        <translation>Pfad des offenen Chats</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pausieren</translation>
    </message>
    <message>
        <source>Pause above this temperature</source>
        <translation>Über dieser Temperatur pausieren</translation>
    </message>
    <message>
        <source>Pause for an hour</source>
        <translation>Eine Stunde pausieren</translation>
    </message>
    <message>
        <source>Pause for full screen</source>
        <translation>Bei Vollbild pausieren</translation>
    </message>
    <message>
        <source>Pause on battery</source>
        <translation>Im Akkubetrieb pausieren</translation>
    </message>
    <message>
        <source>Pause on metered connections</source>
        <translation>Bei getakteten Verbindungen pausieren</translation>
    </message>
    <message>
        <source>Pause until the next start</source>
        <translation>Bis zum nächsten Start pausieren</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Pausiert</translation>
    </message>
    <message>
        <source>Paused. {reasons}</source>
        <translation>Angehalten. {reasons}</translation>
    </message>
    <message>
        <source>Pauses while another program needs the processor or the graphics card.</source>
        <translation>Pausiert, solange ein anderes Programm den Prozessor oder die Grafikkarte braucht.</translation>
    </message>
    <message>
        <source>Pausing frees the memory within a second; answers under way go on at other machines.</source>
        <translation>Eine Pause gibt den Speicher binnen einer Sekunde frei; laufende Antworten gehen auf anderen Rechnern weiter.</translation>
    </message>
    <message>
        <source>People pool their computers to run open language models for each other. No account, no coin. You can chat at once; a small model is built in.</source>
        <translation>Menschen legen ihre Rechner zusammen, um füreinander offene Sprachmodelle auszuführen. Ohne Konto, ohne Coin. Du kannst sofort chatten; ein kleines Modell ist eingebaut.</translation>
    </message>
    <message>
        <source>Picture of links, paths and groups; the list below says the same in words</source>
        <translation>Bild der Verbindungen, Pfade und Gruppen; die Liste darunter sagt dasselbe in Worten</translation>
    </message>
    <message>
        <source>Pieces of this file are missing. Send it again from its beginning.</source>
        <translation>Es fehlen Teile dieser Datei. Sende sie noch einmal von Anfang an.</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>Port</translation>
    </message>
    <message>
        <source>Power</source>
        <translation>Leistung</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <source>Presence penalty</source>
        <translation>Vorkommensstrafe</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Vorlage</translation>
    </message>
    <message>
        <source>Press Retry to ask again.</source>
        <translation>Drück auf „Wiederholen“, um noch einmal zu fragen.</translation>
    </message>
    <message>
        <source>Previous 7 days</source>
        <translation>Letzte 7 Tage</translation>
    </message>
    <message>
        <source>Previous message that was found</source>
        <translation>Vorige gefundene Nachricht</translation>
    </message>
    <message>
        <source>Previous version of the answer</source>
        <translation>Vorige Fassung der Antwort</translation>
    </message>
    <message>
        <source>Previous version of the question</source>
        <translation>Vorige Fassung der Frage</translation>
    </message>
    <message>
        <source>Price of a kilowatt-hour</source>
        <translation>Preis einer Kilowattstunde</translation>
    </message>
    <message>
        <source>Privacy</source>
        <translation>Privatsphäre</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>Prozessor</translation>
    </message>
    <message>
        <source>Processor for answers</source>
        <translation>Prozessor für Antworten</translation>
    </message>
    <message>
        <source>Program to add</source>
        <translation>Programm zum Hinzufügen</translation>
    </message>
    <message>
        <source>Programs that have the machine to themselves</source>
        <translation>Programme, die den Rechner für sich haben</translation>
    </message>
    <message>
        <source>Progress of the download</source>
        <translation>Fortschritt des Herunterladens</translation>
    </message>
    <message>
        <source>Proxies</source>
        <translation>Proxys</translation>
    </message>
    <message>
        <source>Publisher</source>
        <translation>Herausgeber</translation>
    </message>
    <message>
        <source>Publishers</source>
        <translation>Herausgeber</translation>
    </message>
    <message>
        <source>Put the cursor into the question</source>
        <translation>Schreibmarke in die Frage setzen</translation>
    </message>
    <message>
        <source>Putting it in place</source>
        <translation>Wird eingerichtet</translation>
    </message>
    <message>
        <source>QR code of the text beside it</source>
        <translation>QR-Code des Textes daneben</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>Frage</translation>
    </message>
    <message>
        <source>Questions can be asked all the same.</source>
        <translation>Fragen gehen trotzdem.</translation>
    </message>
    <message>
        <source>Questions cannot be asked on the network from here.</source>
        <translation>Von hier aus kann niemand im Netz fragen.</translation>
    </message>
    <message>
        <source>Questions go {way}, as you accepted.</source>
        <translation>Fragen gehen {way}, wie du es erlaubt hast.</translation>
    </message>
    <message>
        <source>Questions of this chat are never sent to another machine, whatever model is chosen. Nobody else sees them, and only models on this machine can answer.</source>
        <translation>Fragen dieses Chats gehen nie an einen anderen Rechner, welches Modell auch gewählt ist. Niemand sonst sieht sie, und nur Modelle auf diesem Rechner können antworten.</translation>
    </message>
    <message>
        <source>Questions to {address} leave this machine unencrypted: everybody on the way can read them. Use https://, or a tunnel.</source>
        <translation>Fragen an {address} verlassen diesen Rechner unverschlüsselt: Jeder auf dem Weg kann sie lesen. Nimm https:// oder einen Tunnel.</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Quit anyway</source>
        <translation>Trotzdem beenden</translation>
    </message>
    <message>
        <source>Quit before all is saved?</source>
        <translation>Beenden, bevor alles gespeichert ist?</translation>
    </message>
    <message>
        <source>Quits</source>
        <translation>Beendet GenTorrent</translation>
    </message>
    <message>
        <source>Random</source>
        <comment>seed</comment>
        <translation>Zufällig</translation>
    </message>
    <message>
        <source>Reachable from</source>
        <translation>Erreichbar für</translation>
    </message>
    <message>
        <source>Read its licence</source>
        <translation>Lizenz lesen</translation>
    </message>
    <message>
        <source>Read the licence where the model comes from</source>
        <translation>Die Lizenz dort lesen, wo das Modell herkommt</translation>
    </message>
    <message>
        <source>Reasoning</source>
        <translation>Überlegungen</translation>
    </message>
    <message>
        <source>Receipts</source>
        <translation>Quittungen</translation>
    </message>
    <message>
        <source>Receipts are handed in only where you do it yourself.</source>
        <translation>Quittungen werden nur eingereicht, wo du es selbst tust.</translation>
    </message>
    <message>
        <source>Relay {relay} is no longer one of your guards: {failures} of its last {paths} paths failed, {usual} are usual. It may be overloaded, or it may have tried to choose the rest of your paths. Another one was drawn; you need not do anything.</source>
        <translation>Das Relay {relay} ist keiner deiner Wächter mehr: {failures} seiner letzten {paths} Pfade misslangen, üblich sind {usual}. Vielleicht ist es überlastet, vielleicht wollte es den Rest deiner Pfade bestimmen. Ein anderes wurde gezogen; du musst nichts tun.</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>{name} entfernen</translation>
    </message>
    <message>
        <source>Remove {program} from the list</source>
        <translation>{program} aus der Liste entfernen</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Rename the chat in the list</source>
        <translation>Den Chat in der Liste umbenennen</translation>
    </message>
    <message>
        <source>Rename “{name}”…</source>
        <translation>„{name}“ umbenennen …</translation>
    </message>
    <message>
        <source>Repetition penalty</source>
        <translation>Wiederholungsstrafe</translation>
    </message>
    <message>
        <source>Retry: ask this question again</source>
        <translation>Wiederholen: diese Frage noch einmal stellen</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>Widerrufen</translation>
    </message>
    <message>
        <source>Router</source>
        <translation>Router</translation>
    </message>
    <message>
        <source>Router, firewall, clock, and the servers of the network, looked at in less than a minute.</source>
        <translation>Router, Firewall, Uhr und die Server des Netzes, in weniger als einer Minute.</translation>
    </message>
    <message>
        <source>Running answers are being finished; no new ones are taken.</source>
        <translation>Laufende Antworten werden beendet, neue nicht angenommen.</translation>
    </message>
    <message>
        <source>SHA-256 {digest}…</source>
        <translation>SHA-256 {digest}…</translation>
    </message>
    <message>
        <source>STUN server</source>
        <translation>STUN-Server</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Sichern</translation>
    </message>
    <message>
        <source>Save as a new preset…</source>
        <translation>Als neue Vorlage sichern …</translation>
    </message>
    <message>
        <source>Save diagnostics</source>
        <translation>Diagnose speichern</translation>
    </message>
    <message>
        <source>Save diagnostics…</source>
        <translation>Diagnose speichern …</translation>
    </message>
    <message>
        <source>Save the changes in “{name}”</source>
        <translation>Änderungen in „{name}“ sichern</translation>
    </message>
    <message>
        <source>Save the preset</source>
        <translation>Vorlage sichern</translation>
    </message>
    <message>
        <source>Save the receipt</source>
        <translation>Quittung speichern</translation>
    </message>
    <message>
        <source>Save the receipt…</source>
        <translation>Quittung speichern…</translation>
    </message>
    <message>
        <source>Save, rename or delete presets</source>
        <translation>Vorlagen sichern, umbenennen oder löschen</translation>
    </message>
    <message>
        <source>Saved to {path}. Read it before you give it away.</source>
        <translation>Gespeichert in {path}. Lies sie, bevor du sie weitergibst.</translation>
    </message>
    <message>
        <source>Search all chats</source>
        <translation>Alle Chats durchsuchen</translation>
    </message>
    <message>
        <source>Searching</source>
        <translation>Suche läuft</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Seed</translation>
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
        <source>Sending the question directly, without relays</source>
        <translation>Die Frage wird direkt gesendet, ohne Relays</translation>
    </message>
    <message>
        <source>Sending the question over anonymous paths</source>
        <translation>Die Frage wird über anonyme Pfade gesendet</translation>
    </message>
    <message>
        <source>Sending the question over weaker paths than the network wants: {shape}</source>
        <translation>Die Frage wird über schwächere Pfade gesendet, als das Netz will: {shape}</translation>
    </message>
    <message>
        <source>Servers</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Optionen</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <comment>key</comment>
        <translation>Umschalt+Eingabetaste</translation>
    </message>
    <message>
        <source>Shift+F3</source>
        <comment>key</comment>
        <translation>Umschalt+F3</translation>
    </message>
    <message>
        <source>Shorten the question, or choose a model with a longer context.</source>
        <translation>Kürze die Frage oder wähle ein Modell mit längerem Kontext.</translation>
    </message>
    <message>
        <source>Show another version of the question or answer that has the focus</source>
        <translation>Andere Fassung der Frage oder Antwort zeigen, die den Fokus hat</translation>
    </message>
    <message>
        <source>Show it</source>
        <translation>Zeigen</translation>
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
        <source>Show or hide the chat settings</source>
        <translation>Chat-Einstellungen zeigen oder verbergen</translation>
    </message>
    <message>
        <source>Show or hide the list of chats</source>
        <translation>Die Liste der Chats ein- oder ausblenden</translation>
    </message>
    <message>
        <source>Show the answer that is being written to another version</source>
        <translation>Die Antwort zeigen, die zu einer anderen Fassung geschrieben wird</translation>
    </message>
    <message>
        <source>Show the list of chats</source>
        <translation>Die Liste der Chats anzeigen</translation>
    </message>
    <message>
        <source>Show the text of {name}</source>
        <translation>Text von {name} zeigen</translation>
    </message>
    <message>
        <source>Shows of the models to download only those that run here</source>
        <translation>Zeigt von den Modellen zum Herunterladen nur die, die hier laufen</translation>
    </message>
    <message>
        <source>Signed</source>
        <translation>Signiert</translation>
    </message>
    <message>
        <source>Signed by the machine that answered; it matches the question and every token.</source>
        <translation>Unterschrieben von dem Rechner, der geantwortet hat; es passt zur Frage und zu jedem Token.</translation>
    </message>
    <message>
        <source>Signed by the machines that answered ({count}), each for its part; they match the question and every token.</source>
        <translation>Unterschrieben von den Rechnern, die geantwortet haben ({count}), jeder für seinen Teil; es passt zur Frage und zu jedem Token.</translation>
    </message>
    <message>
        <source>Signed: the answering node signed a receipt for exactly this answer, and the receipt was checked.</source>
        <translation>Signiert: Der antwortende Knoten hat für genau diese Antwort eine Quittung unterschrieben, und die Quittung wurde geprüft.</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>So much waits in memory already that nothing can be added.</source>
        <translation>Im Speicher wartet schon so viel, dass nichts mehr dazukommen kann.</translation>
    </message>
    <message>
        <source>So slow a connection delays new links, not answers.</source>
        <translation>Eine so langsame Verbindung verzögert neue Verbindungen zu anderen, nicht Antworten.</translation>
    </message>
    <message>
        <source>So that your machine is there for others.</source>
        <translation>Damit dein Rechner für andere da ist.</translation>
    </message>
    <message>
        <source>Some of your rules for contributing could not be read: {names}. Perhaps another version has written them ({place}). Nothing is done for others until you use the rules that would hold now, or change one of them and thereby use the others.</source>
        <translation>Einige deiner Regeln fürs Beitragen ließen sich nicht lesen: {names}. Vielleicht hat eine andere Version sie geschrieben ({place}). Für andere geschieht nichts, bis du die Regeln nimmst, die jetzt gelten würden, oder eine davon änderst und damit auch die übrigen nimmst.</translation>
    </message>
    <message>
        <source>Somebody is at this machine. It goes on after {minutes} minutes without mouse and keyboard.</source>
        <translation>Jemand arbeitet an diesem Rechner. Nach {minutes} Minuten ohne Maus und Tastatur geht es weiter.</translation>
    </message>
    <message>
        <source>Something else answers in the place of the bootstrap server ({said}).</source>
        <translation>Etwas anderes antwortet anstelle des Bootstrap-Servers ({said}).</translation>
    </message>
    <message>
        <source>Something was damaged and begins anew</source>
        <translation>Etwas war beschädigt und beginnt neu</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Herkunft</translation>
    </message>
    <message>
        <source>Start and end</source>
        <translation>Start und Ende</translation>
    </message>
    <message>
        <source>Start chatting</source>
        <translation>Los geht’s</translation>
    </message>
    <message>
        <source>Start with the computer</source>
        <translation>Mit dem Computer starten</translation>
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
        <source>Stay until the disk has room for them, or export the chats to another place.</source>
        <translation>Bleib, bis die Platte Platz dafür hat, oder exportiere die Chats an einen anderen Ort.</translation>
    </message>
    <message>
        <source>Steps in where no graphics card can be used</source>
        <translation>Springt ein, wo keine Grafikkarte benutzt werden kann</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Stop and ask me</source>
        <translation>Anhalten und fragen</translation>
    </message>
    <message>
        <source>Stop and delete</source>
        <translation>Beenden und löschen</translation>
    </message>
    <message>
        <source>Stop it</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>Antwort anhalten</translation>
    </message>
    <message>
        <source>Stop the answer that is being written to another version</source>
        <translation>Die Antwort anhalten, die zu einer anderen Fassung geschrieben wird</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>Angehalten.</translation>
    </message>
    <message>
        <source>Stopped: {done} have arrived</source>
        <translation>Angehalten: {done} sind angekommen</translation>
    </message>
    <message>
        <source>Stopped: {done} of {total} have arrived</source>
        <translation>Angehalten: {done} von {total} sind angekommen</translation>
    </message>
    <message>
        <source>Strangers&apos; prompts run on this machine, while it is in a network. Who asks stays unknown here. One click in the window or the tray ends it.</source>
        <translation>Prompts von Fremden laufen auf diesem Rechner, solange er in einem Netz ist. Wer fragt, bleibt hier unbekannt. Ein Klick im Fenster oder neben der Uhr beendet es.</translation>
    </message>
    <message>
        <source>Strangers&apos; sealed traffic runs through your connection. It cannot be read here.</source>
        <translation>Versiegelter Verkehr von Fremden läuft über deine Leitung. Er ist hier nicht lesbar.</translation>
    </message>
    <message>
        <source>Strict: some links need the network&apos;s TURN server</source>
        <translation>Streng: Manche Verbindungen brauchen den TURN-Server des Netzes</translation>
    </message>
    <message>
        <source>Such as a phone that shares its connection.</source>
        <translation>Etwa ein Telefon, das seine Verbindung teilt.</translation>
    </message>
    <message>
        <source>Switch on automatic time in the system&apos;s settings.</source>
        <translation>Schalte in den Einstellungen des Systems die automatische Zeit ein.</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>Systemprompt</translation>
    </message>
    <message>
        <source>TURN server</source>
        <translation>TURN-Server</translation>
    </message>
    <message>
        <source>TURN servers are being tried</source>
        <translation>TURN-Server werden ausprobiert</translation>
    </message>
    <message>
        <source>Tab</source>
        <comment>key</comment>
        <translation>Tabulator</translation>
    </message>
    <message>
        <source>Takes next to no processor, and part of your connection. What passes cannot be read here.</source>
        <translation>Braucht kaum Prozessor und einen Teil deiner Verbindung. Was durchläuft, lässt sich hier nicht lesen.</translation>
    </message>
    <message>
        <source>Tell the operator that it does not answer, unless your firewall blocks its ports.</source>
        <translation>Sag dem Betreiber, dass er nicht antwortet, es sei denn, deine Firewall sperrt seine Ports.</translation>
    </message>
    <message>
        <source>Tell the operator to use a certificate that systems trust, or have his authority&apos;s certificate and name it with --turn-ca FILE.</source>
        <translation>Bitte den Betreiber um ein Zertifikat, dem Systeme vertrauen, oder um das seiner Zertifizierungsstelle und nenn es mit --turn-ca DATEI.</translation>
    </message>
    <message>
        <source>Tell the operator: the TURN server and the bootstrap server have different secrets.</source>
        <translation>Sag dem Betreiber: TURN-Server und Bootstrap-Server haben verschiedene Geheimnisse.</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>Temperatur</translation>
    </message>
    <message>
        <source>Temporary chat</source>
        <translation>Temporärer Chat</translation>
    </message>
    <message>
        <source>Temporary chat: nothing of it is kept</source>
        <translation>Temporärer Chat: Nichts davon wird aufbewahrt</translation>
    </message>
    <message>
        <source>Temporary chat: nothing of it is written to the disk</source>
        <translation>Temporärer Chat: Nichts davon wird auf die Festplatte geschrieben</translation>
    </message>
    <message>
        <source>Text of the licence</source>
        <translation>Text der Lizenz</translation>
    </message>
    <message>
        <source>Text of {name}</source>
        <translation>Text von {name}</translation>
    </message>
    <message>
        <source>Text to pass on</source>
        <translation>Text zum Weitergeben</translation>
    </message>
    <message>
        <source>Texts that end an answer</source>
        <translation>Texte, die eine Antwort beenden</translation>
    </message>
    <message>
        <source>That lies in a folder of this machine</source>
        <translation>Das in einem Ordner dieses Rechners liegt</translation>
    </message>
    <message>
        <source>That machine has another model now; another one goes on with the answer</source>
        <translation>Dieser Rechner hat jetzt ein anderes Modell; ein anderer setzt die Antwort fort</translation>
    </message>
    <message>
        <source>That machine has another model now; asking another one</source>
        <translation>Dieser Rechner hat jetzt ein anderes Modell; ein anderer wird gefragt</translation>
    </message>
    <message>
        <source>That machine is full; another one goes on with the answer</source>
        <translation>Dieser Rechner ist voll; ein anderer setzt die Antwort fort</translation>
    </message>
    <message>
        <source>That machine is full; asking another one</source>
        <translation>Dieser Rechner ist voll; ein anderer wird gefragt</translation>
    </message>
    <message numerus="yes">
        <source>The %Ln oldest message(s) did not fit and were not sent to the model.</source>
        <translation>
            <numerusform>Die %Ln älteste Nachricht passte nicht und ging nicht an das Modell.</numerusform>
            <numerusform>Die %Ln ältesten Nachrichten passten nicht und gingen nicht an das Modell.</numerusform>
        </translation>
    </message>
    <message>
        <source>The GPU or its driver does not answer as it should: {error}</source>
        <translation>Die GPU oder ihr Treiber antwortet nicht, wie sie sollten: {error}</translation>
    </message>
    <message>
        <source>The PDF is being made</source>
        <translation>Das PDF wird erstellt</translation>
    </message>
    <message>
        <source>The X server does not tell: {problem}</source>
        <translation>Der X-Server sagt es nicht: {problem}</translation>
    </message>
    <message>
        <source>The address named no network id, so the first network that answered is trusted from now on: &quot;{name}&quot;, {number}. Compare this number with the operator&apos;s.</source>
        <translation>Die Adresse nannte kein Netz, darum wird von jetzt an dem ersten vertraut, das geantwortet hat: „{name}“, {number}. Vergleiche diese Nummer mit der des Betreibers.</translation>
    </message>
    <message>
        <source>The address names a network that this server does not serve.</source>
        <translation>Die Adresse nennt ein Netz, das dieser Server nicht bedient.</translation>
    </message>
    <message>
        <source>The anonymous paths are not ready: {problem} You can also ask the model on this machine.</source>
        <translation>Die anonymen Pfade sind nicht bereit: {problem} Du kannst auch das Modell auf diesem Rechner fragen.</translation>
    </message>
    <message>
        <source>The answer ended without its last event. Its text may be incomplete; ask again.</source>
        <translation>Die Antwort endete ohne ihr letztes Ereignis. Ihr Text kann unvollständig sein; frag noch einmal.</translation>
    </message>
    <message>
        <source>The answer in another chat has come to its end</source>
        <translation>Die Antwort in einem anderen Chat ist zu Ende</translation>
    </message>
    <message>
        <source>The answer was not read in time, so it was stopped. Ask again.</source>
        <translation>Die Antwort wurde nicht rechtzeitig gelesen und deshalb angehalten. Frag noch einmal.</translation>
    </message>
    <message>
        <source>The answer was stopped.</source>
        <translation>Die Antwort wurde angehalten.</translation>
    </message>
    <message>
        <source>The answer was stopped. What had arrived is kept.</source>
        <translation>Die Antwort wurde angehalten. Was angekommen war, bleibt.</translation>
    </message>
    <message>
        <source>The answer was stopped. What has arrived is kept.</source>
        <translation>Die Antwort wurde angehalten. Was angekommen ist, bleibt.</translation>
    </message>
    <message numerus="yes">
        <source>The answer was stopped: it is longer than %Ln characters.</source>
        <translation>
            <numerusform>Die Antwort wurde angehalten: Sie ist länger als %Ln Zeichen.</numerusform>
            <numerusform>Die Antwort wurde angehalten: Sie ist länger als %Ln Zeichen.</numerusform>
        </translation>
    </message>
    <message>
        <source>The answer was stopped: it is longer than {most} characters.</source>
        <translation>Die Antwort wurde angehalten: Sie ist länger als {most} Zeichen.</translation>
    </message>
    <message>
        <source>The answer was too long ago: receipts of newer ones only are looked at.</source>
        <translation>Die Antwort ist zu lange her: Nur Quittungen neuerer Antworten werden angesehen.</translation>
    </message>
    <message>
        <source>The answers of this run are not counted. {problem}</source>
        <translation>Die Antworten bis zum nächsten Start werden nicht gezählt. {problem}</translation>
    </message>
    <message>
        <source>The bootstrap server answers, but logging in failed: {detail}</source>
        <translation>Der Bootstrap-Server antwortet, aber die Anmeldung misslang: {detail}</translation>
    </message>
    <message>
        <source>The bootstrap server does not answer ({said}).</source>
        <translation>Der Bootstrap-Server antwortet nicht ({said}).</translation>
    </message>
    <message>
        <source>The bootstrap server does not follow the login protocol. Is the address right?</source>
        <translation>Der Bootstrap-Server hält sich nicht ans Anmeldeprotokoll. Stimmt die Adresse?</translation>
    </message>
    <message>
        <source>The bootstrap server of “{name}” answers in {milliseconds} ms.</source>
        <translation>Der Bootstrap-Server von „{name}“ antwortet in {milliseconds} ms.</translation>
    </message>
    <message>
        <source>The bootstrap server refused this node: {reason}.</source>
        <translation>Der Bootstrap-Server hat diesen Knoten abgelehnt: {reason}.</translation>
    </message>
    <message>
        <source>The bootstrap server signed two different directories of epoch {epoch}, so somebody is shown a network of his own. Do not rely on anonymity until its operator has explained this.</source>
        <translation>Der Bootstrap-Server hat zwei verschiedene Verzeichnisse der Epoche {epoch} unterschrieben, also wird jemandem ein eigenes Netz gezeigt. Verlass dich nicht auf die Anonymität, bis der Betreiber das erklärt hat.</translation>
    </message>
    <message>
        <source>The bootstrap server speaks protocol versions {least} to {most} and this program {own_least} to {own_most}. Update the older of the two.</source>
        <translation>Der Bootstrap-Server spricht die Protokollversionen {least} bis {most} und dieses Programm {own_least} bis {own_most}. Erneuere das ältere von beiden.</translation>
    </message>
    <message>
        <source>The bootstrap server {preferred} does not answer, so {current} is used until it does.</source>
        <translation>Der Bootstrap-Server {preferred} antwortet nicht, deshalb wird bis dahin {current} benutzt.</translation>
    </message>
    <message>
        <source>The bootstrap server {server} cannot be reached ({error}).</source>
        <translation>Der Bootstrap-Server {server} ist nicht zu erreichen ({error}).</translation>
    </message>
    <message>
        <source>The bootstrap server&apos;s certificate is not trusted ({said}).</source>
        <translation>Dem Zertifikat des Bootstrap-Servers wird nicht vertraut ({said}).</translation>
    </message>
    <message>
        <source>The built-in model knows this app. Begin with one of these, or type below.</source>
        <translation>Das eingebaute Modell kennt diese App und liest Englisch. Beginne mit einer dieser Fragen oder schreibe unten.</translation>
    </message>
    <message>
        <source>The built-in one knows little beyond this program.</source>
        <translation>Das eingebaute weiß wenig außer über dieses Programm.</translation>
    </message>
    <message>
        <source>The catalogue has no model &apos;{model}&apos;.</source>
        <translation>Der Katalog hat kein Modell „{model}“.</translation>
    </message>
    <message>
        <source>The catalogue of the program</source>
        <translation>Der Katalog des Programms</translation>
    </message>
    <message>
        <source>The change of this node&apos;s identity could not be told: {problem}</source>
        <translation>Der Wechsel der Identität dieses Knotens konnte nicht mitgeteilt werden: {problem}</translation>
    </message>
    <message>
        <source>The chat database cannot be used ({error}). Check the disk.</source>
        <translation>Die Chat-Datenbank kann nicht benutzt werden ({error}). Prüfe die Platte.</translation>
    </message>
    <message>
        <source>The chat database was damaged ({found}).</source>
        <translation>Die Datenbank der Chats war beschädigt ({found}).</translation>
    </message>
    <message>
        <source>The chat database was damaged.</source>
        <translation>Die Datenbank der Chats war beschädigt.</translation>
    </message>
    <message>
        <source>The chat database was not of this program.</source>
        <translation>Die Datenbank der Chats war nicht von diesem Programm.</translation>
    </message>
    <message>
        <source>The chat database was of a newer version of this program.</source>
        <translation>Die Datenbank der Chats war von einer neueren Version dieses Programms.</translation>
    </message>
    <message>
        <source>The chat is not here yet. What you have written is kept; send it as soon as the chat shows.</source>
        <translation>Der Chat ist noch nicht da. Was du geschrieben hast, bleibt erhalten; schick es ab, sobald der Chat zu sehen ist.</translation>
    </message>
    <message>
        <source>The chat template in {path} is broken: {reason}. Download the model again; if that does not help, the repository itself is at fault: choose another model.</source>
        <translation>Die Chat-Vorlage in {path} ist fehlerhaft: {reason}. Lade das Modell noch einmal herunter; hilft das nicht, liegt es am Repository selbst: Wähle ein anderes Modell.</translation>
    </message>
    <message>
        <source>The chat was exported to {path}.</source>
        <translation>Der Chat wurde nach {path} exportiert.</translation>
    </message>
    <message>
        <source>The chat was not exported: {reason}. Choose another place.</source>
        <translation>Der Chat wurde nicht exportiert: {reason}. Wähl einen anderen Ort.</translation>
    </message>
    <message>
        <source>The chat “{name}” was deleted elsewhere.</source>
        <translation>Der Chat „{name}“ wurde anderswo gelöscht.</translation>
    </message>
    <message>
        <source>The clock is right.</source>
        <translation>Die Uhr geht richtig.</translation>
    </message>
    <message>
        <source>The committee has other members now: this machine is a verifier no longer.</source>
        <translation>Das Komitee hat jetzt andere Mitglieder: Dieser Rechner ist kein Prüfer mehr.</translation>
    </message>
    <message>
        <source>The committee&apos;s new block could not be kept; it is fetched again later. {problem}</source>
        <translation>Der neue Block des Komitees konnte nicht aufgehoben werden; er wird später noch einmal geholt. {problem}</translation>
    </message>
    <message>
        <source>The committee&apos;s verifiers have found that this machine reads {speeds}, less than it says; other machines pass questions on by that. Other programs may have kept it busy, or several nodes share its hardware. It is measured again, and you need not do anything.</source>
        <translation>Die Prüfer des Komitees haben gefunden, dass dieser Rechner {speeds} liest, weniger als er sagt; danach geben andere Rechner Fragen weiter. Vielleicht haben ihn andere Programme beschäftigt, oder mehrere Knoten teilen sich die Hardware. Es wird noch einmal gemessen, und du musst nichts tun.</translation>
    </message>
    <message>
        <source>The connection could not be checked</source>
        <translation>Die Verbindung war nicht zu prüfen</translation>
    </message>
    <message>
        <source>The connection is metered.</source>
        <translation>Die Verbindung ist getaktet.</translation>
    </message>
    <message>
        <source>The connection is not encrypted.</source>
        <translation>Die Verbindung ist nicht verschlüsselt.</translation>
    </message>
    <message>
        <source>The conversation is too long for the model.</source>
        <translation>Die Unterhaltung ist für das Modell zu lang.</translation>
    </message>
    <message>
        <source>The conversation takes {text} of the context of {model}.</source>
        <translation>Die Unterhaltung belegt {text} im Kontext von {model}.</translation>
    </message>
    <message>
        <source>The count of this month&apos;s energy and traffic was damaged and is set aside as {place}. Limits of the month count from nothing.</source>
        <translation>Die Zählung von Strom und Datenverkehr dieses Monats war beschädigt und liegt jetzt unter {place}. Die Grenzen des Monats zählen von null an.</translation>
    </message>
    <message>
        <source>The data directory {folder} cannot be used ({error}). Name another place with --data or GENTORRENT_DATA.</source>
        <translation>Der Datenordner {folder} lässt sich nicht benutzen ({error}). Nenn einen anderen Ort mit --data oder GENTORRENT_DATA.</translation>
    </message>
    <message>
        <source>The data directory {folder} is a file. The engine keeps its keys and state in a folder. Name another place with --data or GENTORRENT_DATA.</source>
        <translation>Der Datenordner {folder} ist eine Datei. Die Engine bewahrt ihre Schlüssel und ihren Zustand in einem Ordner auf. Nenn einen anderen Ort mit --data oder GENTORRENT_DATA.</translation>
    </message>
    <message>
        <source>The device that computes {model} failed: {problem}.</source>
        <translation>Das Gerät, das {model} rechnet, ist ausgefallen: {problem}.</translation>
    </message>
    <message>
        <source>The diagnostics were not saved: {reason}. Choose another place.</source>
        <translation>Die Diagnose wurde nicht gespeichert: {reason}. Wähle einen anderen Ort.</translation>
    </message>
    <message>
        <source>The directory could not be fetched: {problem}</source>
        <translation>Das Verzeichnis ließ sich nicht holen: {problem}</translation>
    </message>
    <message>
        <source>The directory is used but could not be kept for the next start. {problem}</source>
        <translation>Das Verzeichnis wird benutzt, konnte aber für den nächsten Start nicht aufgehoben werden. {problem}</translation>
    </message>
    <message>
        <source>The directory of the network is not here yet.</source>
        <translation>Das Verzeichnis des Netzes ist noch nicht da.</translation>
    </message>
    <message>
        <source>The disk does not take this.</source>
        <translation>Die Platte nimmt das nicht an.</translation>
    </message>
    <message>
        <source>The disk is full: {file} cannot grow.</source>
        <translation>Die Festplatte ist voll: {file} kann nicht wachsen.</translation>
    </message>
    <message>
        <source>The download was stopped.</source>
        <translation>Das Herunterladen wurde angehalten.</translation>
    </message>
    <message>
        <source>The download was stopped. What has arrived is kept.</source>
        <translation>Das Herunterladen wurde angehalten. Was angekommen ist, bleibt.</translation>
    </message>
    <message>
        <source>The driver does not permit this user to limit the power of {device}. The engine works in pauses instead, so that it stays below.</source>
        <translation>Der Treiber erlaubt diesem Benutzer nicht, die Leistung zu begrenzen ({device}). Stattdessen macht die Engine zwischendurch Pausen, um darunter zu bleiben.</translation>
    </message>
    <message>
        <source>The driver does not permit this user to look at the GPU.</source>
        <translation>Der Treiber erlaubt diesem Benutzer nicht, nach der GPU zu sehen.</translation>
    </message>
    <message>
        <source>The engine cannot be started: {reason}</source>
        <translation>Die Engine lässt sich nicht starten: {reason}</translation>
    </message>
    <message>
        <source>The engine cut the connection because the window was too slow. Connecting again.</source>
        <translation>Die Engine hat die Verbindung getrennt, weil das Fenster zu langsam war. Sie wird neu verbunden.</translation>
    </message>
    <message>
        <source>The engine does not run yet. Try again in a moment.</source>
        <translation>Die Engine läuft noch nicht. Versuch es gleich noch einmal.</translation>
    </message>
    <message>
        <source>The engine ended meanwhile.</source>
        <translation>Die Engine endete inzwischen.</translation>
    </message>
    <message>
        <source>The engine ended meanwhile. Check again.</source>
        <translation>Die Engine endete währenddessen. Prüf noch einmal.</translation>
    </message>
    <message>
        <source>The engine ended meanwhile. Try again.</source>
        <translation>Die Engine hat inzwischen geendet. Versuche es noch einmal.</translation>
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
        <source>The engine ended while this answer was written. What had arrived is kept, but perhaps not its last second; ask again.</source>
        <translation>Die Engine endete, während diese Antwort geschrieben wurde. Was angekommen war, bleibt, nur seine letzte Sekunde vielleicht nicht; frag noch einmal.</translation>
    </message>
    <message>
        <source>The engine ends, or deletes everything. Ask again in a moment.</source>
        <translation>Die Engine endet oder löscht alles. Frag gleich noch einmal.</translation>
    </message>
    <message>
        <source>The engine ends. Ask again in a moment.</source>
        <translation>Die Engine endet. Frag gleich noch einmal.</translation>
    </message>
    <message>
        <source>The engine ends; chats are closed already.</source>
        <translation>Die Engine endet; die Chats sind schon geschlossen.</translation>
    </message>
    <message>
        <source>The engine finds no graphics card that it can use here. This machine can still pass on traffic for others, or answer with a small model on its processor.</source>
        <translation>Die Engine findet hier keine Grafikkarte, die sie benutzen kann. Dieser Rechner kann trotzdem Verkehr für andere weiterleiten oder mit einem kleinen Modell auf seinem Prozessor antworten.</translation>
    </message>
    <message>
        <source>The engine is asked for the details</source>
        <translation>Die Engine wird nach den Einzelheiten gefragt</translation>
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
        <source>The engine is stopping, and this answer with it.</source>
        <translation>Die Engine hört auf, und diese Antwort mit ihr.</translation>
    </message>
    <message>
        <source>The engine made a mistake while it answered; its log says which.</source>
        <translation>Die Engine hat beim Antworten einen Fehler gemacht; ihr Protokoll sagt, welchen.</translation>
    </message>
    <message>
        <source>The engine made a mistake with this; its log says which.</source>
        <translation>Die Engine hat dabei einen Fehler gemacht; ihr Protokoll sagt, welchen.</translation>
    </message>
    <message>
        <source>The engine made a mistake.</source>
        <translation>Die Engine hat einen Fehler gemacht.</translation>
    </message>
    <message>
        <source>The engine on this machine ended while it answered, so the answer is incomplete.</source>
        <translation>Die Engine auf diesem Rechner ging während der Antwort zu Ende, deshalb ist die Antwort unvollständig.</translation>
    </message>
    <message>
        <source>The engine on this machine says what it has as soon as it runs.</source>
        <translation>Die Engine auf diesem Rechner sagt, was sie hat, sobald sie läuft.</translation>
    </message>
    <message>
        <source>The engine runs its server, also while this window is closed, and starts anew to join it.</source>
        <translation>Die Engine betreibt seinen Server, auch wenn dieses Fenster zu ist, und startet neu, um beizutreten.</translation>
    </message>
    <message>
        <source>The engine starts anew with what you have chosen as soon as no answer is being written.</source>
        <translation>Die Engine startet mit deiner Wahl neu, sobald keine Antwort mehr geschrieben wird.</translation>
    </message>
    <message>
        <source>The engine starts anew with what you have chosen.</source>
        <translation>Die Engine startet mit deiner Wahl neu.</translation>
    </message>
    <message>
        <source>The engine starts anew, and your questions are answered on this machine alone.</source>
        <translation>Die Engine startet neu, und deine Fragen werden nur noch auf diesem Rechner beantwortet.</translation>
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
        <source>The engine was not started by this window. Start it anew, and it is in effect.</source>
        <translation>Die Engine wurde nicht von diesem Fenster gestartet. Starte sie neu, dann gilt es.</translation>
    </message>
    <message>
        <source>The engine was started anew. It does not know what was said in this temporary chat.</source>
        <translation>Die Engine wurde neu gestartet. Sie weiß nicht, was in diesem temporären Chat gesagt wurde.</translation>
    </message>
    <message>
        <source>The engine was started anew. Try again.</source>
        <translation>Die Engine wurde neu gestartet. Versuch es noch einmal.</translation>
    </message>
    <message>
        <source>The engine was stopped. It is being started again.</source>
        <translation>Die Engine wurde angehalten. Sie wird neu gestartet.</translation>
    </message>
    <message>
        <source>The engine&apos;s settings switch this off (sensors).</source>
        <translation>Die Einstellungen der Engine schalten das ab (sensors).</translation>
    </message>
    <message>
        <source>The environment variable {name}</source>
        <translation>Die Umgebungsvariable {name}</translation>
    </message>
    <message>
        <source>The file of the chats, {name}, was deleted or moved away while the engine ran.</source>
        <translation>Die Datei der Chats, {name}, wurde gelöscht oder verschoben, während die Engine lief.</translation>
    </message>
    <message>
        <source>The file {name} is longer than {most} characters, which no model here could read at once. Attach a part of it.</source>
        <translation>Die Datei {name} ist länger als {most} Zeichen, was kein Modell hier auf einmal lesen könnte. Hänge einen Teil davon an.</translation>
    </message>
    <message>
        <source>The file {path}, which names the network that was joined, cannot be read ({error}). Delete it and join again.</source>
        <translation>Die Datei {path}, die das beigetretene Netz nennt, lässt sich nicht lesen ({error}). Lösch sie und tritt noch einmal bei.</translation>
    </message>
    <message>
        <source>The files of {model} are those that its manifest names, but together they are another model than its publisher has signed. It is not used; tell the publisher.</source>
        <translation>Die Dateien von {model} sind die, die sein Manifest nennt, zusammen aber ein anderes Modell, als sein Herausgeber signiert hat. Es wird nicht benutzt; sag es dem Herausgeber.</translation>
    </message>
    <message>
        <source>The first relays. Know this machine&apos;s address, not the question or who answers.</source>
        <translation>Die ersten Relays. Kennen die Adresse dieses Rechners, nicht die Frage und nicht, wer antwortet.</translation>
    </message>
    <message>
        <source>The folder of an ONNX model, laid out as repositories of the hub are. No program in it is run.</source>
        <translation>Der Ordner eines ONNX-Modells, aufgebaut wie Repositorys des Hubs. Kein Programm darin wird ausgeführt.</translation>
    </message>
    <message>
        <source>The folder {folder} cannot be found: there is no such user on this machine. Write the whole path.</source>
        <translation>Der Ordner {folder} ist nicht zu finden: Diesen Benutzer gibt es auf diesem Rechner nicht. Schreib den ganzen Pfad.</translation>
    </message>
    <message>
        <source>The folder {folder} has to be named from the root of the disk.</source>
        <translation>Der Ordner {folder} muss mit vollem Pfad genannt werden.</translation>
    </message>
    <message>
        <source>The folder {folder} is no model that can be used here. It lacks {parts}. Take what is missing from the model&apos;s repository.</source>
        <translation>Der Ordner {folder} ist kein Modell, das hier genutzt werden kann. Es fehlt: {parts}. Hole das Fehlende aus dem Repository des Modells.</translation>
    </message>
    <message>
        <source>The folder {folder} is no model that can be used here: {problem}</source>
        <translation>Der Ordner {folder} ist kein Modell, das hier genutzt werden kann: {problem}</translation>
    </message>
    <message>
        <source>The full address: {address}</source>
        <translation>Die ganze Adresse: {address}</translation>
    </message>
    <message>
        <source>The hub does not give {file} of {model}: status {status}. Try again later.</source>
        <translation>Der Hub gibt {file} von {model} nicht heraus: Status {status}. Versuche es später erneut.</translation>
    </message>
    <message>
        <source>The hub is asked</source>
        <translation>Der Hub wird gefragt</translation>
    </message>
    <message>
        <source>The hub knows nothing of that name</source>
        <translation>Der Hub kennt nichts mit diesem Namen</translation>
    </message>
    <message>
        <source>The hub learns the words that you look for</source>
        <translation>Der Hub erfährt die Wörter, nach denen du suchst</translation>
    </message>
    <message>
        <source>The icon beside the clock opens it again.</source>
        <translation>Das Symbol neben der Uhr öffnet es wieder.</translation>
    </message>
    <message>
        <source>The id &apos;{chat}&apos; belongs to a deleted chat. Restore it, or take another id.</source>
        <translation>Die Kennung „{chat}“ gehört zu einem gelöschten Chat. Hol ihn zurück oder nimm eine andere Kennung.</translation>
    </message>
    <message>
        <source>The import was stopped. Nothing of it stays.</source>
        <translation>Der Import wurde angehalten. Nichts davon bleibt.</translation>
    </message>
    <message>
        <source>The invitation expired on {when}, unless this computer&apos;s clock is wrong. Set the clock if it is; else ask the operator for a new invitation.</source>
        <translation>Die Einladung ist am {when} abgelaufen, wenn die Uhr dieses Rechners stimmt. Stell sie, falls nicht; sonst bitte den Betreiber um eine neue Einladung.</translation>
    </message>
    <message>
        <source>The invitation is incomplete or mistyped. Copy the whole text again.</source>
        <translation>Die Einladung ist unvollständig oder vertippt. Kopiere den ganzen Text noch einmal.</translation>
    </message>
    <message>
        <source>The invitation was made for another machine. Send its operator the two ids of this one, which stand on the page Network (gentorrent invite ids), and ask for an invitation that is good for them.</source>
        <translation>Die Einladung gilt für einen anderen Rechner. Schick ihrem Betreiber die beiden Kennungen von diesem, die auf der Seite Netz stehen (gentorrent invite ids), und bitte um eine Einladung, die für sie gilt.</translation>
    </message>
    <message>
        <source>The invitation was made on {when}, which is yet to come by this computer&apos;s clock, so the clock is wrong. Set it and try again.</source>
        <translation>Die Einladung entstand am {when}, was nach der Uhr dieses Rechners noch bevorsteht. Die Uhr geht also falsch: Stell sie und versuch es noch einmal.</translation>
    </message>
    <message>
        <source>The key file {path} is damaged. Restore it from a backup, or move it away to start with new keys (the node then gets a new id).</source>
        <translation>Die Schlüsseldatei {path} ist beschädigt. Stell sie aus einer Sicherung wieder her, oder schieb sie beiseite, um mit neuen Schlüsseln zu beginnen (der Knoten bekommt dann eine neue Kennung).</translation>
    </message>
    <message>
        <source>The keys in {path} are encrypted with a passphrase. Set {variable}.</source>
        <translation>Die Schlüssel in {path} sind mit einer Passphrase verschlüsselt. Setz {variable}.</translation>
    </message>
    <message>
        <source>The keys in {path} are protected by the system&apos;s keyring, which does not answer (is it locked, or is {switch} set to off?). Unlock it and start again.</source>
        <translation>Die Schlüssel in {path} sind durch den Schlüsselbund des Systems geschützt, der nicht antwortet (ist er gesperrt, oder steht {switch} auf off?). Entsperr ihn und starte neu.</translation>
    </message>
    <message>
        <source>The keys in {path} cannot be opened: {cause}.</source>
        <translation>Die Schlüssel in {path} lassen sich nicht öffnen: {cause}.</translation>
    </message>
    <message>
        <source>The keys of the day could not be made. {problem}</source>
        <translation>Die Schlüssel des Tages konnten nicht erzeugt werden. {problem}</translation>
    </message>
    <message>
        <source>The keys of this engine lie in a file that is not encrypted; no keyring works here.</source>
        <translation>Die Schlüssel dieser Engine liegen in einer unverschlüsselten Datei; hier funktioniert kein Schlüsselbund.</translation>
    </message>
    <message>
        <source>The kind of router could not be found out: no STUN or TURN server is known.</source>
        <translation>Die Art des Routers war nicht herauszufinden: Kein STUN- oder TURN-Server ist bekannt.</translation>
    </message>
    <message>
        <source>The last directory is {hours} h old and no longer trusted, so nothing new can be started.</source>
        <translation>Das letzte Verzeichnis ist {hours} h alt und gilt nicht mehr, deshalb kann nichts Neues beginnen.</translation>
    </message>
    <message>
        <source>The last directory, {hours} h old, stays in use for up to 24 h; trying again.</source>
        <translation>Das letzte Verzeichnis, {hours} h alt, wird bis zu 24 h weiter benutzt; es wird wieder versucht.</translation>
    </message>
    <message>
        <source>The last relays. Know that somebody asks the answering node. Not who, nor what.</source>
        <translation>Die letzten Relays. Wissen, dass jemand den antwortenden Knoten fragt. Nicht wer, und nicht was.</translation>
    </message>
    <message>
        <source>The licence of {model} ({licence}) has to be accepted before it is downloaded.</source>
        <translation>Die Lizenz von {model} ({licence}) muss angenommen werden, bevor es heruntergeladen wird.</translation>
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
        <source>The list of guards could not be saved: {problem}</source>
        <translation>Die Liste der Wächter konnte nicht gespeichert werden: {problem}</translation>
    </message>
    <message>
        <source>The local network</source>
        <translation>Das lokale Netz</translation>
    </message>
    <message>
        <source>The local network ({address})</source>
        <translation>Das lokale Netz ({address})</translation>
    </message>
    <message>
        <source>The log of contributing was damaged and is set aside as {place}. It begins anew.</source>
        <translation>Das Protokoll des Beitragens war beschädigt und liegt jetzt unter {place}. Es beginnt neu.</translation>
    </message>
    <message>
        <source>The machine that answered broke the protocol. Ask again; another one answers.</source>
        <translation>Der Rechner, der geantwortet hat, hielt sich nicht an das Protokoll. Frag noch einmal; ein anderer antwortet.</translation>
    </message>
    <message>
        <source>The machine that answers holds less than it was thought to: earlier messages are left out</source>
        <translation>Der Rechner, der antwortet, fasst weniger als gedacht: Frühere Nachrichten werden weggelassen</translation>
    </message>
    <message>
        <source>The machine that answers reads the question</source>
        <translation>Der Rechner, der antwortet, liest die Frage</translation>
    </message>
    <message>
        <source>The machine that is asked does not serve {model} at the moment.</source>
        <translation>Der gefragte Rechner bietet {model} gerade nicht an.</translation>
    </message>
    <message>
        <source>The machine that signed the receipt is not known to the server.</source>
        <translation>Der Server kennt den Rechner nicht, der die Quittung unterschrieben hat.</translation>
    </message>
    <message>
        <source>The machine that was answering is gone.</source>
        <translation>Der Rechner, der geantwortet hat, ist weg.</translation>
    </message>
    <message>
        <source>The machine that was answering is gone. Another one that may not answer this has answered in its place. What has arrived is kept; ask again and another one answers.</source>
        <translation>Der Rechner, der geantwortet hat, ist weg. Ein anderer, der das nicht darf, hat an seiner Stelle geantwortet. Was angekommen ist, bleibt; frag noch einmal, dann antwortet ein anderer.</translation>
    </message>
    <message>
        <source>The machine that was answering is gone. It has fallen silent while our paths work. What has arrived is kept; ask again and another one answers.</source>
        <translation>Der Rechner, der geantwortet hat, ist weg. Er ist verstummt, während unsere Pfade arbeiten. Was angekommen ist, bleibt; frag noch einmal, dann antwortet ein anderer.</translation>
    </message>
    <message>
        <source>The machine that was answering is gone. Its links with our paths have ended. What has arrived is kept; ask again and another one answers.</source>
        <translation>Der Rechner, der geantwortet hat, ist weg. Seine Verbindungen mit unseren Pfaden sind zu Ende. Was angekommen ist, bleibt; frag noch einmal, dann antwortet ein anderer.</translation>
    </message>
    <message>
        <source>The machine that was answering is gone. What has arrived is kept; ask again and another one answers.</source>
        <translation>Der Rechner, der geantwortet hat, ist weg. Was angekommen ist, bleibt; frag noch einmal, dann antwortet ein anderer.</translation>
    </message>
    <message>
        <source>The machine that was answering is gone; another one goes on with the answer</source>
        <translation>Der Rechner, der geantwortet hat, ist weg; ein anderer setzt die Antwort fort</translation>
    </message>
    <message>
        <source>The machine that was answering is gone; asking another one</source>
        <translation>Der Rechner, der geantwortet hat, ist weg; ein anderer wird gefragt</translation>
    </message>
    <message>
        <source>The machine that was answering leaves.</source>
        <translation>Der Rechner, der geantwortet hat, geht.</translation>
    </message>
    <message>
        <source>The machine that was answering leaves; another one goes on with the answer</source>
        <translation>Der Rechner, der geantwortet hat, geht; ein anderer setzt die Antwort fort</translation>
    </message>
    <message>
        <source>The machine that was answering leaves; asking another one</source>
        <translation>Der Rechner, der geantwortet hat, geht; ein anderer wird gefragt</translation>
    </message>
    <message>
        <source>The machine that was asked has no place at the moment. Ask again; another one answers.</source>
        <translation>Der gefragte Rechner hat gerade keinen Platz. Frag noch einmal; ein anderer antwortet.</translation>
    </message>
    <message>
        <source>The machine that was to bring the receipt does not reach the server now. Try again.</source>
        <translation>Der Rechner, der die Quittung bringen sollte, erreicht den Server jetzt nicht. Versuche es noch einmal.</translation>
    </message>
    <message>
        <source>The machine that was to bring the receipt to the server brings as many as it may at the moment. Try again in some minutes.</source>
        <translation>Der Rechner, der die Quittung zum Server bringen sollte, bringt im Moment schon so viele, wie er darf. Versuche es in einigen Minuten noch einmal.</translation>
    </message>
    <message>
        <source>The machine that was to bring the receipt to the server did something else.</source>
        <translation>Der Rechner, der die Quittung zum Server bringen sollte, hat etwas anderes getan.</translation>
    </message>
    <message>
        <source>The machine that was to bring the receipt to the server does not answer. Try again.</source>
        <translation>Der Rechner, der die Quittung zum Server bringen sollte, antwortet nicht. Versuche es noch einmal.</translation>
    </message>
    <message>
        <source>The machine that was to bring the receipt to the server has not done so. Try again.</source>
        <translation>Der Rechner, der die Quittung zum Server bringen sollte, hat es nicht getan. Versuche es noch einmal.</translation>
    </message>
    <message>
        <source>The manifest of {model} by {publisher} has expired ({when}). Its publisher has to publish it anew; if that was done, look at this computer&apos;s clock.</source>
        <translation>Das Manifest von {model} von {publisher} ist abgelaufen ({when}). Sein Herausgeber muss es neu veröffentlichen; ist das geschehen, sieh nach der Uhr dieses Rechners.</translation>
    </message>
    <message>
        <source>The manifest of {model} is not signed by the publisher that it names: it is forged or damaged. Get it again from its publisher.</source>
        <translation>Das Manifest von {model} ist nicht von dem signiert, den es nennt: Es ist gefälscht oder beschädigt. Hole es noch einmal bei dem, der es veröffentlicht.</translation>
    </message>
    <message>
        <source>The manifest of {model} names no graph among its files. The model is not used.</source>
        <translation>Das Manifest von {model} nennt unter seinen Dateien keinen Graphen. Das Modell wird nicht benutzt.</translation>
    </message>
    <message>
        <source>The manifest of {model} names the address {address}, from which nothing is fetched: {problem}.</source>
        <translation>Das Manifest von {model} nennt die Adresse {address}, von der nichts geholt wird: {problem}.</translation>
    </message>
    <message>
        <source>The manifest of {model} names the file {file} twice. The model is not used.</source>
        <translation>Das Manifest von {model} nennt die Datei {file} zweimal. Das Modell wird nicht benutzt.</translation>
    </message>
    <message>
        <source>The manifest of {model} names the file {file}, which is not accepted: {problem}. The model is not used.</source>
        <translation>Das Manifest von {model} nennt die Datei {file}, die nicht angenommen wird: {problem}. Das Modell wird nicht benutzt.</translation>
    </message>
    <message>
        <source>The manifest of {model} was made on {when}, which is yet to come: this computer&apos;s clock is wrong, or that of the publisher was. Set it.</source>
        <translation>Das Manifest von {model} ist vom {when}, und das ist noch nicht gewesen: Die Uhr dieses Rechners geht falsch, oder die des Herausgebers ging falsch. Stelle sie.</translation>
    </message>
    <message>
        <source>The manifest would have {count} bytes, and {most} are allowed. Publish fewer files, or shorten the texts.</source>
        <translation>Das Manifest hätte {count} Bytes, erlaubt sind {most}. Veröffentliche weniger Dateien oder kürze die Texte.</translation>
    </message>
    <message>
        <source>The member of the committee with the key {key} has signed two things at once.</source>
        <translation>Das Mitglied des Komitees mit dem Schlüssel {key} hat zweierlei zugleich unterschrieben.</translation>
    </message>
    <message>
        <source>The message is too long.</source>
        <translation>Die Nachricht ist zu lang.</translation>
    </message>
    <message>
        <source>The model folder {path} does not exist. Download the model again.</source>
        <translation>Den Modellordner {path} gibt es nicht. Lade das Modell noch einmal herunter.</translation>
    </message>
    <message>
        <source>The model forgets how the conversation began. The system prompt stays.</source>
        <translation>Das Modell vergisst, wie die Unterhaltung begann. Der Systemprompt bleibt.</translation>
    </message>
    <message>
        <source>The model forgets what was said between them. The system prompt stays.</source>
        <translation>Das Modell vergisst, was dazwischen gesagt wurde. Der Systemprompt bleibt.</translation>
    </message>
    <message>
        <source>The model hub does not give this.</source>
        <translation>Der Modell-Hub gibt das nicht her.</translation>
    </message>
    <message>
        <source>The model hub {hub} cannot be reached ({reason}). Check the connection, or set HF_ENDPOINT to a mirror.</source>
        <translation>Der Modell-Hub {hub} ist nicht erreichbar ({reason}). Prüfe die Verbindung oder setze HF_ENDPOINT auf einen Spiegel.</translation>
    </message>
    <message>
        <source>The model hub; nobody has looked at it for you</source>
        <translation>Der Modell-Hub; niemand hat es sich für dich angesehen</translation>
    </message>
    <message>
        <source>The model is unreviewed and nobody can verify its answers: {publisher} ({fingerprint}) has published it, and there is no calibration for it. The signature says only which machine answered with which files.</source>
        <translation>Das Modell ist ungeprüft, und niemand kann seine Antworten prüfen: {publisher} ({fingerprint}) hat es veröffentlicht, und es gibt keine Kalibrierung dafür. Die Signatur sagt nur, welche Maschine mit welchen Dateien geantwortet hat.</translation>
    </message>
    <message>
        <source>The model reads the question</source>
        <translation>Das Modell liest die Frage</translation>
    </message>
    <message>
        <source>The model thinks before it answers</source>
        <translation>Das Modell denkt nach, bevor es antwortet</translation>
    </message>
    <message>
        <source>The model was stopped on this machine in the middle of the answer. Ask again.</source>
        <translation>Das Modell wurde auf diesem Rechner mitten in der Antwort angehalten. Frag noch einmal.</translation>
    </message>
    <message>
        <source>The model {model} cannot be loaded. {problem}</source>
        <translation>Das Modell {model} lässt sich nicht laden. {problem}</translation>
    </message>
    <message>
        <source>The model {model} cannot be used. {problem}</source>
        <translation>Das Modell {model} lässt sich nicht benutzen. {problem}</translation>
    </message>
    <message>
        <source>The model {model} could not be loaded within {seconds} s. Close other programs, or choose a smaller model.</source>
        <translation>Das Modell {model} ließ sich nicht innerhalb von {seconds} s laden. Schließ andere Programme, oder wähle ein kleineres Modell.</translation>
    </message>
    <message>
        <source>The model {model} is not loaded. {reason}</source>
        <translation>Das Modell {model} wird nicht geladen. {reason}</translation>
    </message>
    <message>
        <source>The model {model} is on this machine but was not there when the models were read. Start the app again to use it.</source>
        <translation>Das Modell {model} ist auf diesem Rechner, war aber noch nicht da, als die Modelle gelesen wurden. Starte die App neu, um es zu benutzen.</translation>
    </message>
    <message>
        <source>The model {model} was replaced by another version in the middle of the answer, which cannot go on with it. Ask again.</source>
        <translation>Das Modell {model} wurde mitten in der Antwort durch eine andere Version ersetzt, die sie nicht fortsetzen kann. Frag noch einmal.</translation>
    </message>
    <message numerus="yes">
        <source>The name is too long. %Ln characters fit.</source>
        <translation>
            <numerusform>Der Name ist zu lang. %Ln Zeichen passt.</numerusform>
            <numerusform>Der Name ist zu lang. %Ln Zeichen passen.</numerusform>
        </translation>
    </message>
    <message>
        <source>The name of a network has 1 to 64 characters that can be printed.</source>
        <translation>Der Name eines Netzes hat 1 bis 64 druckbare Zeichen.</translation>
    </message>
    <message>
        <source>The network &quot;{name}&quot; is private: only who is invited is admitted. Ask its operator for an invitation, and start once with --join INVITATION.</source>
        <translation>Das Netz „{name}“ ist privat: Nur wer eingeladen ist, kommt hinein. Bitte den Betreiber um eine Einladung, und starte einmal mit --join EINLADUNG.</translation>
    </message>
    <message>
        <source>The network cannot be asked yet.</source>
        <translation>Das Netz kann noch nicht gefragt werden.</translation>
    </message>
    <message>
        <source>The network cannot be asked: it is still being joined. Wait a moment, or ask the model on this machine.</source>
        <translation>Das Netz kann nicht gefragt werden: Der Beitritt läuft noch. Warte einen Moment oder frag das Modell auf diesem Rechner.</translation>
    </message>
    <message>
        <source>The network cannot be asked: no network is configured. Join one with --bootstrap, or ask the model on this machine.</source>
        <translation>Das Netz kann nicht gefragt werden: Es ist keines eingerichtet. Tritt mit --bootstrap einem bei oder frag das Modell auf diesem Rechner.</translation>
    </message>
    <message>
        <source>The network cannot be reached.</source>
        <translation>Das Netz ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>The network does not take what you published: {problem}</source>
        <translation>Das Netz nimmt nicht an, was du veröffentlicht hast: {problem}</translation>
    </message>
    <message>
        <source>The network has no relays for it now, and the receipt would go directly.</source>
        <translation>Das Netz hat dafür gerade keine Relays, und die Quittung ginge direkt.</translation>
    </message>
    <message>
        <source>The network has too few relays.</source>
        <translation>Das Netz hat zu wenige Relays.</translation>
    </message>
    <message>
        <source>The network knows that this node&apos;s new identity takes the place of its old one.</source>
        <translation>Das Netz weiß, dass die neue Identität dieses Knotens an die Stelle der alten tritt.</translation>
    </message>
    <message>
        <source>The network of this engine was named when it was started (--bootstrap, GENTORRENT_BOOTSTRAP or config.toml), which goes before what is joined here. Leave that out and start again.</source>
        <translation>Das Netz dieser Engine wurde bei ihrem Start genannt (--bootstrap, GENTORRENT_BOOTSTRAP oder config.toml), und das geht vor. Lass es weg und starte sie neu.</translation>
    </message>
    <message>
        <source>The network “{name}” cannot be reached.</source>
        <translation>Das Netz „{name}“ ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>The network “{name}” was made for this machine alone or for others as well, and that never changes.</source>
        <translation>Das Netz „{name}“ wurde entweder nur für diesen Rechner oder auch für andere angelegt, und das ändert sich nie.</translation>
    </message>
    <message>
        <source>The network “{name}” was made on this machine already. Start that one; its name and who may join it never change.</source>
        <translation>Auf diesem Rechner wurde schon das Netz „{name}“ angelegt. Starte dieses; sein Name und wer beitreten darf, ändern sich nie.</translation>
    </message>
    <message>
        <source>The network&apos;s operator offers no TURN server.</source>
        <translation>Der Betreiber des Netzes bietet keinen TURN-Server an.</translation>
    </message>
    <message>
        <source>The one with which this machine helps most, by memory, speed and what is asked.</source>
        <translation>Das, mit dem dieser Rechner am meisten hilft, nach Speicher, Geschwindigkeit und Nachfrage.</translation>
    </message>
    <message>
        <source>The operator can name a second STUN server.</source>
        <translation>Der Betreiber kann einen zweiten STUN-Server nennen.</translation>
    </message>
    <message>
        <source>The option {name}</source>
        <translation>Die Option {name}</translation>
    </message>
    <message>
        <source>The owner of this machine takes requests of at most {most} tokens.</source>
        <translation>Der Besitzer dieses Rechners nimmt Anfragen von höchstens {most} Token an.</translation>
    </message>
    <message>
        <source>The part before the @ is not the site. The link leads to {host}.</source>
        <translation>Der Teil vor dem @ ist nicht die Website. Der Link führt zu {host}.</translation>
    </message>
    <message>
        <source>The part of the engine that runs models cannot run: {reason}.</source>
        <translation>Der Teil der Engine, der Modelle rechnet, kann nicht laufen: {reason}.</translation>
    </message>
    <message>
        <source>The part of the engine that runs models ended: {reason}. It starts again, and answers go on.</source>
        <translation>Der Teil der Engine, der Modelle rechnet, ist zu Ende gegangen: {reason}. Er startet wieder, und die Antworten gehen weiter.</translation>
    </message>
    <message>
        <source>The part of the engine that runs models is being restarted.</source>
        <translation>Der Teil der Engine, der Modelle ausführt, wird neu gestartet.</translation>
    </message>
    <message>
        <source>The pause holds now, but cannot be kept for the next start: {problem}</source>
        <translation>Die Pause gilt jetzt, lässt sich aber nicht für den nächsten Start aufheben: {problem}</translation>
    </message>
    <message>
        <source>The port {port} on {host} cannot be used ({error}); another program, perhaps another engine, has it. The local API needs a port of its own: choose one with --api-port, or 0 for any free one.</source>
        <translation>Der Port {port} auf {host} lässt sich nicht benutzen ({error}); ein anderes Programm, vielleicht eine andere Engine, hat ihn. Die lokale API braucht einen eigenen Port: Wähle einen mit --api-port, oder 0 für irgendeinen freien.</translation>
    </message>
    <message>
        <source>The power of {device} could not be limited: {error} The engine works in pauses instead, so that it stays below.</source>
        <translation>Die Leistung ließ sich nicht begrenzen ({device}): {error} Stattdessen macht die Engine zwischendurch Pausen, um darunter zu bleiben.</translation>
    </message>
    <message>
        <source>The processor</source>
        <translation>Der Prozessor</translation>
    </message>
    <message>
        <source>The processor has no energy counter that programs can read.</source>
        <translation>Der Prozessor hat keinen Energiezähler, den Programme lesen können.</translation>
    </message>
    <message>
        <source>The processor is at {degrees} °C.</source>
        <translation>Der Prozessor ist {degrees} °C warm.</translation>
    </message>
    <message>
        <source>The program that computes answers does not stay up while it loads the model {model}: {reason}. Close other programs or choose a smaller model, and ask again.</source>
        <translation>Das Programm, das Antworten rechnet, endet immer wieder, während es das Modell {model} lädt: {reason}. Schließ andere Programme, oder wähle ein kleineres Modell, und frag noch einmal.</translation>
    </message>
    <message>
        <source>The program that computes answers ended in the middle of this one: {reason}.</source>
        <translation>Das Programm, das Antworten rechnet, endete mitten in dieser: {reason}.</translation>
    </message>
    <message>
        <source>The proof could not be kept: {problem}</source>
        <translation>Der Beweis konnte nicht aufgehoben werden: {problem}</translation>
    </message>
    <message>
        <source>The proof, two signatures of the server, is kept in {folder}.</source>
        <translation>Der Beweis, zwei Unterschriften des Servers, liegt in {folder}.</translation>
    </message>
    <message>
        <source>The publisher of {model} has signed two different versions {version}. The one that came first stays; the next needs a higher number.</source>
        <translation>Der Herausgeber von {model} hat zwei verschiedene Versionen {version} signiert. Die zuerst kam, bleibt; die nächste braucht eine höhere Nummer.</translation>
    </message>
    <message>
        <source>The publisher says: {reason}</source>
        <translation>Der Herausgeber sagt dazu: {reason}</translation>
    </message>
    <message>
        <source>The question before and its answers stay: the arrows lead back to them.</source>
        <translation>Die bisherige Frage und ihre Antworten bleiben: Die Pfeile führen zu ihnen zurück.</translation>
    </message>
    <message>
        <source>The question has {count} characters with its files, and at most {most} can be asked at once. Leave some out.</source>
        <translation>Die Frage hat mit ihren Dateien {count} Zeichen, und höchstens {most} können auf einmal gefragt werden. Lass etwas weg.</translation>
    </message>
    <message>
        <source>The question is empty. Write something, or attach a file.</source>
        <translation>Die Frage ist leer. Schreib etwas oder hänge eine Datei an.</translation>
    </message>
    <message>
        <source>The question was not sent: it has {length} characters, and a question can have {most}. Shorten it, or attach a part of it as a file.</source>
        <translation>Die Frage wurde nicht gesendet: Sie hat {length} Zeichen, und eine Frage kann {most} haben. Kürze sie, oder hänge einen Teil davon als Datei an.</translation>
    </message>
    <message>
        <source>The receipt bears a date at which the answer was not made: the clock of the machine that answered is wrong, or it would rather not be held to the answer.</source>
        <translation>Die Quittung trägt ein Datum, zu dem die Antwort nicht entstanden ist: Die Uhr des Rechners, der geantwortet hat, geht falsch, oder er will sich an der Antwort nicht messen lassen.</translation>
    </message>
    <message>
        <source>The receipt belongs to another network: {network}.</source>
        <translation>Die Quittung gehört zu einem anderen Netz: {network}.</translation>
    </message>
    <message>
        <source>The receipt is being handed in. That can take a minute.</source>
        <translation>Die Quittung wird eingereicht. Das kann eine Minute dauern.</translation>
    </message>
    <message>
        <source>The receipt of this answer is handed in, and nothing else. It says which machine answered, when, with which model and how many tokens; neither the question nor the answer is in it.

It goes over anonymous paths to another machine, which brings it to the network&apos;s server for the verifiers. They do not learn that it was you; only where your questions go without relays, that other machine sees your address. The machine that you doubt, if it ever sees the receipt, knows which question it was.

Verifiers may check the machine sooner then. Nothing is decided by it, and it cannot be taken back.</source>
        <translation>Eingereicht wird die Quittung dieser Antwort und nichts sonst. Darin steht, welcher Rechner geantwortet hat, wann, mit welchem Modell und wie vielen Tokens; weder die Frage noch die Antwort.

Sie geht über anonyme Pfade zu einem anderen Rechner, und der bringt sie zum Server des Netzes, für die Prüfer. Sie alle erfahren nicht, dass du es warst; nur wo deine Fragen ohne Relays gehen, sieht jener andere Rechner deine Adresse. Der Rechner, an dem du zweifelst, weiß, welche Frage es war, falls er die Quittung je sieht.

Prüfer können den Rechner dann eher prüfen. Entschieden wird damit nichts, und zurücknehmen lässt es sich nicht.</translation>
    </message>
    <message>
        <source>The receipt was not handed in. {reason}</source>
        <translation>Die Quittung wurde nicht eingereicht. {reason}</translation>
    </message>
    <message>
        <source>The receipt was not saved: {reason}. Choose another place.</source>
        <translation>Die Quittung wurde nicht gespeichert: {reason}. Wähle einen anderen Ort.</translation>
    </message>
    <message>
        <source>The receipt was saved to {path}. Anybody can check it: gentorrent receipt verify {name}</source>
        <translation>Die Quittung liegt in {path}. Jeder kann sie prüfen: gentorrent receipt verify {name}</translation>
    </message>
    <message>
        <source>The request</source>
        <translation>Die Anfrage</translation>
    </message>
    <message>
        <source>The router maps a new public port for every peer (a symmetric NAT).</source>
        <translation>Der Router vergibt für jede Gegenstelle einen neuen öffentlichen Port (symmetrisches NAT).</translation>
    </message>
    <message>
        <source>The router maps one public port for all (a cone NAT).</source>
        <translation>Der Router vergibt einen öffentlichen Port für alle (Cone-NAT).</translation>
    </message>
    <message>
        <source>The rules hold now, but cannot be kept for the next start: {problem}</source>
        <translation>Die Regeln gelten jetzt, lassen sich aber nicht für den nächsten Start aufheben: {problem}</translation>
    </message>
    <message>
        <source>The rules that hold are used; the file that could not be read is now {place}.</source>
        <translation>Die geltenden Regeln werden genommen; die Datei, die sich nicht lesen ließ, liegt jetzt unter {place}.</translation>
    </message>
    <message>
        <source>The rules were changed.</source>
        <translation>Die Regeln wurden geändert.</translation>
    </message>
    <message>
        <source>The running engine is in no network.</source>
        <translation>Die laufende Engine ist in keinem Netz.</translation>
    </message>
    <message>
        <source>The running engine is joining.</source>
        <translation>Die laufende Engine tritt gerade bei.</translation>
    </message>
    <message>
        <source>The running engine is offline.</source>
        <translation>Die laufende Engine ist vom Netz getrennt.</translation>
    </message>
    <message>
        <source>The running engine is ready.</source>
        <translation>Die laufende Engine ist bereit.</translation>
    </message>
    <message>
        <source>The running engine is weak: it has fewer paths or relays than the network wants.</source>
        <translation>Die laufende Engine ist schwach: Sie hat weniger Pfade oder Relays, als das Netz will.</translation>
    </message>
    <message>
        <source>The running engine relays nothing for others: {reason}</source>
        <translation>Die laufende Engine leitet nichts für andere weiter: {reason}</translation>
    </message>
    <message>
        <source>The running engine says: {said}</source>
        <translation>Die laufende Engine sagt: {said}</translation>
    </message>
    <message>
        <source>The running engine uses this private network&apos;s only login, so no link was tried; stop it and run gentorrent doctor if you want that.</source>
        <translation>Die laufende Engine benutzt die einzige Anmeldung dieses privaten Netzes, also wurde keine Verbindung versucht; beende sie und ruf gentorrent doctor auf, wenn du das willst.</translation>
    </message>
    <message>
        <source>The same seed, question and model give the same answer.</source>
        <translation>Derselbe Seed, dieselbe Frage und dasselbe Modell ergeben dieselbe Antwort.</translation>
    </message>
    <message>
        <source>The server belongs to another network ({said}).</source>
        <translation>Der Server gehört zu einem anderen Netz ({said}).</translation>
    </message>
    <message>
        <source>The server did not take the change of this node&apos;s identity: {problem}.</source>
        <translation>Der Server hat den Wechsel der Identität dieses Knotens nicht angenommen: {problem}.</translation>
    </message>
    <message>
        <source>The server has shown no new directory for {minutes} minutes, though it should every 10. It is stuck, or holds news back. Tell its operator.</source>
        <translation>Der Server hat seit {minutes} Minuten kein neues Verzeichnis gezeigt, obwohl er es alle 10 sollte. Er hängt, oder er hält Neuigkeiten zurück. Sag es seinem Betreiber.</translation>
    </message>
    <message>
        <source>The server of the network ended: {problem} It is started again.</source>
        <translation>Der Server des Netzes endete: {problem} Er wird wieder gestartet.</translation>
    </message>
    <message>
        <source>The server of the network that is hosted here does not run. Start it first.</source>
        <translation>Der Server des Netzes, das hier betrieben wird, läuft nicht. Starte ihn zuerst.</translation>
    </message>
    <message>
        <source>The server of this network was started by another program, such as gentorrent bootstrap, and is ended there.</source>
        <translation>Der Server dieses Netzes wurde von einem anderen Programm gestartet, etwa von gentorrent bootstrap, und wird dort beendet.</translation>
    </message>
    <message>
        <source>The server refuses this node&apos;s receipts of epoch {epoch} for good: {problem}</source>
        <translation>Der Server lehnt die Belege dieses Knotens aus der Epoche {epoch} endgültig ab: {problem}</translation>
    </message>
    <message>
        <source>The server {server} keeps showing an old directory, while others have a newer one that is signed by this network. It is stuck, or holds news back; do not rely on it alone.</source>
        <translation>Der Server {server} zeigt immer noch ein altes Verzeichnis, während andere ein neueres haben, das dieses Netz unterschrieben hat. Er hängt, oder er hält Neuigkeiten zurück; verlass dich nicht auf ihn allein.</translation>
    </message>
    <message>
        <source>The setting signaling_address is for relays, and relay is off (--no-relay). Leave one of them out.</source>
        <translation>Die Einstellung signaling_address ist für Relays, und relay ist aus (--no-relay). Lass eine davon weg.</translation>
    </message>
    <message>
        <source>The settings file {path} cannot be read ({error}). The engine does not start with half of its settings. Make the file readable or move it away.</source>
        <translation>Die Einstellungsdatei {path} lässt sich nicht lesen ({error}). Mit halben Einstellungen startet die Engine nicht. Mach die Datei lesbar, oder schieb sie beiseite.</translation>
    </message>
    <message>
        <source>The settings file {path} has an unknown setting &quot;{name}&quot;.</source>
        <translation>Die Einstellungsdatei {path} hat eine unbekannte Einstellung „{name}“.</translation>
    </message>
    <message>
        <source>The settings file {path} is larger than {most} bytes. Shorten it.</source>
        <translation>Die Einstellungsdatei {path} ist größer als {most} Bytes. Kürze sie.</translation>
    </message>
    <message>
        <source>The settings file {path} is not valid TOML: {error}. None of its settings can be used. Correct that line.</source>
        <translation>Die Einstellungsdatei {path} ist kein gültiges TOML: {error}. Keine ihrer Einstellungen lässt sich benutzen. Berichtige diese Zeile.</translation>
    </message>
    <message>
        <source>The settings relayed_only and signaling_address contradict each other: the second publishes this machine&apos;s address, which the first is there to hide. Leave one of them out.</source>
        <translation>Die Einstellungen relayed_only und signaling_address widersprechen einander: Die zweite veröffentlicht die Adresse dieses Rechners, die die erste verbergen soll. Lass eine davon weg.</translation>
    </message>
    <message>
        <source>The system did not answer in time.</source>
        <translation>Das System hat nicht rechtzeitig geantwortet.</translation>
    </message>
    <message>
        <source>The system does not give the port {port} ({error}). Choose one above 1023.</source>
        <translation>Das System gibt den Port {port} nicht her ({error}). Wähle einen über 1023.</translation>
    </message>
    <message numerus="yes">
        <source>The system prompt is too long. %Ln characters fit.</source>
        <translation>
            <numerusform>Der Systemprompt ist zu lang. %Ln Zeichen passt.</numerusform>
            <numerusform>Der Systemprompt ist zu lang. %Ln Zeichen passen.</numerusform>
        </translation>
    </message>
    <message>
        <source>The system prompts of all presets have {most} characters at most.</source>
        <translation>Die Systemprompts aller Vorlagen haben zusammen höchstens {most} Zeichen.</translation>
    </message>
    <message>
        <source>The system refused: {reason}</source>
        <translation>Das System hat abgelehnt: {reason}</translation>
    </message>
    <message>
        <source>The system&apos;s keyring no longer holds the key to {path}. Restore the keyring, or move the file away to start with new keys (the node then gets a new id).</source>
        <translation>Der Schlüsselbund des Systems hat den Schlüssel zu {path} nicht mehr. Stell den Schlüsselbund wieder her, oder schieb die Datei beiseite, um mit neuen Schlüsseln zu beginnen (der Knoten bekommt dann eine neue Kennung).</translation>
    </message>
    <message>
        <source>The text of its licence, {file}, is too long to be shown here.</source>
        <translation>Der Text der Lizenz, {file}, ist zu lang, um hier gezeigt zu werden.</translation>
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
        <source>The weekly schedule has every hour off.</source>
        <translation>Der Wochenplan lässt jede Stunde frei.</translation>
    </message>
    <message>
        <source>The weekly schedule has this hour off.</source>
        <translation>Der Wochenplan lässt diese Stunde frei.</translation>
    </message>
    <message>
        <source>Then it pauses until the next month.</source>
        <translation>Dann pausiert er bis zum nächsten Monat.</translation>
    </message>
    <message>
        <source>Then show no window</source>
        <translation>Dabei kein Fenster zeigen</translation>
    </message>
    <message>
        <source>There are {most} folders already. Delete one of them.</source>
        <translation>Es gibt schon {most} Ordner. Lösche einen davon.</translation>
    </message>
    <message>
        <source>There are {most} presets already. Delete one of them.</source>
        <translation>Es gibt schon {most} Vorlagen. Lösche eine davon.</translation>
    </message>
    <message>
        <source>There are {most} temporary chats already. Close some of them.</source>
        <translation>Es gibt schon {most} temporäre Chats. Schließe einige davon.</translation>
    </message>
    <message>
        <source>There are {most} versions here already. Begin a new chat.</source>
        <translation>Hier gibt es schon {most} Fassungen. Beginne einen neuen Chat.</translation>
    </message>
    <message>
        <source>There is a message with this id already. Take another one.</source>
        <translation>Es gibt schon eine Nachricht mit dieser Kennung. Nimm eine andere.</translation>
    </message>
    <message>
        <source>There is a model called {model} on this machine already. Import this one under another name, or remove that one.</source>
        <translation>Auf diesem Rechner gibt es schon ein Modell namens {model}. Importiere dieses unter einem anderen Namen oder entferne das vorhandene.</translation>
    </message>
    <message>
        <source>There is a preset called &apos;{name}&apos; already. Take another name.</source>
        <translation>Es gibt schon eine Vorlage namens „{name}“. Nimm einen anderen Namen.</translation>
    </message>
    <message>
        <source>There is a preset called “{name}” already.</source>
        <translation>Es gibt schon eine Vorlage namens „{name}“.</translation>
    </message>
    <message>
        <source>There is no IPv6 here.</source>
        <translation>Hier gibt es kein IPv6.</translation>
    </message>
    <message>
        <source>There is no attachment &apos;{name}&apos; here.</source>
        <translation>Hier gibt es keinen Anhang „{name}“.</translation>
    </message>
    <message>
        <source>There is no chat &apos;{chat}&apos;. It was deleted, or another data directory has it.</source>
        <translation>Es gibt keinen Chat „{chat}“. Er wurde gelöscht, oder ein anderes Datenverzeichnis hat ihn.</translation>
    </message>
    <message>
        <source>There is no folder {folder}.</source>
        <translation>Es gibt keinen Ordner {folder}.</translation>
    </message>
    <message>
        <source>There is no message &apos;{message}&apos; in this chat.</source>
        <translation>In diesem Chat gibt es keine Nachricht „{message}“.</translation>
    </message>
    <message>
        <source>There is no model to ask: none is on this machine, and the network has none or is not joined yet. Wait a moment, or download one.</source>
        <translation>Es gibt kein Modell, das gefragt werden kann: Auf diesem Rechner ist keines, und das Netz hat keines, oder der Beitritt läuft noch. Warte einen Moment oder lade eines herunter.</translation>
    </message>
    <message>
        <source>There is no network to contribute to. Join one in the window, or start the engine with --bootstrap.</source>
        <translation>Es gibt kein Netz, zu dem du beitragen könntest. Tritt einem im Fenster bei, oder starte die Engine mit --bootstrap.</translation>
    </message>
    <message>
        <source>There is no network to contribute to; join one.</source>
        <translation>Es gibt kein Netz, zu dem du beitragen könntest; tritt einem bei.</translation>
    </message>
    <message>
        <source>There is no preset &apos;{name}&apos;. It was deleted.</source>
        <translation>Es gibt keine Vorlage „{name}“. Sie wurde gelöscht.</translation>
    </message>
    <message>
        <source>There is no screen.</source>
        <translation>Es gibt keinen Bildschirm.</translation>
    </message>
    <message>
        <source>There is too much to do at the moment.</source>
        <translation>Gerade ist zu viel zu tun.</translation>
    </message>
    <message>
        <source>These choices cannot be kept: {reason}. They hold until you quit.</source>
        <translation>Diese Wahl lässt sich nicht speichern: {reason}. Sie gilt, bis du beendest.</translation>
    </message>
    <message>
        <source>They never show what was asked or answered.</source>
        <translation>Sie zeigen nie, was gefragt oder geantwortet wurde.</translation>
    </message>
    <message>
        <source>Thick lines: paths of the open chat. Dotted: paths kept ready. Dashed: links through a TURN server.</source>
        <translation>Dicke Linien: Pfade des offenen Chats. Gepunktet: bereitgehaltene Pfade. Gestrichelt: Verbindungen über einen TURN-Server.</translation>
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
        <source>This address cannot be used: {problem}</source>
        <translation>Diese Adresse ist nicht zu gebrauchen: {problem}</translation>
    </message>
    <message>
        <source>This answer&apos;s question is not there any more, so it cannot be asked again.</source>
        <translation>Die Frage zu dieser Antwort ist nicht mehr da und kann nicht noch einmal gestellt werden.</translation>
    </message>
    <message>
        <source>This cannot be asked.</source>
        <translation>Das kann nicht gefragt werden.</translation>
    </message>
    <message>
        <source>This card does not say how hot it is.</source>
        <translation>Diese Karte sagt nicht, wie heiß sie ist.</translation>
    </message>
    <message>
        <source>This card does not say how much memory is taken.</source>
        <translation>Diese Karte sagt nicht, wie viel Speicher belegt ist.</translation>
    </message>
    <message>
        <source>This card does not say how much power it takes.</source>
        <translation>Diese Karte sagt nicht, wie viel Leistung sie aufnimmt.</translation>
    </message>
    <message>
        <source>This chat has no attachment &apos;{name}&apos;. Attach the file again.</source>
        <translation>Dieser Chat hat keinen Anhang „{name}“. Hänge die Datei noch einmal an.</translation>
    </message>
    <message>
        <source>This chat has {count} messages, and no more fit. Begin a new one.</source>
        <translation>Dieser Chat hat {count} Nachrichten, und mehr passen nicht. Beginne einen neuen.</translation>
    </message>
    <message>
        <source>This chat stays on this machine.</source>
        <translation>Dieser Chat bleibt auf diesem Rechner.</translation>
    </message>
    <message>
        <source>This chat was deleted elsewhere.</source>
        <translation>Dieser Chat wurde anderswo gelöscht.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {seconds} s ahead. Set it.</source>
        <translation>Die Uhr dieses Rechners geht {seconds} s vor. Stell sie.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {seconds} s behind. Set it.</source>
        <translation>Die Uhr dieses Rechners geht {seconds} s nach. Stell sie.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {time} ahead of the server&apos;s.</source>
        <translation>Die Uhr dieses Rechners geht gegen die des Servers {time} vor.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {time} behind the server&apos;s.</source>
        <translation>Die Uhr dieses Rechners geht gegen die des Servers {time} nach.</translation>
    </message>
    <message>
        <source>This conversation takes about {used} tokens, some are needed for the answer, and {model} holds {limit} together.</source>
        <translation>Diese Unterhaltung hat etwa {used} Tokens, einige braucht die Antwort, und {model} fasst zusammen {limit}.</translation>
    </message>
    <message>
        <source>This conversation takes {used} tokens, some are needed for the answer, and {model} holds {limit} together.</source>
        <translation>Diese Unterhaltung hat {used} Tokens, einige braucht die Antwort, und {model} fasst zusammen {limit}.</translation>
    </message>
    <message>
        <source>This desktop shows no tray icons, so closing the window quits.</source>
        <translation>Diese Oberfläche zeigt keine Symbole neben der Uhr, deshalb beendet das Schließen GenTorrent.</translation>
    </message>
    <message>
        <source>This engine does not do that.</source>
        <translation>Diese Engine tut das nicht.</translation>
    </message>
    <message>
        <source>This engine does not know what is asked. Is it of the same version?</source>
        <translation>Diese Engine kennt das nicht, worum sie gebeten wird. Hat sie dieselbe Version?</translation>
    </message>
    <message>
        <source>This engine is in no network yet, so it can hand nothing in.</source>
        <translation>Diese Engine ist noch in keinem Netz, also kann sie nichts einreichen.</translation>
    </message>
    <message>
        <source>This engine was started in a way that has no doctor. Run gentorrent doctor.</source>
        <translation>Diese Engine wurde so gestartet, dass sie nicht untersuchen kann. Ruf gentorrent doctor auf.</translation>
    </message>
    <message>
        <source>This is another licence than the one that you have accepted.</source>
        <translation>Das ist eine andere Lizenz als die, die du angenommen hast.</translation>
    </message>
    <message>
        <source>This is neither an invitation, which begins with gentorrent-invite-, nor the address of a network, which begins with http:// or https://. Copy the whole text again.</source>
        <translation>Das ist weder eine Einladung, die mit gentorrent-invite- beginnt, noch die Adresse eines Netzes, die mit http:// oder https:// beginnt. Kopiere den ganzen Text noch einmal.</translation>
    </message>
    <message>
        <source>This is no manifest of a model: {problem}. Get it again from its publisher.</source>
        <translation>Das ist kein Manifest eines Modells: {problem}. Hole es noch einmal bei dem, der es veröffentlicht.</translation>
    </message>
    <message>
        <source>This is not an address under which others could reach this machine. Write a name or a number as in http://example.org:8900.</source>
        <translation>Unter dieser Adresse könnte niemand diesen Rechner erreichen. Schreib einen Namen oder eine Nummer wie in http://example.org:8900.</translation>
    </message>
    <message>
        <source>This is not an invitation: one begins with gentorrent-invite- and has one long word after it.</source>
        <translation>Das ist keine Einladung: Eine beginnt mit gentorrent-invite-, und ein langes Wort folgt.</translation>
    </message>
    <message>
        <source>This is not the id of an engine. The one who is invited finds both on the page Network.</source>
        <translation>Das ist nicht die Kennung einer Engine. Wer eingeladen wird, findet beide auf der Seite Netz.</translation>
    </message>
    <message>
        <source>This is not there any more.</source>
        <translation>Das ist nicht mehr da.</translation>
    </message>
    <message>
        <source>This machine</source>
        <translation>Dieser Rechner</translation>
    </message>
    <message>
        <source>This machine alone</source>
        <translation>Nur dieser Rechner</translation>
    </message>
    <message>
        <source>This machine answers others with it. That ends first: answers under way go on at other machines, or are finished, as your rules say. Then the engine chooses another model for others.</source>
        <translation>Dieser Rechner beantwortet damit Fragen anderer. Das endet zuerst: Laufende Antworten gehen auf anderen Rechnern weiter oder werden fertig, wie es deine Regeln sagen. Dann wählt die Engine ein anderes Modell für andere.</translation>
    </message>
    <message>
        <source>This machine can be reached from outside through the TURN server only.</source>
        <translation>Dieser Rechner ist von außen nur durch den TURN-Server erreichbar.</translation>
    </message>
    <message>
        <source>This machine can be reached from outside: each direct link carries packets that the relay sends to our address.</source>
        <translation>Dieser Rechner ist von außen erreichbar: Jede direkte Verbindung trägt Pakete, die das Relay an unsere Adresse schickt.</translation>
    </message>
    <message>
        <source>This machine cannot take part before that is mended.</source>
        <translation>Dieser Rechner kann nicht teilnehmen, bevor das behoben ist.</translation>
    </message>
    <message>
        <source>This machine has a public address of its own.</source>
        <translation>Dieser Rechner hat eine eigene öffentliche Adresse.</translation>
    </message>
    <message>
        <source>This machine has a way out by IPv6.</source>
        <translation>Dieser Rechner hat einen Weg nach draußen über IPv6.</translation>
    </message>
    <message>
        <source>This machine in its group</source>
        <translation>Dieser Rechner in seiner Gruppe</translation>
    </message>
    <message>
        <source>This machine may answer others with the models of those whom you trust. Anybody can take any name, but nobody another one&apos;s fingerprint: compare it with one that the publisher gave you.</source>
        <translation>Dieser Rechner darf anderen mit den Modellen derer antworten, denen du vertraust. Jeder kann sich jeden Namen geben, aber niemand den Fingerabdruck eines anderen: Vergleiche ihn mit einem, den du vom Herausgeber hast.</translation>
    </message>
    <message>
        <source>This machine may then answer strangers with its models. Is {fingerprint} the fingerprint that the publisher gave you?</source>
        <translation>Dieser Rechner darf dann Fremden mit dessen Modellen antworten. Ist {fingerprint} der Fingerabdruck, den du vom Herausgeber hast?</translation>
    </message>
    <message>
        <source>This machine reads the question</source>
        <translation>Dieser Rechner liest die Frage</translation>
    </message>
    <message>
        <source>This machine relays nothing for others: {reason}</source>
        <translation>Dieser Rechner leitet nichts für andere weiter: {reason}</translation>
    </message>
    <message>
        <source>This machine runs on battery.</source>
        <translation>Dieser Rechner läuft auf Akku.</translation>
    </message>
    <message>
        <source>This machine takes no part in the committee. {problem}</source>
        <translation>Dieser Rechner nimmt am Komitee nicht teil. {problem}</translation>
    </message>
    <message>
        <source>This month&apos;s {limit} GB of other people&apos;s traffic are passed on.</source>
        <translation>Die {limit} GB fremden Datenverkehrs dieses Monats sind weitergeleitet.</translation>
    </message>
    <message>
        <source>This month&apos;s {limit} GB of traffic are used up.</source>
        <translation>Die {limit} GB Datenverkehr dieses Monats sind verbraucht.</translation>
    </message>
    <message>
        <source>This month&apos;s {limit} kWh are used up.</source>
        <translation>Die {limit} kWh dieses Monats sind verbraucht.</translation>
    </message>
    <message>
        <source>This name uses letters that can be taken for other ones. It may not be the site it looks like.</source>
        <translation>Dieser Name enthält Buchstaben, die man mit anderen verwechseln kann. Vielleicht ist es nicht die Website, nach der es aussieht.</translation>
    </message>
    <message>
        <source>This network has no verifiers, so nobody can look at a receipt.</source>
        <translation>Dieses Netz hat keine Prüfer, also kann niemand eine Quittung ansehen.</translation>
    </message>
    <message>
        <source>This network is open: everybody who has its address may join, so there is nobody to invite. A private one is made with gentorrent bootstrap --init --invited-only, or in the window.</source>
        <translation>Dieses Netz ist offen: Wer seine Adresse hat, darf beitreten, also ist niemand einzuladen. Ein privates entsteht mit gentorrent bootstrap --init --invited-only oder im Fenster.</translation>
    </message>
    <message>
        <source>This never changes either.</source>
        <translation>Auch das ändert sich nie.</translation>
    </message>
    <message>
        <source>This overview</source>
        <translation>Diese Übersicht</translation>
    </message>
    <message>
        <source>This page is</source>
        <translation>Diese Seite ist</translation>
    </message>
    <message>
        <source>This system does not tell.</source>
        <translation>Dieses System sagt es nicht.</translation>
    </message>
    <message>
        <source>This verifier does not vote on the present block: it could not write. {problem}</source>
        <translation>Dieser Prüfer stimmt über den jetzigen Block nicht ab: Er konnte nicht schreiben. {problem}</translation>
    </message>
    <message>
        <source>Thought for {seconds} s</source>
        <translation>Hat {seconds} s nachgedacht</translation>
    </message>
    <message>
        <source>Tight, close other programs first</source>
        <translation>Knapp, schließe erst andere Programme</translation>
    </message>
    <message>
        <source>To be used</source>
        <translation>Einzulösen</translation>
    </message>
    <message>
        <source>To download</source>
        <translation>Zum Herunterladen</translation>
    </message>
    <message>
        <source>To join one, paste the invitation or the address that its operator gave you.</source>
        <translation>Um einem beizutreten, füge die Einladung oder die Adresse ein, die du von seinem Betreiber bekommen hast.</translation>
    </message>
    <message>
        <source>To make it good for one machine, paste the ids that its owner copied on the page Network.</source>
        <translation>Soll sie nur für einen Rechner gelten, füge die Kennungen ein, die sein Besitzer auf der Seite Netz kopiert hat.</translation>
    </message>
    <message>
        <source>To tell you what contributing costs.</source>
        <translation>Um dir zu sagen, was das Beitragen kostet.</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Heute</translation>
    </message>
    <message>
        <source>Tokens a second for others</source>
        <translation>Tokens pro Sekunde für andere</translation>
    </message>
    <message>
        <source>Tokens after which an answer is cut.</source>
        <translation>Tokens, nach denen eine Antwort abgeschnitten wird.</translation>
    </message>
    <message>
        <source>Too little of the answer comes through the anonymous paths.</source>
        <translation>Zu wenig von der Antwort kommt durch die anonymen Pfade.</translation>
    </message>
    <message>
        <source>Too many programs are connected to the engine. Close one of them.</source>
        <translation>Zu viele Programme sind mit der Engine verbunden. Schließe eines davon.</translation>
    </message>
    <message>
        <source>Top-k</source>
        <translation>Top-k</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>Traffic and disk</source>
        <translation>Verkehr und Festplatte</translation>
    </message>
    <message>
        <source>Traffic in a month</source>
        <translation>Verkehr im Monat</translation>
    </message>
    <message>
        <source>Trust</source>
        <translation>Vertrauen</translation>
    </message>
    <message>
        <source>Trust {name}</source>
        <translation>{name} vertrauen</translation>
    </message>
    <message>
        <source>Trust {name}?</source>
        <translation>{name} vertrauen?</translation>
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
        <source>Trying links to relays</source>
        <translation>Verbindungen zu Relays werden versucht</translation>
    </message>
    <message>
        <source>Turn it on to answer other people&apos;s questions on this machine.</source>
        <translation>Schalte es ein, um auf diesem Rechner Fragen anderer zu beantworten.</translation>
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
        <source>UDP</source>
        <translation>UDP</translation>
    </message>
    <message>
        <source>UDP is blocked here: no STUN or TURN server answered over it.</source>
        <translation>UDP ist hier gesperrt: Kein STUN- oder TURN-Server hat darüber geantwortet.</translation>
    </message>
    <message>
        <source>UDP works; fewer than two servers answered, so the kind of router is not known.</source>
        <translation>UDP geht; weniger als zwei Server haben geantwortet, also ist die Art des Routers nicht bekannt.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Undo: bring back what was deleted</source>
        <translation>Rückgängig: Gelöschtes zurückholen</translation>
    </message>
    <message>
        <source>Undo: bring the preset back</source>
        <translation>Rückgängig: Vorlage zurückholen</translation>
    </message>
    <message>
        <source>Unreviewed</source>
        <translation>Ungeprüft</translation>
    </message>
    <message>
        <source>Update</source>
        <translation>Aktualisieren</translation>
    </message>
    <message>
        <source>Use the processor</source>
        <translation>Prozessor benutzen</translation>
    </message>
    <message>
        <source>Use these rules</source>
        <translation>Diese Regeln nehmen</translation>
    </message>
    <message>
        <source>Use {device} for others</source>
        <translation>{device} für andere nutzen</translation>
    </message>
    <message>
        <source>Usually this is the login page of a hotel&apos;s or company&apos;s network, or the address is wrong.</source>
        <translation>Meist ist das die Anmeldeseite eines Hotel- oder Firmennetzes, oder die Adresse ist falsch.</translation>
    </message>
    <message>
        <source>Variants</source>
        <translation>Varianten</translation>
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
        <source>Verifiers ask machines what users ask, and compare.</source>
        <translation>Prüfer fragen Rechner, was Nutzer fragen, und vergleichen.</translation>
    </message>
    <message>
        <source>Verifiers may check sooner who gave an answer that you doubt</source>
        <translation>Prüfer können eher prüfen, wer eine Antwort gegeben hat, an der du zweifelst</translation>
    </message>
    <message numerus="yes">
        <source>Verifiers of the network ask as others do, and compute again whether an answer comes from the model that it names. Counted is what blocks of their committee say of this machine in the last %Ln hour(s).</source>
        <translation>
            <numerusform>Prüfer des Netzes fragen wie andere auch und rechnen nach, ob eine Antwort von dem Modell kommt, das sie nennt. Gezählt wird, was Blöcke ihres Komitees in der letzten %Ln Stunde über diesen Rechner sagen.</numerusform>
            <numerusform>Prüfer des Netzes fragen wie andere auch und rechnen nach, ob eine Antwort von dem Modell kommt, das sie nennt. Gezählt wird, was Blöcke ihres Komitees in den letzten %Ln Stunden über diesen Rechner sagen.</numerusform>
        </translation>
    </message>
    <message>
        <source>Version {place} of {all}</source>
        <translation>Fassung {place} von {all}</translation>
    </message>
    <message>
        <source>Version {version} of {model} is older than version {known}, which is known already. It is not gone back to.</source>
        <translation>Version {version} von {model} ist älter als Version {known}, die schon bekannt ist. Es gibt kein Zurück.</translation>
    </message>
    <message>
        <source>W</source>
        <translation>W</translation>
    </message>
    <message>
        <source>Wait a moment and ask again.</source>
        <translation>Warte einen Moment und frag noch einmal.</translation>
    </message>
    <message>
        <source>Wait for the answer, or stop it ({key}). What you have written stays here.</source>
        <translation>Warte die Antwort ab oder halte sie an ({key}). Was du geschrieben hast, bleibt hier.</translation>
    </message>
    <message>
        <source>Wait {seconds} s, then ask again</source>
        <translation>{seconds} s warten, dann noch einmal fragen</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Waiting for a place at the machine that answers</source>
        <translation>Warten auf einen Platz bei dem Rechner, der antwortet</translation>
    </message>
    <message>
        <source>Waiting for the end of another answer in this chat</source>
        <translation>Wartet auf das Ende einer anderen Antwort in diesem Chat</translation>
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
        <source>Waits until other downloads are done</source>
        <translation>Wartet, bis andere Downloads fertig sind</translation>
    </message>
    <message>
        <source>Weaker</source>
        <translation>Schwächer</translation>
    </message>
    <message>
        <source>Weaker than the {full} that this network wants, as you accepted.</source>
        <translation>Schwächer als {full}, die dieses Netz will, wie du es erlaubt hast.</translation>
    </message>
    <message>
        <source>Weekends</source>
        <translation>Am Wochenende</translation>
    </message>
    <message>
        <source>Welcome to GenTorrent</source>
        <translation>Willkommen bei GenTorrent</translation>
    </message>
    <message>
        <source>Were asked first, and passed the question on, refused it or went away. Could read the question, and what they answered of it.</source>
        <translation>Wurden zuerst gefragt und haben die Frage weitergereicht, abgelehnt oder sind verschwunden. Konnten die Frage lesen und das, was sie davon beantwortet haben.</translation>
    </message>
    <message>
        <source>What can be asked, here and on the network, and what this machine could fetch.</source>
        <translation>Was gefragt werden kann, hier und im Netz, und was dieser Rechner holen könnte.</translation>
    </message>
    <message>
        <source>What could be read of it is in a new one (chats: {chats}, messages: {messages}).</source>
        <translation>Was davon lesbar war, steht in einer neuen (Chats: {chats}, Nachrichten: {messages}).</translation>
    </message>
    <message>
        <source>What could compute here may not be used: {device}. {reason}</source>
        <translation>Was hier rechnen könnte, darf nicht benutzt werden: {device}. {reason}</translation>
    </message>
    <message>
        <source>What happened</source>
        <translation>Was geschah</translation>
    </message>
    <message>
        <source>What has arrived is kept, but perhaps not its last second.</source>
        <translation>Was angekommen ist, bleibt erhalten, nur seine letzte Sekunde vielleicht nicht.</translation>
    </message>
    <message>
        <source>What has arrived is kept.</source>
        <translation>Was angekommen ist, bleibt erhalten.</translation>
    </message>
    <message>
        <source>What has arrived is kept. Free some space, and the download goes on from there.</source>
        <translation>Was angekommen ist, bleibt. Schaffe Platz, und der Download geht von dort weiter.</translation>
    </message>
    <message>
        <source>What has arrived, {size}, is deleted. A later download begins anew.</source>
        <translation>Was angekommen ist, {size}, wird gelöscht. Ein späterer Download beginnt von vorn.</translation>
    </message>
    <message>
        <source>What is not yet on the disk is kept in memory until then.</source>
        <translation>Was noch nicht auf der Platte ist, bleibt bis dahin im Speicher.</translation>
    </message>
    <message>
        <source>What it means</source>
        <translation>Was das bedeutet</translation>
    </message>
    <message>
        <source>What its publisher says of this model does not hold.</source>
        <translation>Was der Herausgeber von diesem Modell sagt, gilt nicht.</translation>
    </message>
    <message>
        <source>What lies here of {model} is not version {version}, which its publisher has signed. Download it again.</source>
        <translation>Was hier von {model} liegt, ist nicht Version {version}, die sein Herausgeber signiert hat. Lade es noch einmal herunter.</translation>
    </message>
    <message>
        <source>What models take of the disk: {words}</source>
        <translation>Was Modelle von der Festplatte belegen: {words}</translation>
    </message>
    <message>
        <source>What the model is told before the conversation.</source>
        <translation>Was dem Modell vor der Unterhaltung gesagt wird.</translation>
    </message>
    <message>
        <source>What the model thought</source>
        <translation>Was das Modell gedacht hat</translation>
    </message>
    <message>
        <source>What this machine has done</source>
        <translation>Was dieser Rechner geleistet hat</translation>
    </message>
    <message>
        <source>What this machine knows of its own place. It is shown here and goes nowhere else.</source>
        <translation>Was dieser Rechner von seinem eigenen Platz weiß. Es wird hier gezeigt und geht nirgendwohin.</translation>
    </message>
    <message>
        <source>What this machine may do for others</source>
        <translation>Was dieser Rechner für andere tun darf</translation>
    </message>
    <message>
        <source>What to do: {change}</source>
        <translation>Was zu tun ist: {change}</translation>
    </message>
    <message>
        <source>What was kept of your pause was damaged and is set aside as {place}. Pause again if you want to.</source>
        <translation>Die gespeicherte Pause war beschädigt und liegt jetzt unter {place}. Falls gewünscht, bitte noch einmal anhalten.</translation>
    </message>
    <message>
        <source>What would you like to know?</source>
        <translation>Was möchtest du wissen?</translation>
    </message>
    <message>
        <source>What you have written is not with the engine yet and cannot be kept on the disk ({reason}); it is lost if you quit now.</source>
        <translation>Was du geschrieben hast, hat die Engine noch nicht, und auf der Platte lässt es sich nicht aufheben ({reason}); es ist verloren, wenn du jetzt beendest.</translation>
    </message>
    <message>
        <source>What {hub} says of {repository} is not understood. Check that HF_ENDPOINT is a model hub, or try again later.</source>
        <translation>Was {hub} über {repository} sagt, ist nicht zu verstehen. Prüfe, ob HF_ENDPOINT ein Modell-Hub ist, oder versuche es später erneut.</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Wann</translation>
    </message>
    <message>
        <source>When the context is full</source>
        <translation>Wenn der Kontext voll ist</translation>
    </message>
    <message>
        <source>Where it comes from</source>
        <translation>Woher es kommt</translation>
    </message>
    <message>
        <source>Where the model and its licence come from</source>
        <translation>Woher das Modell und seine Lizenz kommen</translation>
    </message>
    <message>
        <source>Whether others can be reached is not known.</source>
        <translation>Ob andere erreichbar sind, ist nicht bekannt.</translation>
    </message>
    <message>
        <source>While one of them runs, this machine does nothing for others.</source>
        <translation>Solange eines davon läuft, tut dieser Rechner nichts für andere.</translation>
    </message>
    <message>
        <source>While the window is not in front.</source>
        <translation>Solange das Fenster nicht vorn ist.</translation>
    </message>
    <message>
        <source>While you contribute, strangers&apos; prompts run on your machine. Who asked is not known here.</source>
        <translation>Solange du beiträgst, laufen Prompts von Fremden auf deinem Rechner. Wer gefragt hat, ist hier nicht bekannt.</translation>
    </message>
    <message>
        <source>Who can answer, here and on the network</source>
        <translation>Wer antworten kann, hier und im Netz</translation>
    </message>
    <message>
        <source>Who could know what?</source>
        <translation>Wer könnte was wissen?</translation>
    </message>
    <message>
        <source>Who joins with it stays</source>
        <translation>Wer damit beitritt, bleibt</translation>
    </message>
    <message>
        <source>Who may join</source>
        <translation>Wer beitreten darf</translation>
    </message>
    <message>
        <source>Whoever asks sees the id of your machine in the network, not your name.</source>
        <translation>Wer fragt, sieht die Kennung deines Rechners im Netz, nicht deinen Namen.</translation>
    </message>
    <message>
        <source>Whoever has this address can join: paste it on the page Network of another machine.</source>
        <translation>Wer diese Adresse hat, kann beitreten: Füge sie auf der Seite Netz eines anderen Rechners ein.</translation>
    </message>
    <message>
        <source>Whom it is for</source>
        <translation>Für wen sie ist</translation>
    </message>
    <message numerus="yes">
        <source>Windows starts no command of more than %Ln characters</source>
        <translation>
            <numerusform>Windows startet keinen Befehl mit mehr als %Ln Zeichen</numerusform>
            <numerusform>Windows startet keinen Befehl mit mehr als %Ln Zeichen</numerusform>
        </translation>
    </message>
    <message>
        <source>With bandwidth (2 MB)</source>
        <translation>Mit Bandbreite (2 MB)</translation>
    </message>
    <message>
        <source>Without a bootstrap server&apos;s address there is nothing to connect to; answers are made here only.</source>
        <translation>Ohne die Adresse eines Bootstrap-Servers gibt es nichts, womit dieser Rechner sich verbinden könnte; Antworten entstehen nur hier.</translation>
    </message>
    <message>
        <source>Without a graphics card</source>
        <translation>Ohne Grafikkarte</translation>
    </message>
    <message>
        <source>Words of its name, its licence or its publisher</source>
        <translation>Wörter aus seinem Namen, seiner Lizenz oder seinem Herausgeber</translation>
    </message>
    <message>
        <source>Words that are less likely than this share of the likeliest one are left out.</source>
        <translation>Wörter, die unwahrscheinlicher sind als dieser Anteil des wahrscheinlichsten, werden weggelassen.</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>Schreibt</translation>
    </message>
    <message>
        <source>Yes, hand them in</source>
        <translation>Ja, einreichen</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Gestern</translation>
    </message>
    <message>
        <source>You are not in a network, so questions are answered on this machine and nothing leaves it.

To join a network, ask its operator for an invitation or for the address, and paste it on the page Network.

To host a network of your own, say how it is called on the page Network, and invite others from there.</source>
        <translation>Du bist in keinem Netz; Fragen werden auf diesem Rechner beantwortet, und nichts verlässt ihn.

Um einem Netz beizutreten, bitte seinen Betreiber um eine Einladung oder die Adresse und füge sie auf der Seite Netz ein.

Um ein eigenes Netz zu betreiben, gib ihm auf der Seite Netz einen Namen und lade andere von dort ein.</translation>
    </message>
    <message>
        <source>You do not serve the models of this publisher.</source>
        <translation>Die Modelle dieses Herausgebers bietest du nicht an.</translation>
    </message>
    <message>
        <source>You do not trust this publisher: you can ask this model, and this machine answers nobody else with it.</source>
        <translation>Du vertraust diesem Herausgeber nicht: Du kannst dieses Modell fragen, und dieser Rechner antwortet niemand anderem damit.</translation>
    </message>
    <message>
        <source>You have paused it until the engine&apos;s next start.</source>
        <translation>Du hast es bis zum nächsten Start der Engine angehalten.</translation>
    </message>
    <message>
        <source>You have paused it until {time}.</source>
        <translation>Du hast es bis {time} angehalten.</translation>
    </message>
    <message>
        <source>You have paused it.</source>
        <translation>Du hast es angehalten.</translation>
    </message>
    <message>
        <source>You trust this publisher: this machine may answer others with its models.</source>
        <translation>Du vertraust diesem Herausgeber: Dieser Rechner darf anderen mit seinen Modellen antworten.</translation>
    </message>
    <message>
        <source>Your address</source>
        <translation>Deine Adresse</translation>
    </message>
    <message>
        <source>Your answer is ready</source>
        <translation>Deine Antwort ist da</translation>
    </message>
    <message>
        <source>Your chats will be listed here. They are kept on this machine only.</source>
        <translation>Hier stehen deine Chats. Sie bleiben auf diesem Rechner.</translation>
    </message>
    <message>
        <source>Your machine answers other people&apos;s questions while you can spare it. They answer yours.</source>
        <translation>Dein Rechner beantwortet Fragen anderer, solange du ihn entbehren kannst. Sie beantworten deine.</translation>
    </message>
    <message>
        <source>Your machine is then in the network without a window open.</source>
        <translation>Dein Rechner ist dann auch ohne offenes Fenster im Netz.</translation>
    </message>
    <message>
        <source>Your pause is not kept</source>
        <translation>Deine Pause ist nicht gespeichert</translation>
    </message>
    <message>
        <source>Your question could not be answered</source>
        <translation>Deine Frage konnte nicht beantwortet werden</translation>
    </message>
    <message>
        <source>Your question is kept; press Retry once that is mended.</source>
        <translation>Deine Frage bleibt erhalten; drücke „Nochmal“, sobald das behoben ist.</translation>
    </message>
    <message>
        <source>Your questions</source>
        <translation>Deine Fragen</translation>
    </message>
    <message>
        <source>Your router has to pass the port on to this machine.</source>
        <translation>Dein Router muss den Port an diesen Rechner weiterleiten.</translation>
    </message>
    <message>
        <source>Your rules are not kept</source>
        <translation>Deine Regeln sind nicht gespeichert</translation>
    </message>
    <message>
        <source>Your rules could not be read</source>
        <translation>Deine Regeln ließen sich nicht lesen</translation>
    </message>
    <message>
        <source>Your rules could not be read. Look at those that would hold now.</source>
        <translation>Deine Regeln ließen sich nicht lesen. Sieh dir die an, die jetzt gelten würden.</translation>
    </message>
    <message>
        <source>Your rules for contributing are damaged ({place}). Nothing is done for others until you use the rules of a new machine, which would hold now, or change one of them and thereby use the others.</source>
        <translation>Deine Regeln fürs Beitragen sind beschädigt ({place}). Für andere geschieht nichts, bis du die Regeln eines neuen Rechners nimmst, die jetzt gelten würden, oder eine davon änderst und damit auch die übrigen nimmst.</translation>
    </message>
    <message>
        <source>Your rules for contributing could not be read. {problem} Nothing is done for others until you use the rules of a new machine, which would hold now, or change one of them and thereby use the others.</source>
        <translation>Deine Regeln fürs Beitragen ließen sich nicht lesen. {problem} Für andere geschieht nichts, bis du die Regeln eines neuen Rechners nimmst, die jetzt gelten würden, oder eine davon änderst und damit auch die übrigen nimmst.</translation>
    </message>
    <message>
        <source>a PDF cannot be written there</source>
        <translation>dort lässt sich kein PDF schreiben</translation>
    </message>
    <message>
        <source>a family is a name that can be printed, such as an address of yours: it is published.</source>
        <translation>eine Familie ist ein druckbarer Name, etwa eine Adresse von dir: Er wird veröffentlicht.</translation>
    </message>
    <message>
        <source>a list</source>
        <translation>eine Liste</translation>
    </message>
    <message>
        <source>a list of at most {most}</source>
        <translation>eine Liste mit höchstens {most} Einträgen</translation>
    </message>
    <message>
        <source>a list of {count}</source>
        <translation>eine Liste mit {count} Einträgen</translation>
    </message>
    <message>
        <source>a list of {least} to {most}</source>
        <translation>eine Liste mit {least} bis {most} Einträgen</translation>
    </message>
    <message>
        <source>a mistake of GenTorrent itself</source>
        <translation>ein Fehler von GenTorrent selbst</translation>
    </message>
    <message>
        <source>a model id has letters, digits and . _ : / - only, such as gentorrent-builtin.</source>
        <translation>der Name eines Modells hat nur Buchstaben, Ziffern und . _ : / -, wie gentorrent-builtin.</translation>
    </message>
    <message>
        <source>a name is too long</source>
        <translation>ein Name ist zu lang</translation>
    </message>
    <message>
        <source>a new answer</source>
        <translation>eine neue Antwort</translation>
    </message>
    <message>
        <source>a number</source>
        <translation>eine Zahl</translation>
    </message>
    <message>
        <source>a number does not end</source>
        <translation>eine Zahl hat kein Ende</translation>
    </message>
    <message>
        <source>a shape is too long</source>
        <translation>eine Form ist zu lang</translation>
    </message>
    <message>
        <source>a text</source>
        <translation>ein Text</translation>
    </message>
    <message>
        <source>a text of at most {most} characters</source>
        <translation>ein Text mit höchstens {most} Zeichen</translation>
    </message>
    <message>
        <source>a text of {count} characters</source>
        <translation>ein Text mit {count} Zeichen</translation>
    </message>
    <message>
        <source>a text of {least} to {most} characters</source>
        <translation>ein Text mit {least} bis {most} Zeichen</translation>
    </message>
    <message>
        <source>a weight lies before the beginning of its file</source>
        <translation>ein Gewicht liegt vor dem Anfang seiner Datei</translation>
    </message>
    <message>
        <source>a weight lies in another file, but its name is missing</source>
        <translation>ein Gewicht liegt in einer anderen Datei, deren Name fehlt</translation>
    </message>
    <message>
        <source>a whole number</source>
        <translation>eine ganze Zahl</translation>
    </message>
    <message numerus="yes">
        <source>about %Ln minute(s) left</source>
        <translation>
            <numerusform>noch etwa %Ln Minute</numerusform>
            <numerusform>noch etwa %Ln Minuten</numerusform>
        </translation>
    </message>
    <message>
        <source>about {speed} tokens/s</source>
        <translation>etwa {speed} Tokens/s</translation>
    </message>
    <message>
        <source>about {used} of {limit} tokens</source>
        <translation>etwa {used} von {limit} Tokens</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alles</translation>
    </message>
    <message>
        <source>an address has no user name, password or query here; {expected}</source>
        <translation>eine Adresse hat hier weder Benutzernamen noch Passwort noch Abfrage; {expected}</translation>
    </message>
    <message>
        <source>an answer comes over it now</source>
        <translation>gerade kommt eine Antwort darüber</translation>
    </message>
    <message>
        <source>an answer is being written</source>
        <translation>eine Antwort wird geschrieben</translation>
    </message>
    <message>
        <source>an object with fields</source>
        <translation>ein Objekt mit Feldern</translation>
    </message>
    <message>
        <source>an origin is written as http://localhost:3000, in lower case and without a path.</source>
        <translation>ein Ursprung wird geschrieben wie http://localhost:3000, klein und ohne Pfad.</translation>
    </message>
    <message>
        <source>another process</source>
        <translation>ein anderer Prozess</translation>
    </message>
    <message>
        <source>answered since the start</source>
        <translation>beantwortet seit dem Start</translation>
    </message>
    <message numerus="yes">
        <source>answering %Ln now</source>
        <translation>
            <numerusform>beantwortet gerade %Ln Frage</numerusform>
            <numerusform>beantwortet gerade %Ln Fragen</numerusform>
        </translation>
    </message>
    <message>
        <source>answering now</source>
        <translation>gerade in Arbeit</translation>
    </message>
    <message>
        <source>answers in {time} ms</source>
        <translation>antwortet in {time} ms</translation>
    </message>
    <message>
        <source>answers since the start</source>
        <translation>Antworten seit dem Start</translation>
    </message>
    <message>
        <source>anybody&apos;s who has it</source>
        <translation>von jedem, der sie hat</translation>
    </message>
    <message>
        <source>arithmetic error</source>
        <translation>Rechenfehler</translation>
    </message>
    <message>
        <source>at most {energy} kWh a month</source>
        <translation>höchstens {energy} kWh im Monat</translation>
    </message>
    <message>
        <source>at most {most} servers can be named.</source>
        <translation>höchstens {most} Server lassen sich nennen.</translation>
    </message>
    <message>
        <source>bus error</source>
        <translation>Busfehler</translation>
    </message>
    <message>
        <source>by {name} ({fingerprint}…)</source>
        <translation>von {name} ({fingerprint}…)</translation>
    </message>
    <message>
        <source>change</source>
        <translation>ändern</translation>
    </message>
    <message>
        <source>checks by verifiers so far</source>
        <translation>Prüfungen durch das Netz bisher</translation>
    </message>
    <message>
        <source>checks passed, the last about {time}</source>
        <translation>Prüfungen bestanden, die letzte gegen {time}</translation>
    </message>
    <message>
        <source>checks that decide nothing</source>
        <translation>Prüfungen, die nichts entscheiden</translation>
    </message>
    <message>
        <source>closed</source>
        <translation>geschlossen</translation>
    </message>
    <message>
        <source>code</source>
        <comment>no language named</comment>
        <translation>Code</translation>
    </message>
    <message>
        <source>computes on {device}</source>
        <translation>rechnet auf {device}</translation>
    </message>
    <message>
        <source>connected</source>
        <translation>verbunden</translation>
    </message>
    <message>
        <source>connected since {time}</source>
        <translation>verbunden seit {time}</translation>
    </message>
    <message>
        <source>copy</source>
        <translation>kopieren</translation>
    </message>
    <message>
        <source>copy to</source>
        <translation>befüllen</translation>
    </message>
    <message>
        <source>cut at its length limit</source>
        <translation>an der Längengrenze abgeschnitten</translation>
    </message>
    <message>
        <source>delete</source>
        <translation>löschen</translation>
    </message>
    <message>
        <source>direct</source>
        <translation>direkt</translation>
    </message>
    <message>
        <source>direct, without relays</source>
        <translation>direkt, ohne Relays</translation>
    </message>
    <message>
        <source>directly, without relays</source>
        <translation>direkt, ohne Relays</translation>
    </message>
    <message>
        <source>does not fit this machine</source>
        <translation>passt nicht auf diesen Rechner</translation>
    </message>
    <message>
        <source>expired before it was used</source>
        <translation>abgelaufen, bevor sie eingelöst wurde</translation>
    </message>
    <message>
        <source>first token after {time}</source>
        <translation>erstes Token nach {time}</translation>
    </message>
    <message>
        <source>fits this machine</source>
        <translation>passt auf diesen Rechner</translation>
    </message>
    <message>
        <source>folded away</source>
        <translation>eingeklappt</translation>
    </message>
    <message>
        <source>for 30 days</source>
        <translation>30 Tage</translation>
    </message>
    <message>
        <source>for a day</source>
        <translation>einen Tag</translation>
    </message>
    <message>
        <source>for a year</source>
        <translation>ein Jahr</translation>
    </message>
    <message>
        <source>for good</source>
        <translation>für immer</translation>
    </message>
    <message>
        <source>for one machine only</source>
        <translation>nur für einen Rechner</translation>
    </message>
    <message>
        <source>for others</source>
        <translation>für andere</translation>
    </message>
    <message>
        <source>for your questions</source>
        <translation>für deine Fragen</translation>
    </message>
    <message>
        <source>free on the disk</source>
        <translation>auf der Festplatte frei</translation>
    </message>
    <message>
        <source>gentorrent-invite-… or https://…</source>
        <translation>gentorrent-invite-… oder https://…</translation>
    </message>
    <message>
        <source>go direct (sealed, but the model node sees your address)</source>
        <translation>direkt gehen (versiegelt, aber der Modellknoten sieht deine Adresse)</translation>
    </message>
    <message>
        <source>hide what the model thought</source>
        <translation>Gedanken des Modells verbergen</translation>
    </message>
    <message>
        <source>illegal instruction</source>
        <translation>unbekannter Befehl</translation>
    </message>
    <message>
        <source>in use</source>
        <translation>in Benutzung</translation>
    </message>
    <message>
        <source>it answers with HTTP status {status}</source>
        <translation>er antwortet mit HTTP-Status {status}</translation>
    </message>
    <message>
        <source>it answers {name} with HTTP status {status}</source>
        <translation>er beantwortet {name} mit HTTP-Status {status}</translation>
    </message>
    <message>
        <source>it answers {name} with {kind}, which no bootstrap server does. A login page of this network, perhaps? Open a web browser and see</source>
        <translation>er beantwortet {name} mit {kind}, was kein Bootstrap-Server tut. Vielleicht eine Anmeldeseite dieses Netzes? Öffne einen Browser und sieh nach</translation>
    </message>
    <message>
        <source>it cannot be started ({error})</source>
        <translation>es lässt sich nicht starten ({error})</translation>
    </message>
    <message>
        <source>it computes other numbers than the processor for the model {model} (logits differ by {off} standard deviations, at most {most} are rounding). Update its driver, or try another variant</source>
        <translation>es rechnet andere Zahlen als der Prozessor für das Modell {model} (Logits weichen um {off} Standardabweichungen ab, höchstens {most} sind Rundung). Erneuere seinen Treiber, oder versuch eine andere Variante</translation>
    </message>
    <message>
        <source>it crashed (illegal instruction: this processor is too old for the runtime)</source>
        <translation>es ist abgestürzt (unbekannter Befehl: Dieser Prozessor ist zu alt für die Laufzeit)</translation>
    </message>
    <message>
        <source>it crashed (memory access violation)</source>
        <translation>es ist abgestürzt (unerlaubter Speicherzugriff)</translation>
    </message>
    <message>
        <source>it crashed (stack overflow)</source>
        <translation>es ist abgestürzt (Stapelüberlauf)</translation>
    </message>
    <message>
        <source>it crashed (the runtime stopped itself)</source>
        <translation>es ist abgestürzt (die Laufzeit hat sich selbst beendet)</translation>
    </message>
    <message>
        <source>it crashed with signal {number}</source>
        <translation>es ist mit Signal {number} abgestürzt</translation>
    </message>
    <message>
        <source>it crashed with signal {number}, {name}</source>
        <translation>es ist mit Signal {number} abgestürzt, {name}</translation>
    </message>
    <message>
        <source>it does not say why</source>
        <translation>sie sagt nicht, warum</translation>
    </message>
    <message>
        <source>it ended with exit code {number}</source>
        <translation>es endete mit Exit-Code {number}</translation>
    </message>
    <message>
        <source>it ends at byte {end}, {missing} bytes too early</source>
        <translation>sie endet bei Byte {end}, {missing} Bytes zu früh</translation>
    </message>
    <message>
        <source>it gave no sign of life for {seconds} s</source>
        <translation>es gab {seconds} s lang kein Lebenszeichen</translation>
    </message>
    <message>
        <source>it has to be {allowed}.</source>
        <translation>Es muss {allowed} sein.</translation>
    </message>
    <message>
        <source>it holds no graph</source>
        <translation>sie enthält kein Modell</translation>
    </message>
    <message>
        <source>it sends us to another address, which no bootstrap server does</source>
        <translation>er schickt uns zu einer anderen Adresse, was kein Bootstrap-Server tut</translation>
    </message>
    <message>
        <source>it sent something that cannot be read ({error})</source>
        <translation>es hat etwas geschickt, das sich nicht lesen lässt ({error})</translation>
    </message>
    <message>
        <source>it serves network {network}</source>
        <translation>er gehört zum Netz {network}</translation>
    </message>
    <message>
        <source>it stopped itself</source>
        <translation>es hat sich selbst beendet</translation>
    </message>
    <message>
        <source>it was killed, most likely because the machine ran out of memory</source>
        <translation>es wurde beendet, höchstwahrscheinlich weil dem Rechner der Speicher ausging</translation>
    </message>
    <message>
        <source>its certificate is not trusted: {problem}</source>
        <translation>seinem Zertifikat ist nicht zu trauen: {problem}</translation>
    </message>
    <message>
        <source>its membership has ended</source>
        <translation>die Mitgliedschaft ist zu Ende</translation>
    </message>
    <message>
        <source>its numbers agree with the processor&apos;s (logits differ by {off} standard deviations)</source>
        <translation>ihre Zahlen stimmen mit denen des Prozessors überein (Logits weichen um {off} Standardabweichungen ab)</translation>
    </message>
    <message>
        <source>its numbers were not compared with the processor&apos;s, which cannot compute this variant: {problem}</source>
        <translation>ihre Zahlen wurden nicht mit denen des Prozessors verglichen, der diese Variante nicht rechnen kann: {problem}</translation>
    </message>
    <message>
        <source>its numbers were not compared with the processor&apos;s: there is not enough main memory for both</source>
        <translation>ihre Zahlen wurden nicht mit denen des Prozessors verglichen: Für beide reicht der Arbeitsspeicher nicht</translation>
    </message>
    <message>
        <source>its settings (config.json or genai_config.json)</source>
        <translation>seine Einstellungen (config.json oder genai_config.json)</translation>
    </message>
    <message>
        <source>its vocabulary (tokenizer.json)</source>
        <translation>sein Wortschatz (tokenizer.json)</translation>
    </message>
    <message>
        <source>joined</source>
        <translation>beigetreten</translation>
    </message>
    <message>
        <source>kWh</source>
        <translation>kWh</translation>
    </message>
    <message>
        <source>kWh this month</source>
        <translation>kWh in diesem Monat</translation>
    </message>
    <message>
        <source>left of it</source>
        <translation>davon übrig</translation>
    </message>
    <message>
        <source>less than a minute left</source>
        <translation>noch weniger als eine Minute</translation>
    </message>
    <message>
        <source>licence: {name}</source>
        <translation>Lizenz: {name}</translation>
    </message>
    <message>
        <source>lies in a folder of yours</source>
        <translation>liegt in einem Ordner von dir</translation>
    </message>
    <message>
        <source>links of this machine</source>
        <translation>Verbindungen dieses Rechners</translation>
    </message>
    <message>
        <source>loading the model and telling the network</source>
        <translation>Das Modell wird geladen und dem Netz gemeldet</translation>
    </message>
    <message>
        <source>loading took longer than {seconds} s</source>
        <translation>das Laden dauerte länger als {seconds} s</translation>
    </message>
    <message>
        <source>lock</source>
        <translation>sperren</translation>
    </message>
    <message>
        <source>look at the disk of</source>
        <translation>auf freien Platz prüfen</translation>
    </message>
    <message>
        <source>machine {node}</source>
        <translation>Rechner {node}</translation>
    </message>
    <message>
        <source>make the folder</source>
        <translation>anlegen</translation>
    </message>
    <message>
        <source>member until {when}</source>
        <translation>Mitglied bis {when}</translation>
    </message>
    <message>
        <source>memory error</source>
        <translation>Speicherfehler</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>Minuten</translation>
    </message>
    <message>
        <source>needs {need} of {total} GB</source>
        <translation>braucht {need} von {total} GB</translation>
    </message>
    <message>
        <source>needs {need} of {total} GB of the graphics card</source>
        <translation>braucht {need} von {total} GB der Grafikkarte</translation>
    </message>
    <message>
        <source>needs {size}</source>
        <translation>braucht {size}</translation>
    </message>
    <message>
        <source>no TURN server can be used from here ({tried})</source>
        <translation>von hier aus ist kein TURN-Server zu benutzen ({tried})</translation>
    </message>
    <message>
        <source>no answer in time</source>
        <translation>keine rechtzeitige Antwort</translation>
    </message>
    <message>
        <source>no answer within {seconds} s</source>
        <translation>keine Antwort in {seconds} s</translation>
    </message>
    <message>
        <source>no limit</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>no network</source>
        <translation>kein Netz</translation>
    </message>
    <message>
        <source>no standing yet</source>
        <translation>noch ohne Ansehen</translation>
    </message>
    <message>
        <source>no way leads there from here</source>
        <translation>von hier führt kein Weg dorthin</translation>
    </message>
    <message>
        <source>nodes listed</source>
        <translation>Knoten im Verzeichnis</translation>
    </message>
    <message>
        <source>not connected</source>
        <translation>nicht verbunden</translation>
    </message>
    <message>
        <source>not reached since {time}</source>
        <translation>nicht erreicht seit {time}</translation>
    </message>
    <message>
        <source>not stated by the hub</source>
        <comment>licence</comment>
        <translation>vom Hub nicht genannt</translation>
    </message>
    <message>
        <source>not used yet, good until {when}</source>
        <translation>noch nicht eingelöst, gültig bis {when}</translation>
    </message>
    <message>
        <source>nothing measured</source>
        <translation>nichts gemessen</translation>
    </message>
    <message>
        <source>nothing takes connections there</source>
        <translation>dort nimmt nichts Verbindungen an</translation>
    </message>
    <message>
        <source>of electricity this month</source>
        <translation>Strom in diesem Monat</translation>
    </message>
    <message>
        <source>on the network, too: {numbers}</source>
        <translation>auch im Netz: {numbers}</translation>
    </message>
    <message>
        <source>one of {choices}</source>
        <translation>eins von {choices}</translation>
    </message>
    <message>
        <source>one step took longer than {seconds} s</source>
        <translation>ein Schritt dauerte länger als {seconds} s</translation>
    </message>
    <message>
        <source>only for accounts that have accepted its terms there</source>
        <translation>nur für Konten, die dort die Bedingungen angenommen haben</translation>
    </message>
    <message>
        <source>open</source>
        <translation>öffnen</translation>
    </message>
    <message>
        <source>opened</source>
        <translation>geöffnet</translation>
    </message>
    <message>
        <source>over {shape}</source>
        <translation>über {shape}</translation>
    </message>
    <message>
        <source>paths ready</source>
        <translation>Pfade bereit</translation>
    </message>
    <message>
        <source>process {number}</source>
        <translation>Prozess {number}</translation>
    </message>
    <message>
        <source>read</source>
        <translation>lesen</translation>
    </message>
    <message>
        <source>receipts confirmed in two days</source>
        <translation>Quittungen bestätigt in zwei Tagen</translation>
    </message>
    <message>
        <source>refused: it answered with error {error}</source>
        <translation>abgelehnt: Er antwortete mit Fehler {error}</translation>
    </message>
    <message>
        <source>refused: it does not accept our user name and password</source>
        <translation>abgelehnt: Er nimmt unseren Benutzernamen und unser Passwort nicht an</translation>
    </message>
    <message>
        <source>refused: it does not serve this address</source>
        <translation>abgelehnt: Er bedient diese Adresse nicht</translation>
    </message>
    <message>
        <source>refused: it has no room for more relayed links now</source>
        <translation>abgelehnt: Er hat jetzt keinen Platz für weitere Verbindungen</translation>
    </message>
    <message>
        <source>refused: our quota of relayed links is used up; close other links or ask the operator for more</source>
        <translation>abgelehnt: Unser Kontingent an Verbindungen über ihn ist aufgebraucht; andere schließen oder den Betreiber um mehr bitten</translation>
    </message>
    <message>
        <source>relays</source>
        <translation>Relays</translation>
    </message>
    <message>
        <source>rename</source>
        <translation>umbenennen</translation>
    </message>
    <message>
        <source>replace</source>
        <translation>ersetzen</translation>
    </message>
    <message>
        <source>reputation, at most 1</source>
        <translation>Ansehen, höchstens 1</translation>
    </message>
    <message>
        <source>revoked</source>
        <translation>widerrufen</translation>
    </message>
    <message>
        <source>show what the model thought</source>
        <translation>Gedanken des Modells zeigen</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>ausgeklappt</translation>
    </message>
    <message>
        <source>size not known yet</source>
        <translation>Größe noch nicht bekannt</translation>
    </message>
    <message>
        <source>standing {share} %</source>
        <translation>Ansehen {share} %</translation>
    </message>
    <message>
        <source>status {status}, {kind}, no health report</source>
        <translation>Status {status}, {kind}, kein Zustandsbericht</translation>
    </message>
    <message>
        <source>subgraphs are nested too deeply</source>
        <translation>Teilgraphen sind zu tief verschachtelt</translation>
    </message>
    <message>
        <source>taken by models</source>
        <translation>von Modellen belegt</translation>
    </message>
    <message>
        <source>takes no questions now</source>
        <translation>nimmt gerade keine Fragen an</translation>
    </message>
    <message>
        <source>temporary</source>
        <translation>temporär</translation>
    </message>
    <message>
        <source>the connection was closed</source>
        <translation>die Verbindung wurde geschlossen</translation>
    </message>
    <message>
        <source>the connection was cut</source>
        <translation>die Verbindung wurde getrennt</translation>
    </message>
    <message>
        <source>the device that it computed with failed (exit code {number})</source>
        <translation>das Gerät, mit dem es rechnete, ist ausgefallen (Exit-Code {number})</translation>
    </message>
    <message>
        <source>the engine refused this window</source>
        <translation>die Engine hat dieses Fenster abgelehnt</translation>
    </message>
    <message>
        <source>the graphics card (CUDA)</source>
        <translation>der Grafikkarte (CUDA)</translation>
    </message>
    <message>
        <source>the graphics card (DirectML)</source>
        <translation>der Grafikkarte (DirectML)</translation>
    </message>
    <message>
        <source>the graphics card (ROCm)</source>
        <translation>der Grafikkarte (ROCm)</translation>
    </message>
    <message>
        <source>the graphics card (TensorRT)</source>
        <translation>der Grafikkarte (TensorRT)</translation>
    </message>
    <message>
        <source>the keyring holds another key than the one it was encrypted with, or the file is damaged</source>
        <translation>der Schlüsselbund hat einen anderen Schlüssel als den, mit dem die Datei verschlüsselt wurde, oder sie ist beschädigt</translation>
    </message>
    <message>
        <source>the model is too small to be compared with the processor</source>
        <translation>das Modell ist zu klein, um es mit dem Prozessor zu vergleichen</translation>
    </message>
    <message>
        <source>the model {model} cannot be computed there: {problem}</source>
        <translation>das Modell {model} lässt sich dort nicht rechnen: {problem}</translation>
    </message>
    <message>
        <source>the network itself (a file that ends in .onnx)</source>
        <translation>das Netz selbst (eine Datei, die auf .onnx endet)</translation>
    </message>
    <message>
        <source>the network&apos;s operator offers no TURN server</source>
        <translation>der Betreiber des Netzes bietet keinen TURN-Server an</translation>
    </message>
    <message>
        <source>the part after # is not a network id, which has 64 digits 0-9 a-f. gentorrent bootstrap prints the whole address; copy it from there.</source>
        <translation>der Teil nach # ist keine Netzkennung, die 64 Ziffern 0-9 a-f hat. gentorrent bootstrap schreibt die ganze Adresse; kopier sie von dort.</translation>
    </message>
    <message>
        <source>the processor</source>
        <translation>dem Prozessor</translation>
    </message>
    <message>
        <source>the processor of this computer</source>
        <translation>der Prozessor dieses Rechners</translation>
    </message>
    <message>
        <source>the server is busy with other measurements</source>
        <translation>der Server ist mit anderen Messungen beschäftigt</translation>
    </message>
    <message>
        <source>the servers are of different networks: the parts after # differ. Name servers of one network only.</source>
        <translation>die Server sind aus verschiedenen Netzen: Die Teile nach # unterscheiden sich. Nenn nur Server eines Netzes.</translation>
    </message>
    <message>
        <source>the system had no memory for it</source>
        <translation>das System hatte keinen Speicher dafür</translation>
    </message>
    <message>
        <source>there is no such host</source>
        <translation>einen solchen Rechner gibt es nicht</translation>
    </message>
    <message>
        <source>this computer&apos;s network has changed</source>
        <translation>das Netz dieses Rechners ist ein anderes geworden</translation>
    </message>
    <message>
        <source>this is not an address; {expected}</source>
        <translation>das ist keine Adresse; {expected}</translation>
    </message>
    <message>
        <source>this is not the address of a bootstrap server; {expected}</source>
        <translation>das ist nicht die Adresse eines Bootstrap-Servers; {expected}</translation>
    </message>
    <message>
        <source>this machine is listed there since {time}</source>
        <translation>dieser Rechner steht dort seit {time} im Verzeichnis</translation>
    </message>
    <message>
        <source>through a TURN server</source>
        <translation>über einen TURN-Server</translation>
    </message>
    <message>
        <source>tight: close other programs first</source>
        <translation>knapp: vorher andere Programme schließen</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>Tokens</translation>
    </message>
    <message>
        <source>tokens per Wh</source>
        <translation>Tokens pro Wh</translation>
    </message>
    <message>
        <source>tokens since the start</source>
        <translation>Tokens seit dem Start</translation>
    </message>
    <message>
        <source>tokens this month</source>
        <translation>Tokens in diesem Monat</translation>
    </message>
    <message>
        <source>tokens today</source>
        <translation>Tokens heute</translation>
    </message>
    <message>
        <source>too many parts</source>
        <translation>zu viele Teile</translation>
    </message>
    <message>
        <source>true or false</source>
        <translation>true oder false</translation>
    </message>
    <message>
        <source>unreviewed</source>
        <translation>ungeprüft</translation>
    </message>
    <message>
        <source>unreviewed · by {name} ({fingerprint}…)</source>
        <translation>ungeprüft · von {name} ({fingerprint}…)</translation>
    </message>
    <message>
        <source>up to {rate} Mbit/s</source>
        <translation>bis {rate} Mbit/s</translation>
    </message>
    <message>
        <source>up to {tokens} tokens</source>
        <translation>bis {tokens} Tokens</translation>
    </message>
    <message>
        <source>use {shape}</source>
        <translation>{shape} benutzen</translation>
    </message>
    <message>
        <source>used while the first does not answer</source>
        <translation>wird benutzt, solange der erste nicht antwortet</translation>
    </message>
    <message>
        <source>waiting for the network</source>
        <translation>Warten auf das Netz</translation>
    </message>
    <message>
        <source>weaker: {paths} × {hops} relays instead of {full_paths} × {full_hops}</source>
        <translation>schwächer: {paths} × {hops} Relays statt {full_paths} × {full_hops}</translation>
    </message>
    <message>
        <source>when nobody uses the machine</source>
        <translation>wenn niemand den Rechner benutzt</translation>
    </message>
    <message>
        <source>wire type {kind} at byte {place}</source>
        <translation>Feldart {kind} bei Byte {place}</translation>
    </message>
    <message>
        <source>within 30 days</source>
        <translation>binnen 30 Tagen</translation>
    </message>
    <message>
        <source>within a day</source>
        <translation>binnen eines Tages</translation>
    </message>
    <message>
        <source>within a week</source>
        <translation>binnen einer Woche</translation>
    </message>
    <message>
        <source>within an hour</source>
        <translation>binnen einer Stunde</translation>
    </message>
    <message>
        <source>within three days</source>
        <translation>binnen drei Tagen</translation>
    </message>
    <message>
        <source>without a name</source>
        <translation>ohne Namen</translation>
    </message>
    <message>
        <source>write</source>
        <translation>schreiben</translation>
    </message>
    <message>
        <source>write IP:PORT as others reach it, for example 203.0.113.7:4711 or [2001:db8::1]:4711.</source>
        <translation>schreib IP:PORT, wie andere ihn erreichen, zum Beispiel 203.0.113.7:4711 oder [2001:db8::1]:4711.</translation>
    </message>
    <message>
        <source>write http://HOST:PORT or https://HOST, and #NETWORKID after it to pin the network.</source>
        <translation>schreib http://HOST:PORT oder https://HOST, und dahinter #NETWORKID, um das Netz festzulegen.</translation>
    </message>
    <message>
        <source>your limit for models</source>
        <translation>deine Grenze für Modelle</translation>
    </message>
    <message>
        <source>{action} ({key})</source>
        <translation>{action} ({key})</translation>
    </message>
    <message>
        <source>{action}: {model}</source>
        <translation>{action}: {model}</translation>
    </message>
    <message>
        <source>{address} makes the answers</source>
        <translation>{address} macht die Antworten</translation>
    </message>
    <message>
        <source>{answered} answered, {tokens} tokens</source>
        <translation>{answered} beantwortet, {tokens} Tokens</translation>
    </message>
    <message>
        <source>{at} of {all}</source>
        <translation>{at} von {all}</translation>
    </message>
    <message>
        <source>{bits}-bit ({name})</source>
        <translation>{bits} Bit ({name})</translation>
    </message>
    <message>
        <source>{choice}, for this chat while relays are missing</source>
        <translation>{choice}, für diesen Chat, solange Relays fehlen</translation>
    </message>
    <message>
        <source>{count} GB</source>
        <translation>{count} GB</translation>
    </message>
    <message>
        <source>{count} MB</source>
        <translation>{count} MB</translation>
    </message>
    <message>
        <source>{count} billion parameters</source>
        <translation>{count} Mrd. Parameter</translation>
    </message>
    <message>
        <source>{count} bytes</source>
        <translation>{count} Byte</translation>
    </message>
    <message>
        <source>{count} kB</source>
        <translation>{count} kB</translation>
    </message>
    <message>
        <source>{count} million parameters</source>
        <translation>{count} Mio. Parameter</translation>
    </message>
    <message>
        <source>{count} minutes</source>
        <translation>{count} Minuten</translation>
    </message>
    <message>
        <source>{count} more</source>
        <translation>{count} weitere</translation>
    </message>
    <message>
        <source>{count} of the links go through a TURN server ({server}).</source>
        <translation>{count} der Verbindungen gehen durch einen TURN-Server ({server}).</translation>
    </message>
    <message>
        <source>{count} parameters</source>
        <translation>{count} Parameter</translation>
    </message>
    <message>
        <source>{count} s</source>
        <translation>{count} s</translation>
    </message>
    <message>
        <source>{crash} It ended {times} times while it made this answer, so the answer is given up. Ask something else, or choose another model.</source>
        <translation>{crash} Es endete {times}-mal, während es diese Antwort machte, darum wird sie aufgegeben. Frag etwas anderes, oder wähle ein anderes Modell.</translation>
    </message>
    <message>
        <source>{day}, {start} to {end} o&apos;clock: contributes</source>
        <translation>{day}, {start} bis {end} Uhr: trägt bei</translation>
    </message>
    <message>
        <source>{day}, {start} to {end} o&apos;clock: does not contribute</source>
        <translation>{day}, {start} bis {end} Uhr: trägt nicht bei</translation>
    </message>
    <message>
        <source>{device} cannot be limited to less than {watts} W. The engine works in pauses, so that it stays below.</source>
        <translation>{device}: Weniger als {watts} W lassen sich nicht einstellen. Die Engine macht zwischendurch Pausen, um darunter zu bleiben.</translation>
    </message>
    <message>
        <source>{device} does not say how hot it is, so the limit of heat does nothing for it.</source>
        <translation>{device}: Die Temperatur wird nicht gemeldet, die Grenze dafür bewirkt daher nichts.</translation>
    </message>
    <message>
        <source>{device} does not say how much power it takes, so its limit does nothing.</source>
        <translation>{device}: Der Verbrauch wird nicht gemeldet, die Grenze bewirkt daher nichts.</translation>
    </message>
    <message>
        <source>{device} is at {degrees} °C.</source>
        <translation>{device} ist {degrees} °C warm.</translation>
    </message>
    <message>
        <source>{device} is not used: {reason}</source>
        <translation>{device} wird nicht benutzt: {reason}</translation>
    </message>
    <message>
        <source>{device} is not used: {reason}.</source>
        <translation>{device} wird nicht benutzt: {reason}.</translation>
    </message>
    <message>
        <source>{device} works more slowly, as it is at {degrees} °C.</source>
        <translation>{device}: arbeitet langsamer, bei {degrees} °C.</translation>
    </message>
    <message>
        <source>{device} works more slowly, so that it stays below {watts} W.</source>
        <translation>{device}: arbeitet langsamer, um unter {watts} W zu bleiben.</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done} von {total}</translation>
    </message>
    <message>
        <source>{down} Mbit/s from the bootstrap server and {up} Mbit/s to it (measured with {megabytes} MB).</source>
        <translation>{down} Mbit/s vom Bootstrap-Server und {up} Mbit/s zu ihm (gemessen mit {megabytes} MB).</translation>
    </message>
    <message>
        <source>{facts}. Its licence: {licence}.</source>
        <translation>{facts}. Lizenz: {licence}.</translation>
    </message>
    <message>
        <source>{field} cannot be {given}.</source>
        <translation>{field} kann nicht {given} sein.</translation>
    </message>
    <message>
        <source>{field} cannot be {given}: it has to be {allowed}.</source>
        <translation>{field} kann nicht {given} sein: Es muss {allowed} sein.</translation>
    </message>
    <message>
        <source>{field} has to be {allowed}.</source>
        <translation>{field} muss {allowed} sein.</translation>
    </message>
    <message>
        <source>{field} is missing.</source>
        <translation>{field} fehlt.</translation>
    </message>
    <message>
        <source>{field} is not what is asked for.</source>
        <translation>{field} ist nicht das, was erwartet wird.</translation>
    </message>
    <message>
        <source>{file} of {model} could not be fetched from any address of its manifest. {error} What has arrived is kept: run the same again to go on.</source>
        <translation>{file} von {model} war von keiner Adresse des Manifests zu bekommen. {error} Was angekommen ist, bleibt: Versuche dasselbe noch einmal, dann geht es dort weiter.</translation>
    </message>
    <message>
        <source>{file} of {model} could not be fetched: {reason}, {times} times in a row. What has arrived is kept, and the download can go on from there.</source>
        <translation>{file} von {model} ließ sich nicht holen: {reason}, {times}-mal hintereinander. Was angekommen ist, bleibt, und der Download kann von dort weitergehen.</translation>
    </message>
    <message>
        <source>{file} of {model} is not the file that its publisher has signed. Somebody has changed it behind its address. Nothing of it is used; tell the publisher.</source>
        <translation>{file} von {model} ist nicht die Datei, die der Herausgeber signiert hat. Jemand hat sie hinter ihrer Adresse verändert. Nichts davon wird benutzt; sag es dem Herausgeber.</translation>
    </message>
    <message>
        <source>{file} of {model} is not what the earlier download was: expected {expected}, found {found}, twice. Somebody on the way, or the hub&apos;s copy, is broken. Try again later, or from another network.</source>
        <translation>{file} von {model} ist nicht, was der frühere Download war: erwartet {expected}, gefunden {found}, zweimal. Jemand auf dem Weg oder die Kopie des Hubs ist schadhaft. Versuche es später erneut oder aus einem anderen Netz.</translation>
    </message>
    <message>
        <source>{file} of {model} is not what the hub says: expected {expected}, found {found}, twice. Somebody on the way, or the hub&apos;s copy, is broken. Try again later, or from another network.</source>
        <translation>{file} von {model} ist nicht, was der Hub sagt: erwartet {expected}, gefunden {found}, zweimal. Jemand auf dem Weg oder die Kopie des Hubs ist schadhaft. Versuche es später erneut oder aus einem anderen Netz.</translation>
    </message>
    <message>
        <source>{fit} (with {tokens} tokens of context)</source>
        <translation>{fit} (mit {tokens} Tokens Kontext)</translation>
    </message>
    <message>
        <source>{folder} is a whole disk. Choose the folder of one model.</source>
        <translation>{folder} ist ein ganzer Datenträger. Wähle den Ordner eines Modells.</translation>
    </message>
    <message>
        <source>{folder} is not a model&apos;s folder: it has more than {most} files. Choose the folder of one model.</source>
        <translation>{folder} ist kein Ordner eines Modells: Er hat mehr als {most} Dateien. Wähle den Ordner eines Modells.</translation>
    </message>
    <message>
        <source>{folder} is not a model&apos;s folder: it has more than {most} folders in each other. Choose the folder of one model.</source>
        <translation>{folder} ist kein Ordner eines Modells: Er hat mehr als {most} Ordner ineinander. Wähle den Ordner eines Modells.</translation>
    </message>
    <message>
        <source>{folder} was not looked through within {seconds} seconds. Choose the folder of one model, on a disk that is not so slow.</source>
        <translation>{folder} wurde in {seconds} Sekunden nicht durchgesehen. Wähle den Ordner eines Modells auf einem Datenträger, der nicht so langsam ist.</translation>
    </message>
    <message>
        <source>{have} relays are usable, but too many of them share a network or an owner for {paths} separate paths of {length}. Wait for relays elsewhere.</source>
        <translation>{have} Relays sind brauchbar, aber zu viele davon teilen sich ein Netz oder einen Besitzer für {paths} getrennte Pfade von {length}. Warte auf Relays anderswo.</translation>
    </message>
    <message>
        <source>{hub} answered with status {status}. Try again later.</source>
        <translation>{hub} hat mit Status {status} geantwortet. Versuche es später erneut.</translation>
    </message>
    <message>
        <source>{hub} has no repository {repository}, or it is private. Check the name. For a private one set HF_TOKEN.</source>
        <translation>{hub} hat kein Repository {repository}, oder es ist privat. Prüfe den Namen. Für ein privates setze HF_TOKEN.</translation>
    </message>
    <message>
        <source>{hub} is asked too often from here. Wait some minutes and try again.</source>
        <translation>{hub} wird von hier zu oft gefragt. Warte einige Minuten und versuche es erneut.</translation>
    </message>
    <message>
        <source>{kind} above {least}</source>
        <translation>{kind} über {least}</translation>
    </message>
    <message>
        <source>{kind} above {least} and of at most {most}</source>
        <translation>{kind} über {least}, höchstens {most}</translation>
    </message>
    <message>
        <source>{kind} from {least} to {most}</source>
        <translation>{kind} von {least} bis {most}</translation>
    </message>
    <message>
        <source>{kind} of at least {least}</source>
        <translation>{kind} ab {least}</translation>
    </message>
    <message>
        <source>{kind} of at most {most}</source>
        <translation>{kind} bis höchstens {most}</translation>
    </message>
    <message>
        <source>{missing} of it are missing.</source>
        <translation>Davon fehlen {missing}.</translation>
    </message>
    <message>
        <source>{model} could not be loaded and is tried again later.</source>
        <translation>{model} ließ sich nicht laden und wird später wieder versucht.</translation>
    </message>
    <message>
        <source>{model} has another licence ({licence}) than the one that you have accepted. Read it, and accept it before the download goes on.</source>
        <translation>{model} hat eine andere Lizenz ({licence}) als die, die du angenommen hast. Lies sie und nimm sie an, bevor das Herunterladen weitergeht.</translation>
    </message>
    <message>
        <source>{model} has another licence now ({licence}) than the one that you have accepted. It is not used until you have read and accepted that: on the page Models, or with: gentorrent models download {model}</source>
        <translation>{model} hat jetzt eine andere Lizenz ({licence}) als die, die du angenommen hast. Das Modell wird erst wieder benutzt, wenn du sie gelesen und angenommen hast: auf der Seite Modelle oder mit: gentorrent models download {model}</translation>
    </message>
    <message>
        <source>{model} is about to be deleted, so nobody is answered with it any more.</source>
        <translation>{model} wird gleich gelöscht, darum wird niemandem mehr damit geantwortet.</translation>
    </message>
    <message>
        <source>{model} is answering ({answers}). Wait until it is done, or stop it, and remove the model then.</source>
        <translation>{model} antwortet gerade ({answers}). Warte, bis das fertig ist, oder halte es an, und entferne das Modell dann.</translation>
    </message>
    <message>
        <source>{model} is being contributed: this machine answers others with it. Choose another model on the page Contribute, or switch contributing off, and remove it then.</source>
        <translation>{model} wird beigetragen: Dieser Rechner beantwortet damit Fragen anderer. Wähle auf der Seite „Beitragen“ ein anderes Modell oder schalte das Beitragen ab, und entferne es dann.</translation>
    </message>
    <message>
        <source>{model} is being downloaded, imported or removed now. Wait until that is done.</source>
        <translation>{model} wird gerade heruntergeladen, importiert oder entfernt. Warte, bis das fertig ist.</translation>
    </message>
    <message>
        <source>{model} is on its way</source>
        <translation>{model} ist unterwegs</translation>
    </message>
    <message>
        <source>{model} is part of the program and stays.</source>
        <translation>{model} gehört zum Programm und bleibt.</translation>
    </message>
    <message>
        <source>{model} is published by {publisher} ({fingerprint}), whose models you do not serve. Allow it in the window, or with: gentorrent models publishers trust {fingerprint}</source>
        <translation>{model} ist von {publisher} ({fingerprint}) veröffentlicht, dessen Modelle du nicht anbietest. Erlaube es im Fenster oder mit: gentorrent models publishers trust {fingerprint}</translation>
    </message>
    <message>
        <source>{model} is the only model here that can be taken.</source>
        <translation>{model} ist das einzige Modell hier, das in Frage kommt.</translation>
    </message>
    <message>
        <source>{model} is unreviewed: {publisher} ({fingerprint}) has published it, and nobody else has looked at it. Confirm in the window that you want to ask it, or with: gentorrent models confirm {model}</source>
        <translation>{model} ist ungeprüft: {publisher} ({fingerprint}) hat es veröffentlicht, und sonst hat es niemand angesehen. Bestätige im Fenster, dass du es fragen willst, oder mit: gentorrent models confirm {model}</translation>
    </message>
    <message>
        <source>{model} is where this machine helps most.</source>
        <translation>Mit {model} hilft dieser Rechner am meisten.</translation>
    </message>
    <message>
        <source>{model} needs {needed}, and the disk has {left} for it ({reserve} stay free). Free {more}, or choose a smaller one.</source>
        <translation>{model} braucht {needed}, und auf der Festplatte sind {left} dafür frei ({reserve} bleiben frei). Schaffe {more} Platz oder wähle ein kleineres.</translation>
    </message>
    <message>
        <source>{model} needs {needed}, but of the {limit} that you allow for models {used} are taken and {left} are left. Remove a model, or allow {more} more.</source>
        <translation>{model} braucht {needed}, aber von den {limit}, die du für Modelle erlaubst, sind {used} belegt und {left} übrig. Entferne ein Modell oder erlaube {more} mehr.</translation>
    </message>
    <message>
        <source>{model} on this machine answers.</source>
        <translation>{model} auf diesem Rechner antwortet.</translation>
    </message>
    <message>
        <source>{model} was not downloaded</source>
        <translation>{model} wurde nicht heruntergeladen</translation>
    </message>
    <message>
        <source>{model} would help more, once it is downloaded ({size} GB).</source>
        <translation>{model} würde mehr helfen, ist aber erst herunterzuladen ({size} GB).</translation>
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
        <source>{most} answers are being written already. Wait until one is done, or stop one.</source>
        <translation>Es werden schon {most} Antworten geschrieben. Warte, bis eine fertig ist, oder halte eine an.</translation>
    </message>
    <message>
        <source>{most} chats are open here already. Close one of them.</source>
        <translation>Hier sind schon {most} Chats geöffnet. Schließe einen davon.</translation>
    </message>
    <message>
        <source>{most} files are attached already. Remove one of them.</source>
        <translation>Es sind schon {most} Dateien angehängt. Entferne eine davon.</translation>
    </message>
    <message>
        <source>{most} files are being sent already. Finish one of them first.</source>
        <translation>Es werden schon {most} Dateien gesendet. Schließe erst eine davon ab.</translation>
    </message>
    <message>
        <source>{most} models are being downloaded already. Stop one, or wait.</source>
        <translation>Es werden schon {most} Modelle heruntergeladen. Halte eines an oder warte.</translation>
    </message>
    <message>
        <source>{most} models are being imported already. Wait until one is done.</source>
        <translation>{most} Modelle werden schon importiert. Warte, bis eines fertig ist.</translation>
    </message>
    <message>
        <source>{most} published models are known here already. No more are taken.</source>
        <translation>{most} veröffentlichte Modelle sind hier schon bekannt. Mehr werden nicht angenommen.</translation>
    </message>
    <message>
        <source>{name} (changed)</source>
        <translation>{name} (geändert)</translation>
    </message>
    <message>
        <source>{name} cannot be read: {reason}.</source>
        <translation>{name} lässt sich nicht lesen: {reason}.</translation>
    </message>
    <message>
        <source>{name} holds no text, so it was not attached.</source>
        <translation>{name} enthält keinen Text und wurde deshalb nicht angehängt.</translation>
    </message>
    <message>
        <source>{name} in {path}</source>
        <translation>{name} in {path}</translation>
    </message>
    <message>
        <source>{name} is a PDF, and only text can be attached. Copy the text that you need from it and paste that.</source>
        <translation>{name} ist ein PDF, und nur Text lässt sich anhängen. Kopiere den Text, den du brauchst, daraus und füge ihn ein.</translation>
    </message>
    <message>
        <source>{name} is a document or archive, and only text can be attached. Save it as plain text or Markdown, or paste the text that you need.</source>
        <translation>{name} ist ein Dokument oder Archiv, und nur Text lässt sich anhängen. Speichere es als reinen Text oder Markdown, oder füge den Text ein, den du brauchst.</translation>
    </message>
    <message>
        <source>{name} is a folder. Attach the files in it.</source>
        <translation>{name} ist ein Ordner. Hänge die Dateien darin an.</translation>
    </message>
    <message>
        <source>{name} is a picture, sound or film, and only text can be attached.</source>
        <translation>{name} ist ein Bild, Ton oder Film, und nur Text lässt sich anhängen.</translation>
    </message>
    <message>
        <source>{name} is empty.</source>
        <translation>{name} ist leer.</translation>
    </message>
    <message>
        <source>{name} is not there any more.</source>
        <translation>{name} ist nicht mehr da.</translation>
    </message>
    <message>
        <source>{name} is too long: at most {most} characters can be asked at once. Attach a part of it.</source>
        <translation>{name} ist zu lang: Höchstens {most} Zeichen lassen sich auf einmal fragen. Hänge einen Teil davon an.</translation>
    </message>
    <message>
        <source>{name}, the file of all chats, is gone: deleted, moved away or replaced.</source>
        <translation>{name}, die Datei aller Chats, ist weg: gelöscht, verschoben oder ersetzt.</translation>
    </message>
    <message>
        <source>{name}: {value}</source>
        <translation>{name}: {value}</translation>
    </message>
    <message>
        <source>{needed} guards are needed and only {have} of yours can be used at the moment. Wait until more of them are back or linked.</source>
        <translation>{needed} Wächter werden gebraucht, und nur {have} von deinen sind gerade brauchbar. Warte, bis mehr von ihnen zurück oder verbunden sind.</translation>
    </message>
    <message>
        <source>{nodes} nodes are listed, {relays} of them relays.</source>
        <translation>{nodes} Knoten sind verzeichnet, {relays} davon Relays.</translation>
    </message>
    <message>
        <source>{node} · {time} ms</source>
        <translation>{node} · {time} ms</translation>
    </message>
    <message>
        <source>{number} %</source>
        <translation>{number} %</translation>
    </message>
    <message>
        <source>{number} Mbit/s</source>
        <translation>{number} Mbit/s</translation>
    </message>
    <message>
        <source>{number} W</source>
        <translation>{number} W</translation>
    </message>
    <message>
        <source>{number} °C</source>
        <translation>{number} °C</translation>
    </message>
    <message>
        <source>{one}, or {other}</source>
        <translation>{one} oder {other}</translation>
    </message>
    <message>
        <source>{one}, {other}</source>
        <translation>{one}, {other}</translation>
    </message>
    <message>
        <source>{one}; or {other}</source>
        <translation>{one}; oder {other}</translation>
    </message>
    <message>
        <source>{one}; {other}</source>
        <translation>{one}; {other}</translation>
    </message>
    <message>
        <source>{on} of {all} on</source>
        <translation>{on} von {all} an</translation>
    </message>
    <message>
        <source>{opened} of {tried} relays were linked within {seconds} s, {direct} directly and {relayed} through a TURN server.</source>
        <translation>Mit {opened} von {tried} Relays kam binnen {seconds} s eine Verbindung zustande, mit {direct} direkt und mit {relayed} durch einen TURN-Server.</translation>
    </message>
    <message>
        <source>{passed} of {all}</source>
        <translation>{passed} von {all}</translation>
    </message>
    <message>
        <source>{paths} of {wanted}</source>
        <translation>{paths} von {wanted}</translation>
    </message>
    <message>
        <source>{paths} of {wanted} paths, {relays} relays, {nodes} nodes</source>
        <translation>{paths} von {wanted} Pfaden, {relays} Relays, {nodes} Knoten</translation>
    </message>
    <message>
        <source>{paths} paths of 1 relay</source>
        <translation>{paths} Pfade mit 1 Relay</translation>
    </message>
    <message>
        <source>{paths} paths of {relays} relays</source>
        <translation>{paths} Pfade mit {relays} Relays</translation>
    </message>
    <message>
        <source>{paths} separate paths of {length} need {needed} relays; {have} can be used, so {missing} are missing. Wait until more join.</source>
        <translation>{paths} getrennte Pfade von {length} brauchen {needed} Relays; {have} sind brauchbar, es fehlen {missing}. Warte, bis mehr beitreten.</translation>
    </message>
    <message>
        <source>{paths} separate paths of {length} need {needed} relays; {have} can be used, so {missing} is missing. Wait until more join.</source>
        <translation>{paths} getrennte Pfade von {length} brauchen {needed} Relays; {have} sind brauchbar, es fehlt {missing}. Warte, bis mehr beitreten.</translation>
    </message>
    <message>
        <source>{path} cannot be computed: {problem}. Choose another variant of the model.</source>
        <translation>{path} lässt sich nicht rechnen: {problem}. Wähle eine andere Variante des Modells.</translation>
    </message>
    <message>
        <source>{path} cannot be listed: {reason}. Check its permissions.</source>
        <translation>{path} kann nicht aufgelistet werden: {reason}. Prüfe die Rechte.</translation>
    </message>
    <message>
        <source>{path} cannot be loaded: {problem}. Download it again.</source>
        <translation>{path} lässt sich nicht laden: {problem}. Lade die Datei noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} cannot be loaded: {problem}. The file is damaged or made for another runtime: download it again or choose another variant.</source>
        <translation>{path} lässt sich nicht laden: {problem}. Die Datei ist beschädigt oder für eine andere Laufzeit gemacht: Lade sie noch einmal herunter, oder wähle eine andere Variante.</translation>
    </message>
    <message>
        <source>{path} cannot be loaded: {problem}. The file is damaged: download it again.</source>
        <translation>{path} lässt sich nicht laden: {problem}. Die Datei ist beschädigt: Lade sie noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} cannot be read as text ({reason}). Download it again.</source>
        <translation>{path} kann nicht als Text gelesen werden ({reason}). Lade die Datei noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} cannot be read: {reason}. Check its permissions and the disk.</source>
        <translation>{path} kann nicht gelesen werden: {reason}. Prüfe die Rechte und den Datenträger.</translation>
    </message>
    <message>
        <source>{path} describes no decoder (model.decoder), and there is no config.json beside it. Take both from the model&apos;s repository.</source>
        <translation>{path} beschreibt keinen Decoder (model.decoder), und daneben liegt keine config.json. Nimm beide aus dem Repository des Modells.</translation>
    </message>
    <message>
        <source>{path} describes {kind}, an encoder-decoder model. Only decoder models are served: choose another model.</source>
        <translation>{path} beschreibt {kind}, ein Encoder-Decoder-Modell. Nur Decoder-Modelle können hier antworten: Wähle ein anderes Modell.</translation>
    </message>
    <message>
        <source>{path} describes {kind}, which does not generate text (an embedding, classification or vision model). Choose a model for text generation.</source>
        <translation>{path} beschreibt {kind}, das keinen Text erzeugt (ein Modell für Einbettungen, Klassen oder Bilder). Wähle ein Modell, das Text erzeugt.</translation>
    </message>
    <message>
        <source>{path} does not hold a JSON object. Download it again.</source>
        <translation>{path} enthält kein JSON-Objekt. Lade die Datei noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} does not work: {reason} Download it again.</source>
        <translation>{path} funktioniert nicht: {reason} Lade die Datei noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} gives logits for {tokens} tokens, {main} says {expected} (vocab_size). The files belong to different models: download both again.</source>
        <translation>{path} liefert Logits für {tokens} Token, {main} nennt {expected} (vocab_size). Die Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} gives no logits. It is an embedding or classification model: choose one for text generation.</source>
        <translation>{path} liefert keine Logits. Es ist ein Modell für Einbettungen oder Klassen: Wähle eines, das Text erzeugt.</translation>
    </message>
    <message>
        <source>{path} gives other logits for a prompt in two pieces than for the same prompt at once (by {off} standard deviations): it does not continue from its cache. Choose another variant.</source>
        <translation>{path} liefert für eine Eingabe in zwei Stücken andere Logits als für dieselbe Eingabe auf einmal (um {off} Standardabweichungen): Es setzt nicht aus seinem Cache fort. Wähle eine andere Variante.</translation>
    </message>
    <message>
        <source>{path} has a cache {name} of {count} dimensions; known are four: batch, heads, length, numbers. Choose another variant of the model.</source>
        <translation>{path} hat einen Cache {name} mit {count} Dimensionen; bekannt sind vier: Batch, Köpfe, Länge, Zahlen. Wähle eine andere Variante des Modells.</translation>
    </message>
    <message>
        <source>{path} has a cache {name}, config.json says {layers} layers. The files belong to different models: download both again.</source>
        <translation>{path} hat einen Cache {name}, config.json nennt {layers} Schichten. Die Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} has a chat_template that is neither text nor a list of names with templates. Take the file from the model&apos;s repository.</source>
        <translation>{path} hat ein chat_template, das weder Text noch eine Liste von Namen mit Vorlagen ist. Nimm die Datei aus dem Repository des Modells.</translation>
    </message>
    <message>
        <source>{path} has caches for {layers} layers, {main} says {expected}. The files belong to different models: download both again.</source>
        <translation>{path} hat Caches für {layers} Schichten, {main} nennt {expected}. Die Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} has caches of {heads} heads with {numbers} numbers, config.json says {expected_heads} with {expected_numbers}. The files belong to different models: download both again.</source>
        <translation>{path} hat Caches mit {heads} Köpfen zu {numbers} Zahlen, config.json nennt {expected_heads} zu {expected_numbers}. Die Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json), so it cannot hold a conversation. Choose the instruction-tuned variant of the model.</source>
        <translation>{path} hat keine Chat-Vorlage (chat_template.jinja oder chat_template in tokenizer_config.json) und kann deshalb kein Gespräch führen. Wähle die Variante des Modells, die auf Anweisungen trainiert ist.</translation>
    </message>
    <message>
        <source>{path} has no head_dim, and hidden_size {hidden} is no multiple of its {heads} attention heads. Take {file} from the model&apos;s repository.</source>
        <translation>{path} hat kein head_dim, und hidden_size {hidden} ist kein Vielfaches der {heads} Attention-Köpfe. Nimm {file} aus dem Repository des Modells.</translation>
    </message>
    <message>
        <source>{path} has no key-value cache (past_key_values.0.key). Choose an export with past, for instance optimum&apos;s task text-generation-with-past.</source>
        <translation>{path} hat keinen Key-Value-Cache (past_key_values.0.key). Wähle einen Export mit „past“, zum Beispiel die Aufgabe text-generation-with-past von optimum.</translation>
    </message>
    <message>
        <source>{path} has no token {tokens}, with which the model ends its answers (eos_token_id in config.json). The two files belong to different models: download both again.</source>
        <translation>{path} hat kein Token {tokens}, mit dem das Modell seine Antworten beendet (eos_token_id in config.json). Die beiden Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} has no usable {name} ({value}). Take {file} from the model&apos;s repository.</source>
        <translation>{path} hat kein brauchbares {name} ({value}). Nimm {file} aus dem Repository des Modells.</translation>
    </message>
    <message>
        <source>{path} has no variant {name}. It has: {names}.</source>
        <translation>{path} hat keine Variante {name}. Es gibt: {names}.</translation>
    </message>
    <message>
        <source>{path} has rope_scaling of the kind longrope, but no usable original_max_position_embeddings ({value}). Take {file} from the model&apos;s repository.</source>
        <translation>{path} hat rope_scaling der Art longrope, aber kein brauchbares original_max_position_embeddings ({value}). Nimm {file} aus dem Repository des Modells.</translation>
    </message>
    <message>
        <source>{path} has {heads} attention heads, which {kv_heads} key-value heads do not divide. Take {file} from the model&apos;s repository.</source>
        <translation>{path} nennt {heads} Attention-Köpfe, die sich nicht durch {kv_heads} Key-Value-Köpfe teilen lassen. Nimm {file} aus dem Repository des Modells.</translation>
    </message>
    <message>
        <source>{path} has {name} of the shape {shape}, {main} says {heads} key-value heads with {numbers} numbers. The files belong to different models: download both again.</source>
        <translation>{path} hat {name} mit der Form {shape}, {main} nennt {heads} Key-Value-Köpfe mit {numbers} Zahlen. Die Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} has {size} bytes, but {graph} needs {needed}: a download was cut off, or the two files belong to different models. Download both again.</source>
        <translation>{path} hat {size} Bytes, aber {graph} braucht {needed}: Ein Herunterladen wurde abgebrochen, oder die beiden Dateien gehören zu verschiedenen Modellen. Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} has {tokens} tokens, but the model knows only {expected} (vocab_size in config.json). The two files belong to different models: download both again.</source>
        <translation>{path} hat {tokens} Token, aber das Modell kennt nur {expected} (vocab_size in config.json). Die beiden Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} holds an export split into two graphs ({names}). Choose a repository with one model.onnx, or export the model again.</source>
        <translation>{path} enthält einen Export, der in zwei Graphen geteilt ist ({names}). Wähle ein Repository mit einer einzigen model.onnx, oder exportiere das Modell noch einmal.</translation>
    </message>
    <message>
        <source>{path} holds more than {most} ONNX files. It is not the folder of one model.</source>
        <translation>{path} enthält mehr als {most} ONNX-Dateien. Das ist nicht der Ordner eines einzelnen Modells.</translation>
    </message>
    <message>
        <source>{path} holds neither model.onnx nor onnx/model.onnx. Choose a repository with an ONNX export, or export the model to ONNX.</source>
        <translation>{path} enthält weder model.onnx noch onnx/model.onnx. Wähle ein Repository mit einem ONNX-Export, oder exportiere das Modell nach ONNX.</translation>
    </message>
    <message>
        <source>{path} holds no ONNX graph. Download it again, or choose another variant.</source>
        <translation>{path} enthält keinen ONNX-Graphen. Lade die Datei noch einmal herunter, oder wähle eine andere Variante.</translation>
    </message>
    <message>
        <source>{path} holds no token. Delete it; a new one is made at the next start.</source>
        <translation>{path} enthält kein Token. Lösch die Datei; beim nächsten Start wird ein neues gemacht.</translation>
    </message>
    <message>
        <source>{path} holds only a Git LFS pointer, not the file itself. Run &apos;git lfs pull&apos; in the folder, or download the model again.</source>
        <translation>{path} enthält nur einen Verweis von Git LFS, nicht die Datei selbst. Führe „git lfs pull“ im Ordner aus, oder lade das Modell noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} holds only parts of a model ({names}), none that generates text from tokens alone. Choose an export for text.</source>
        <translation>{path} enthält nur Teile eines Modells ({names}), keinen, der allein aus Token Text erzeugt. Wähle einen Export für Text.</translation>
    </message>
    <message>
        <source>{path} is a link that leads out of the model&apos;s folder, to {target}. Put the file itself there.</source>
        <translation>{path} ist eine Verknüpfung, die aus dem Ordner des Modells hinausführt, nach {target}. Lege die Datei selbst dorthin.</translation>
    </message>
    <message>
        <source>{path} is a link. What is published has to lie in its folder: copy the file there.</source>
        <translation>{path} ist eine Verknüpfung. Was veröffentlicht wird, muss in seinem Ordner liegen: Kopiere die Datei dorthin.</translation>
    </message>
    <message>
        <source>{path} is a merged export of an older kind (input use_cache_branch). Choose a repository with a newer export, or export the model again.</source>
        <translation>{path} ist ein zusammengefügter Export älterer Art (Eingabe use_cache_branch). Wähle ein Repository mit einem neueren Export, oder exportiere das Modell noch einmal.</translation>
    </message>
    <message>
        <source>{path} is damaged ({error}), so nobody knows which licences were accepted. Move it away to be asked for them again.</source>
        <translation>{path} ist beschädigt ({error}), daher weiß niemand, welche Lizenzen angenommen wurden. Verschiebe die Datei, um wieder danach gefragt zu werden.</translation>
    </message>
    <message>
        <source>{path} is damaged ({error}), so what was downloaded earlier cannot be compared. Move it away to begin with new pins.</source>
        <translation>{path} ist beschädigt ({error}), daher lässt sich nicht vergleichen, was früher heruntergeladen wurde. Verschiebe die Datei, um neu zu beginnen.</translation>
    </message>
    <message>
        <source>{path} is damaged ({error}). Move it away; it is made anew.</source>
        <translation>{path} ist beschädigt ({error}). Schieb die Datei beiseite; sie wird neu angelegt.</translation>
    </message>
    <message>
        <source>{path} is empty: a download was cut off. Download that file from the model&apos;s repository into the folder.</source>
        <translation>{path} ist leer: Ein Herunterladen wurde abgebrochen. Lade diese Datei aus dem Repository des Modells in den Ordner.</translation>
    </message>
    <message>
        <source>{path} is larger than any chat template. Download it again.</source>
        <translation>{path} ist größer als jede Chat-Vorlage. Lade die Datei noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} is larger than any configuration file. Download it again.</source>
        <translation>{path} ist größer als jede Einstellungsdatei. Lade sie noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} is longer than the {most} bytes expected. Move it away and start again.</source>
        <translation>{path} ist länger als die erwarteten {most} Bytes. Schieb die Datei beiseite und starte neu.</translation>
    </message>
    <message>
        <source>{path} is missing, and there is no genai_config.json. Download that file from the model&apos;s repository into the folder.</source>
        <translation>{path} fehlt, und es gibt keine genai_config.json. Lade diese Datei aus dem Repository des Modells in den Ordner.</translation>
    </message>
    <message>
        <source>{path} is missing, and {only} alone is a format that is not read here, so text cannot be turned into tokens. Download that file from the model&apos;s repository into the folder.</source>
        <translation>{path} fehlt, und {only} allein ist ein Format, das hier nicht gelesen wird, sodass Text nicht in Token zerlegt werden kann. Lade die fehlende Datei aus dem Repository des Modells in den Ordner.</translation>
    </message>
    <message>
        <source>{path} is missing, so text cannot be turned into tokens. Download that file from the model&apos;s repository into the folder.</source>
        <translation>{path} fehlt, sodass Text nicht in Token zerlegt werden kann. Lade diese Datei aus dem Repository des Modells in den Ordner.</translation>
    </message>
    <message>
        <source>{path} is missing. Download that file from the model&apos;s repository into the folder.</source>
        <translation>{path} fehlt. Lade diese Datei aus dem Repository des Modells in den Ordner.</translation>
    </message>
    <message>
        <source>{path} is no model for text. Choose another variant.</source>
        <translation>{path} ist kein Modell für Text. Wähle eine andere Variante.</translation>
    </message>
    <message>
        <source>{path} is no name in UTF-8. Download the model again.</source>
        <translation>{path} ist kein Name in UTF-8. Lade das Modell noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} is no name of a file ({reason}). Download the model again.</source>
        <translation>{path} ist kein Name einer Datei ({reason}). Lade das Modell noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} is not a readable JSON file ({reason}). Download it again.</source>
        <translation>{path} ist keine lesbare JSON-Datei ({reason}). Lade sie noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} is not a whole ONNX file ({reason}). Download it again, or choose another variant.</source>
        <translation>{path} ist keine vollständige ONNX-Datei ({reason}). Lade sie noch einmal herunter, oder wähle eine andere Variante.</translation>
    </message>
    <message>
        <source>{path} is of a version that this program does not know. Update GenTorrent.</source>
        <translation>{path} ist von einer Version, die dieses Programm nicht kennt. Erneuere GenTorrent.</translation>
    </message>
    <message>
        <source>{path} is part of a model for pictures or sound: it takes embeddings in the place of tokens. Choose an export for text alone.</source>
        <translation>{path} ist Teil eines Modells für Bilder oder Ton: Statt Token nimmt es Einbettungen. Wähle einen Export für reinen Text.</translation>
    </message>
    <message>
        <source>{path} is the decoder of an encoder-decoder model. Only decoder models are served: choose another.</source>
        <translation>{path} ist der Decoder eines Encoder-Decoder-Modells. Nur Decoder-Modelle können hier antworten: Wähle ein anderes.</translation>
    </message>
    <message>
        <source>{path} is too large for one file ({reason}). Choose a variant with external data.</source>
        <translation>{path} ist zu groß für eine einzelne Datei ({reason}). Wähle eine Variante, deren Gewichte in eigenen Dateien liegen.</translation>
    </message>
    <message>
        <source>{path} keeps its cache as {kind}; known are {kinds}. Choose another variant.</source>
        <translation>{path} hält seinen Cache als {kind}; bekannt sind {kinds}. Wähle eine andere Variante.</translation>
    </message>
    <message>
        <source>{path} keeps its cache in a number format that is not served. Choose another variant of the model.</source>
        <translation>{path} hält seinen Cache in einem Zahlenformat, das hier nicht geht. Wähle eine andere Variante des Modells.</translation>
    </message>
    <message>
        <source>{path} lacks an output named logits: it is no export of a text model for generation.</source>
        <translation>{path} hat keine Ausgabe namens logits: Es ist kein Export eines Modells, das Text erzeugt.</translation>
    </message>
    <message>
        <source>{path} lacks {name} (config.json says {layers} layers). It is not an export of a text model with a key-value cache, or config.json belongs to another model.</source>
        <translation>{path} hat kein {name} (config.json nennt {layers} Schichten). Es ist kein Export eines Textmodells mit Key-Value-Cache, oder config.json gehört zu einem anderen Modell.</translation>
    </message>
    <message>
        <source>{path} makes {tokens} logits, config.json says {expected} tokens. The files belong to different models: download both again.</source>
        <translation>{path} liefert {tokens} Logits, config.json nennt {expected} Token. Die Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} names itself as the file that its weights lie in. It is damaged or made to mislead: choose another model.</source>
        <translation>{path} nennt sich selbst als die Datei, in der seine Gewichte liegen. Sie ist beschädigt oder soll täuschen: Wähle ein anderes Modell.</translation>
    </message>
    <message>
        <source>{path} names {token} as end of a turn (eos_token_id), but {main} gives only {tokens} tokens. The files belong to different models: download both again.</source>
        <translation>{path} nennt {token} als Ende einer Antwort (eos_token_id), aber {main} kennt nur {tokens} Token. Die Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} says {name} {value}, {other} says {expected}. The files belong to different models: download both again.</source>
        <translation>{path} nennt für {name} {value}, {other} nennt {expected}. Die Dateien gehören zu verschiedenen Modellen: Lade beide noch einmal herunter.</translation>
    </message>
    <message>
        <source>{path} wants an input {name} that is not known here. Choose another variant of the model.</source>
        <translation>{path} verlangt eine Eingabe {name}, die hier nicht bekannt ist. Wähle eine andere Variante des Modells.</translation>
    </message>
    <message>
        <source>{path} wants its weights from {place}, outside of its own folder. Such a model is not loaded: choose another one.</source>
        <translation>{path} verlangt seine Gewichte aus {place}, außerhalb des eigenen Ordners. Ein solches Modell wird nicht geladen: Wähle ein anderes.</translation>
    </message>
    <message>
        <source>{path}, which says which network {server} belongs to, is damaged, so nobody at that address is trusted. Add #NETWORKID to the address, or delete the file to trust the network that answers next.</source>
        <translation>{path}, worin steht, zu welchem Netz {server} gehört, ist beschädigt, darum wird niemandem unter dieser Adresse vertraut. Häng #NETWORKID an die Adresse, oder lösch die Datei, um dem Netz zu vertrauen, das als nächstes antwortet.</translation>
    </message>
    <message>
        <source>{percent} of 100 answers of other machines, at most {most} a day; today {today}.</source>
        <translation>{percent} von 100 Antworten anderer Rechner, höchstens {most} am Tag; heute {today}.</translation>
    </message>
    <message>
        <source>{place} / {all}</source>
        <translation>{place} / {all}</translation>
    </message>
    <message>
        <source>{price} a kWh</source>
        <translation>{price} je kWh</translation>
    </message>
    <message>
        <source>{program} is running.</source>
        <translation>{program} läuft.</translation>
    </message>
    <message>
        <source>{publisher} has withdrawn {model} ({when}). It is not asked or served any more.</source>
        <translation>{publisher} hat {model} zurückgezogen ({when}). Es wird nicht mehr gefragt und nicht mehr angeboten.</translation>
    </message>
    <message>
        <source>{rate} tokens a second with {model}</source>
        <translation>{rate} Tokens je Sekunde mit {model}</translation>
    </message>
    <message>
        <source>{ready} of {wanted} anonymous paths work; the others are being built.</source>
        <translation>{ready} von {wanted} anonymen Pfaden arbeiten; die anderen werden gebaut.</translation>
    </message>
    <message>
        <source>{reason}. {unused}</source>
        <translation>{reason}. {unused}</translation>
    </message>
    <message>
        <source>{reason}; its last words: {words}</source>
        <translation>{reason}; seine letzten Worte: {words}</translation>
    </message>
    <message>
        <source>{repository} is not open to everybody. Accept its terms on {page}, then set HF_TOKEN to a token of your account (or log in once with: hf auth login) and try again.</source>
        <translation>{repository} steht nicht allen offen. Nimm seine Bedingungen auf {page} an, setze dann HF_TOKEN auf ein Token deines Kontos (oder melde dich einmal an mit: hf auth login) und versuche es erneut.</translation>
    </message>
    <message>
        <source>{room} of them are kept for the answer.</source>
        <translation>{room} davon bleiben für die Antwort frei.</translation>
    </message>
    <message>
        <source>{rule}: {device}</source>
        <translation>{rule}: {device}</translation>
    </message>
    <message>
        <source>{running} of {slots} places taken, {waiting} waiting</source>
        <translation>{running} von {slots} Plätzen belegt, {waiting} warten</translation>
    </message>
    <message>
        <source>{seconds} s wait</source>
        <translation>{seconds} s Wartezeit</translation>
    </message>
    <message>
        <source>{server}: {reason}</source>
        <translation>{server}: {reason}</translation>
    </message>
    <message>
        <source>{shape}: weaker than the {full} that this network wants, as you accepted.</source>
        <translation>{shape}: schwächer als {full}, die dieses Netz will, wie du es erlaubt hast.</translation>
    </message>
    <message>
        <source>{size} GB</source>
        <translation>{size} GB</translation>
    </message>
    <message>
        <source>{size} GB a month</source>
        <translation>{size} GB im Monat</translation>
    </message>
    <message>
        <source>{size} GB of disk</source>
        <translation>{size} GB Festplatte</translation>
    </message>
    <message>
        <source>{size} GB of memory</source>
        <translation>{size} GB Speicher</translation>
    </message>
    <message>
        <source>{size} MB</source>
        <translation>{size} MB</translation>
    </message>
    <message>
        <source>{size} of the disk become free. To use it again, download it again.</source>
        <translation>{size} der Festplatte werden frei. Um es wieder zu benutzen, lade es noch einmal herunter.</translation>
    </message>
    <message>
        <source>{size} of the disk become free. To use it again, import it again.</source>
        <translation>{size} der Festplatte werden frei. Um es wieder zu benutzen, importiere es noch einmal.</translation>
    </message>
    <message>
        <source>{size} too little room on the disk</source>
        <translation>auf der Festplatte fehlen {size}</translation>
    </message>
    <message numerus="yes">
        <source>{size}, about %Ln minute(s) at 50 Mbit/s.</source>
        <translation>
            <numerusform>{size}, etwa %Ln Minute bei 50 Mbit/s.</numerusform>
            <numerusform>{size}, etwa %Ln Minuten bei 50 Mbit/s.</numerusform>
        </translation>
    </message>
    <message>
        <source>{source} has the value {value}, which cannot be used: {problem}</source>
        <translation>{source} hat den Wert {value}, der nicht zu gebrauchen ist: {problem}</translation>
    </message>
    <message>
        <source>{source} is not a setting of the engine.</source>
        <translation>{source} ist keine Einstellung der Engine.</translation>
    </message>
    <message>
        <source>{speed} a second</source>
        <translation>{speed} je Sekunde</translation>
    </message>
    <message>
        <source>{speed} tokens/s</source>
        <translation>{speed} Tokens/s</translation>
    </message>
    <message>
        <source>{speed} tokens/s, measured here</source>
        <translation>{speed} Tokens/s, hier gemessen</translation>
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
    <message>
        <source>{tokens} tokens for others today</source>
        <translation>{tokens} Tokens heute für andere</translation>
    </message>
    <message>
        <source>{tokens} tokens of context</source>
        <translation>{tokens} Tokens Kontext</translation>
    </message>
    <message>
        <source>{used} of {limit} tokens</source>
        <translation>{used} von {limit} Tokens</translation>
    </message>
    <message>
        <source>{value} % busy</source>
        <translation>zu {value} % ausgelastet</translation>
    </message>
    <message>
        <source>{value} % taken by other programs</source>
        <translation>zu {value} % von anderen Programmen belegt</translation>
    </message>
    <message>
        <source>{value} GB of memory taken</source>
        <translation>{value} GB Speicher belegt</translation>
    </message>
    <message>
        <source>{value} W</source>
        <translation>{value} W</translation>
    </message>
    <message>
        <source>{value} °C</source>
        <translation>{value} °C</translation>
    </message>
    <message>
        <source>{variable} is not the passphrase it was encrypted with</source>
        <translation>{variable} ist nicht die Passphrase, mit der die Datei verschlüsselt wurde</translation>
    </message>
    <message>
        <source>°C</source>
        <translation>°C</translation>
    </message>
    <message>
        <source>“{name}” cannot be hosted now</source>
        <translation>„{name}“ kann gerade nicht betrieben werden</translation>
    </message>
    <message>
        <source>“{name}” deleted</source>
        <translation>„{name}“ gelöscht</translation>
    </message>
    <message>
        <source>“{name}” is being started</source>
        <translation>„{name}“ wird gestartet</translation>
    </message>
    <message>
        <source>“{name}” is hosted here</source>
        <translation>„{name}“ wird hier betrieben</translation>
    </message>
    <message>
        <source>“{name}” is made, and its server does not run</source>
        <translation>„{name}“ ist angelegt, und sein Server läuft nicht</translation>
    </message>
    <message numerus="yes">
        <source>… and %Ln characters more</source>
        <translation>
            <numerusform>… und %Ln weiteres Zeichen</numerusform>
            <numerusform>… und %Ln weitere Zeichen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>… and %Ln rows more, which a copy of the whole text has</source>
        <translation>
            <numerusform>… und %Ln weitere Zeile, die eine Kopie des ganzen Textes enthält</numerusform>
            <numerusform>… und %Ln weitere Zeilen, die eine Kopie des ganzen Textes enthält</numerusform>
        </translation>
    </message>
</context>
</TS>
