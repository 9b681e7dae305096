"""Models: where they come from, who publishes them, what they take."""

from engine.sentences.marking import mark

MODELS = {
    "library.unknown": mark("The catalogue has no model '{model}'."),
    "library.licence": mark("The licence of {model} ({licence}) has to be accepted before it is downloaded."),
    "library.other_licence": mark(
        "{model} has another licence ({licence}) than the one that you have accepted. Read it, and accept it before "
        "the download goes on."
    ),
    "library.agreed_damaged": mark(
        "{path} is damaged ({error}), so nobody knows which licences were accepted. Move it away to be asked for them "
        "again."
    ),
    "library.pins_damaged": mark(
        "{path} is damaged ({error}), so what was downloaded earlier cannot be compared. Move it away to begin with "
        "new pins."
    ),
    "library.held": mark(
        "Its licence is another one now ({licence}) than the one that you have accepted. It is not used until you have "
        "read and accepted that."
    ),
    "model.other_licence": mark(
        "{model} has another licence now ({licence}) than the one that you have accepted. It is not used until you "
        "have read and accepted that: on the page Models, or with: gentorrent models download {model}"
    ),
    "library.ending": mark("The engine ends. Ask again in a moment."),
    "library.most": mark("{most} models are being downloaded already. Stop one, or wait."),
    "manifest.damaged": mark("This is no manifest of a model: {problem}. Get it again from its publisher."),
    "manifest.too_long": mark(
        "The manifest would have {count} bytes, and {most} are allowed. Publish fewer files, or shorten the texts."
    ),
    "manifest.forged": mark(
        "The manifest of {model} is not signed by the publisher that it names: it is forged or damaged. Get it again "
        "from its publisher."
    ),
    "manifest.early": mark(
        "The manifest of {model} was made on {when}, which is yet to come: this computer's clock is wrong, or that of "
        "the publisher was. Set it."
    ),
    "manifest.expired": mark(
        "The manifest of {model} by {publisher} has expired ({when}). Its publisher has to publish it anew; if that "
        "was done, look at this computer's clock."
    ),
    "manifest.old": mark(
        "Version {version} of {model} is older than version {known}, which is known already. It is not gone back to."
    ),
    "manifest.conflict": mark(
        "The publisher of {model} has signed two different versions {version}. The one that came first stays; the next "
        "needs a higher number."
    ),
    "manifest.withdrawn": mark("{publisher} has withdrawn {model} ({when}). It is not asked or served any more."),
    "manifest.withdrawn_reason": mark("The publisher says: {reason}"),
    "manifest.file": mark(
        "The manifest of {model} names the file {file}, which is not accepted: {problem}. The model is not used."
    ),
    "manifest.twice": mark("The manifest of {model} names the file {file} twice. The model is not used."),
    "manifest.graph": mark("The manifest of {model} names no graph among its files. The model is not used."),
    "manifest.address": mark(
        "The manifest of {model} names the address {address}, from which nothing is fetched: {problem}."
    ),
    "manifest.other_model": mark(
        "The files of {model} are those that its manifest names, but together they are another model than its "
        "publisher has signed. It is not used; tell the publisher."
    ),
    "manifest.changed": mark(
        "{file} of {model} is not the file that its publisher has signed. Somebody has changed it behind its address. "
        "Nothing of it is used; tell the publisher."
    ),
    "manifest.unreachable": mark(
        "{file} of {model} could not be fetched from any address of its manifest. {error} What has arrived is kept: "
        "run the same again to go on."
    ),
    "manifest.unknown": mark(
        "Nothing is known here of the published model {model}. Join the network that has it, or give its manifest to: "
        "gentorrent models add-manifest FILE"
    ),
    "manifest.unknown_publisher": mark("No model of the publisher {fingerprint} is known here. Check the fingerprint."),
    "manifest.newer": mark(
        "What lies here of {model} is not version {version}, which its publisher has signed. Download it again."
    ),
    "manifest.most": mark("{most} published models are known here already. No more are taken."),
    "publisher.untrusted": mark(
        "{model} is published by {publisher} ({fingerprint}), whose models you do not serve. Allow it in the window, "
        "or with: gentorrent models publishers trust {fingerprint}"
    ),
    "model.unreviewed": mark(
        "{model} is unreviewed: {publisher} ({fingerprint}) has published it, and nobody else has looked at it. "
        "Confirm in the window that you want to ask it, or with: gentorrent models confirm {model}"
    ),
    "hub.unreachable": mark(
        "The model hub {hub} cannot be reached ({reason}). Check the connection, or set HF_ENDPOINT to a mirror."
    ),
    "hub.offline": mark("HF_HUB_OFFLINE is set, so no hub is asked. Unset it to download models."),
    "hub.gated": mark(
        "{repository} is not open to everybody. Accept its terms on {page}, then set HF_TOKEN to a token of your "
        "account (or log in once with: hf auth login) and try again."
    ),
    "hub.not_found": mark(
        "{hub} has no repository {repository}, or it is private. Check the name. For a private one set HF_TOKEN."
    ),
    "hub.too_often": mark("{hub} is asked too often from here. Wait some minutes and try again."),
    "hub.status": mark("{hub} answered with status {status}. Try again later."),
    "hub.not_understood": mark(
        "What {hub} says of {repository} is not understood. Check that HF_ENDPOINT is a model hub, or try again later."
    ),
    "download.wrong_content": mark(
        "{file} of {model} is not what the hub says: expected {expected}, found {found}, twice. Somebody on the way, "
        "or the hub's copy, is broken. Try again later, or from another network."
    ),
    "download.other_than_before": mark(
        "{file} of {model} is not what the earlier download was: expected {expected}, found {found}, twice. Somebody "
        "on the way, or the hub's copy, is broken. Try again later, or from another network."
    ),
    "download.cut_off": mark(
        "{file} of {model} could not be fetched: {reason}, {times} times in a row. What has arrived is kept, and the "
        "download can go on from there."
    ),
    "download.not_given": mark("The hub does not give {file} of {model}: status {status}. Try again later."),
    "download.disk_full": mark("The disk is full: {file} cannot grow."),
    "download.disk_missing": mark("{missing} of it are missing."),
    "download.kept": mark("What has arrived is kept. Free some space, and the download goes on from there."),
    "library.busy": mark("{model} is being downloaded, imported or removed now. Wait until that is done."),
    "library.left_over": mark("An import or a download from elsewhere was broken off. Discard it, or begin it again."),
    "import.stopped": mark("The import was stopped. Nothing of it stays."),
    "import.most": mark("{most} models are being imported already. Wait until one is done."),
    "import.relative": mark("The folder {folder} has to be named from the root of the disk."),
    "import.no_folder": mark("There is no folder {folder}."),
    "import.whole_disk": mark("{folder} is a whole disk. Choose the folder of one model."),
    "import.too_large": mark(
        "{folder} is not a model's folder: it has more than {most} files. Choose the folder of one model."
    ),
    "import.too_deep": mark(
        "{folder} is not a model's folder: it has more than {most} folders in each other. Choose the folder of one "
        "model."
    ),
    "import.too_slow": mark(
        "{folder} was not looked through within {seconds} seconds. Choose the folder of one model, on a disk that is "
        "not so slow."
    ),
    "import.missing": mark(
        "The folder {folder} is no model that can be used here. It lacks {parts}. Take what is missing from the "
        "model's repository."
    ),
    "import.unusable": mark("The folder {folder} is no model that can be used here: {problem}"),
    "import.graph": mark("the network itself (a file that ends in .onnx)"),
    "import.config": mark("its settings (config.json or genai_config.json)"),
    "import.tokenizer": mark("its vocabulary (tokenizer.json)"),
    "import.taken": mark(
        "There is a model called {model} on this machine already. Import this one under another name, or remove "
        "that one."
    ),
    "remove.stays": mark("{model} is part of the program and stays."),
    "remove.contributed": mark(
        "{model} is being contributed: this machine answers others with it. Choose another model on the page "
        "Contribute, or switch contributing off, and remove it then."
    ),
    "remove.leaves": mark("{model} is about to be deleted, so nobody is answered with it any more."),
    "remove.own_answer": mark(
        "A question of yours is being answered on this machine. Wait until that is done, or stop it, and remove "
        "{model} then."
    ),
    "remove.answers": mark(
        "{model} is answering ({answers}). Wait until it is done, or stop it, and remove the model then."
    ),
    "library.disk_limit": mark(
        "{model} needs {needed}, but of the {limit} that you allow for models {used} are taken and {left} are left. "
        "Remove a model, or allow {more} more."
    ),
    "library.no_room": mark(
        "{model} needs {needed}, and the disk has {left} for it ({reserve} stay free). Free {more}, or choose a "
        "smaller one."
    ),
    "size.gb": mark("{count} GB"),
    "size.mb": mark("{count} MB"),
    "size.kb": mark("{count} kB"),
    "size.bytes": mark("{count} bytes"),
    "library.stopped": mark("The download was stopped. What has arrived is kept."),
}
