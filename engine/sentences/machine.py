"""What this machine refuses: its disk, its settings, the program that computes answers, the files of models."""

from engine.sentences.marking import mark

MACHINE = {
    "storage.full": mark("Could not {action} {path}: the disk is full. Nothing was changed. Free some space."),
    "storage.denied": mark(
        "Could not {action} {path}: this user may not ({error}). Change the owner of the folder, or choose another one "
        "with --data."
    ),
    "storage.failed": mark("Could not {action} {path}: {error}. Check the disk and try again."),
    "storage.too_long": mark("{path} is longer than the {most} bytes expected. Move it away and start again."),
    "storage.damaged": mark("{path} is damaged ({error}). Move it away; it is made anew."),
    "storage.no_token": mark("{path} holds no token. Delete it; a new one is made at the next start."),
    "storage.read": mark("read"),
    "storage.write": mark("write"),
    "storage.open": mark("open"),
    "storage.lock": mark("lock"),
    "storage.delete": mark("delete"),
    "storage.copy": mark("copy"),
    "storage.copy_to": mark("copy to"),
    "storage.make_folder": mark("make the folder"),
    "storage.replace": mark("replace"),
    "storage.rename": mark("rename"),
    "storage.change": mark("change"),
    "storage.look_at_disk": mark("look at the disk of"),
    "worker.processor": mark("the processor of this computer"),
    "worker.elsewhere": mark("{address} makes the answers"),
    "worker.too_small": mark("the model is too small to be compared with the processor"),
    "worker.no_memory_to_compare": mark(
        "its numbers were not compared with the processor's: there is not enough main memory for both"
    ),
    "worker.not_compared": mark(
        "its numbers were not compared with the processor's, which cannot compute this variant: {problem}"
    ),
    "worker.agrees": mark("its numbers agree with the processor's (logits differ by {off} standard deviations)"),
    "worker.and_unused": mark("{reason}. {unused}"),
    "worker.out_of_memory": mark("it was killed, most likely because the machine ran out of memory"),
    "worker.access": mark("it crashed (memory access violation)"),
    "worker.no_memory": mark("the system had no memory for it"),
    "worker.too_old": mark("it crashed (illegal instruction: this processor is too old for the runtime)"),
    "worker.stack": mark("it crashed (stack overflow)"),
    "worker.stopped_itself": mark("it crashed (the runtime stopped itself)"),
    "worker.signal": mark("it crashed with signal {number}"),
    "worker.signal_named": mark("it crashed with signal {number}, {name}"),
    "worker.signal_illegal": mark("illegal instruction"),
    "worker.signal_abort": mark("it stopped itself"),
    "worker.signal_bus": mark("bus error"),
    "worker.signal_arithmetic": mark("arithmetic error"),
    "worker.signal_memory": mark("memory error"),
    "worker.device_failed": mark("the device that it computed with failed (exit code {number})"),
    "worker.exit": mark("it ended with exit code {number}"),
    "worker.not_started": mark("it cannot be started ({error})"),
    "worker.silent": mark("it gave no sign of life for {seconds} s"),
    "worker.step_long": mark("one step took longer than {seconds} s"),
    "worker.loading_long": mark("loading took longer than {seconds} s"),
    "worker.nonsense": mark("it sent something that cannot be read ({error})"),
    "worker.last_words": mark("{reason}; its last words: {words}"),
    "worker.unused": mark("{device} is not used: {reason}."),
    "worker.barred": mark("{device} is not used: {reason}"),
    "worker.crashed": mark("The program that computes answers ended in the middle of this one: {reason}."),
    "worker.gave_up": mark(
        "{crash} It ended {times} times while it made this answer, so the answer is given up. Ask something else, or "
        "choose another model."
    ),
    "worker.stays_down": mark(
        "The program that computes answers does not stay up while it loads the model {model}: {reason}. Close other "
        "programs or choose a smaller model, and ask again."
    ),
    "worker.stopped": mark("The model was stopped on this machine in the middle of the answer. Ask again."),
    "worker.stopping": mark("The engine is stopping, and this answer with it."),
    "worker.device_lost": mark("The device that computes {model} failed: {problem}."),
    "worker.other_numbers": mark(
        "it computes other numbers than the processor for the model {model} (logits differ by {off} standard "
        "deviations, at most {most} are rounding). Update its driver, or try another variant"
    ),
    "worker.cannot_compute": mark("the model {model} cannot be computed there: {problem}"),
    "load.failed": mark("The model {model} cannot be loaded. {problem}"),
    "load.unusable": mark("The model {model} cannot be used. {problem}"),
    "load.unread": mark(
        "The model {model} is on this machine but was not there when the models were read. Start the app again to use "
        "it."
    ),
    "load.late": mark(
        "The model {model} could not be loaded within {seconds} s. Close other programs, or choose a smaller model."
    ),
    "load.no_room": mark("The model {model} is not loaded. {reason}"),
    "load.capped": mark(
        "It needs {needed} GB with its caches and what is loaded beside it, and of {device} {most} GB may be used. "
        "Allow more, or choose a smaller model."
    ),
    "load.replaced": mark(
        "The model {model} was replaced by another version in the middle of the answer, which cannot go on with it. "
        "Ask again."
    ),
    "load.damaged": mark("{path} cannot be loaded: {problem}. The file is damaged: download it again."),
    "load.no_graph": mark("it holds no graph"),
    "load.damaged_or_other": mark(
        "{path} cannot be loaded: {problem}. The file is damaged or made for another runtime: download it again or "
        "choose another variant."
    ),
    "load.tokenizer": mark("{path} cannot be loaded: {problem}. Download it again."),
    "load.computes_not": mark("{path} cannot be computed: {problem}. Choose another variant of the model."),
    "start.locked": mark(
        "Another engine ({owner}) already uses the data directory {folder}. Two on one directory would damage each "
        "other's keys. Stop that one, use it instead, or choose another directory with --data."
    ),
    "start.process": mark("process {number}"),
    "start.another": mark("another process"),
    "start.directory": mark(
        "The data directory {folder} cannot be used ({error}). Name another place with --data or GENTORRENT_DATA."
    ),
    "start.directory_is_file": mark(
        "The data directory {folder} is a file. The engine keeps its keys and state in a folder. Name another place "
        "with --data or GENTORRENT_DATA."
    ),
    "start.no_user": mark(
        "The folder {folder} cannot be found: there is no such user on this machine. Write the whole path."
    ),
    "start.hidden_and_published": mark(
        "The settings relayed_only and signaling_address contradict each other: the second publishes this machine's "
        "address, which the first is there to hide. Leave one of them out."
    ),
    "start.for_relays": mark(
        "The setting signaling_address is for relays, and relay is off (--no-relay). Leave one of them out."
    ),
    "start.joined_unreadable": mark(
        "The file {path}, which names the network that was joined, cannot be read ({error}). Delete it and join again."
    ),
    "start.settings_unreadable": mark(
        "The settings file {path} cannot be read ({error}). The engine does not start with half of its settings. Make "
        "the file readable or move it away."
    ),
    "start.settings_long": mark("The settings file {path} is larger than {most} bytes. Shorten it."),
    "start.no_toml": mark(
        "The settings file {path} is not valid TOML: {error}. None of its settings can be used. Correct that line."
    ),
    "start.unknown_setting": mark('The settings file {path} has an unknown setting "{name}".'),
    "start.did_you_mean": mark('Did you mean "{name}"?'),
    "start.known_settings": mark("Known settings: {names}."),
    "start.value": mark("{source} has the value {value}, which cannot be used: {problem}"),
    "start.no_setting": mark("{source} is not a setting of the engine."),
    "start.in_file": mark("{name} in {path}"),
    "start.variable": mark("The environment variable {name}"),
    "start.option": mark("The option {name}"),
    "start.port": mark(
        "The port {port} on {host} cannot be used ({error}); another program, perhaps another engine, has it. The "
        "local API needs a port of its own: choose one with --api-port, or 0 for any free one."
    ),
    "start.keys_newer": mark("{path} is of a version that this program does not know. Update GenTorrent."),
    "start.keys_unopened": mark("The keys in {path} cannot be opened: {cause}."),
    "start.wrong_passphrase": mark("{variable} is not the passphrase it was encrypted with"),
    "start.other_key": mark("the keyring holds another key than the one it was encrypted with, or the file is damaged"),
    "start.keys_damaged": mark(
        "The key file {path} is damaged. Restore it from a backup, or move it away to start with new keys (the node "
        "then gets a new id)."
    ),
    "start.keys_passphrase": mark("The keys in {path} are encrypted with a passphrase. Set {variable}."),
    "start.keyring_silent": mark(
        "The keys in {path} are protected by the system's keyring, which does not answer (is it locked, or is "
        "{switch} set to off?). Unlock it and start again."
    ),
    "start.keyring_forgot": mark(
        "The system's keyring no longer holds the key to {path}. Restore the keyring, or move the file away to start "
        "with new keys (the node then gets a new id)."
    ),
    "address.model_id": mark("a model id has letters, digits and . _ : / - only, such as gentorrent-builtin."),
    "address.family": mark("a family is a name that can be printed, such as an address of yours: it is published."),
    "address.origin": mark("an origin is written as http://localhost:3000, in lower case and without a path."),
    "address.signaling": mark("write IP:PORT as others reach it, for example 203.0.113.7:4711 or [2001:db8::1]:4711."),
    "address.different": mark(
        "the servers are of different networks: the parts after # differ. Name servers of one network only."
    ),
    "address.most": mark("at most {most} servers can be named."),
    "address.expected": mark("write http://HOST:PORT or https://HOST, and #NETWORKID after it to pin the network."),
    "address.none": mark("this is not an address; {expected}"),
    "address.no_server": mark("this is not the address of a bootstrap server; {expected}"),
    "address.too_much": mark("an address has no user name, password or query here; {expected}"),
    "address.no_network_id": mark(
        "the part after # is not a network id, which has 64 digits 0-9 a-f. gentorrent bootstrap prints the whole "
        "address; copy it from there."
    ),
}
