"""Folders of models: what is missing in them, damaged, or of a kind that cannot be used."""

from engine.sentences.marking import mark

FOLDERS = {
    "folder.gone": mark("The model folder {path} does not exist. Download the model again."),
    "folder.missing": mark("{path} is missing. Download that file from the model's repository into the folder."),
    "folder.leads_out": mark(
        "{path} is a link that leads out of the model's folder, to {target}. Put the file itself there."
    ),
    "folder.empty": mark(
        "{path} is empty: a download was cut off. Download that file from the model's repository into the folder."
    ),
    "folder.unreadable": mark("{path} cannot be read: {reason}. Check its permissions and the disk."),
    "folder.unlisted": mark("{path} cannot be listed: {reason}. Check its permissions."),
    "folder.no_name": mark("{path} is no name of a file ({reason}). Download the model again."),
    "folder.no_utf8": mark("{path} is no name in UTF-8. Download the model again."),
    "folder.pointer": mark(
        "{path} holds only a Git LFS pointer, not the file itself. Run 'git lfs pull' in the folder, or download the "
        "model again."
    ),
    "folder.json_too_large": mark("{path} is larger than any configuration file. Download it again."),
    "folder.no_json": mark("{path} is not a readable JSON file ({reason}). Download it again."),
    "folder.no_object": mark("{path} does not hold a JSON object. Download it again."),
    "folder.no_config": mark(
        "{path} is missing, and there is no genai_config.json. Download that file from the model's repository into "
        "the folder."
    ),
    "folder.no_end": mark(
        "Neither generation_config.json nor config.json in {path} names the end-of-turn token (eos_token_id). Take "
        "generation_config.json from the model's repository."
    ),
    "folder.end_beyond": mark(
        "{path} names {token} as end of a turn (eos_token_id), but {main} gives only {tokens} tokens. The files "
        "belong to different models: download both again."
    ),
    "folder.encoder_decoder": mark(
        "{path} describes {kind}, an encoder-decoder model. Only decoder models are served: choose another model."
    ),
    "folder.no_generation": mark(
        "{path} describes {kind}, which does not generate text (an embedding, classification or vision model). Choose "
        "a model for text generation."
    ),
    "folder.no_number": mark("{path} has no usable {name} ({value}). Take {file} from the model's repository."),
    "folder.longrope": mark(
        "{path} has rope_scaling of the kind longrope, but no usable original_max_position_embeddings ({value}). Take "
        "{file} from the model's repository."
    ),
    "folder.heads": mark(
        "{path} has {heads} attention heads, which {kv_heads} key-value heads do not divide. Take {file} from the "
        "model's repository."
    ),
    "folder.head_dim": mark(
        "{path} has no head_dim, and hidden_size {hidden} is no multiple of its {heads} attention heads. Take {file} "
        "from the model's repository."
    ),
    "folder.no_decoder": mark(
        "{path} describes no decoder (model.decoder), and there is no config.json beside it. Take both from the "
        "model's repository."
    ),
    "folder.configs_differ": mark(
        "{path} says {name} {value}, {other} says {expected}. The files belong to different models: download both "
        "again."
    ),
    "folder.not_whole": mark(
        "{path} is not a whole ONNX file ({reason}). Download it again, or choose another variant."
    ),
    "folder.no_graph_in": mark("{path} holds no ONNX graph. Download it again, or choose another variant."),
    "folder.no_variant": mark("{path} has no variant {name}. It has: {names}."),
    "folder.too_many_graphs": mark("{path} holds more than {most} ONNX files. It is not the folder of one model."),
    "folder.decoder_part": mark(
        "{path} is the decoder of an encoder-decoder model. Only decoder models are served: choose another."
    ),
    "folder.embeddings": mark(
        "{path} is part of a model for pictures or sound: it takes embeddings in the place of tokens. Choose an "
        "export for text alone."
    ),
    "folder.merged": mark(
        "{path} is a merged export of an older kind (input use_cache_branch). Choose a repository with a newer "
        "export, or export the model again."
    ),
    "folder.no_logits": mark(
        "{path} gives no logits. It is an embedding or classification model: choose one for text generation."
    ),
    "folder.no_cache": mark(
        "{path} has no key-value cache (past_key_values.0.key). Choose an export with past, for instance optimum's "
        "task text-generation-with-past."
    ),
    "folder.cache_format": mark(
        "{path} keeps its cache in a number format that is not served. Choose another variant of the model."
    ),
    "folder.split": mark(
        "{path} holds an export split into two graphs ({names}). Choose a repository with one model.onnx, or export "
        "the model again."
    ),
    "folder.parts_only": mark(
        "{path} holds only parts of a model ({names}), none that generates text from tokens alone. Choose an export "
        "for text."
    ),
    "folder.nothing": mark(
        "{path} holds neither model.onnx nor onnx/model.onnx. Choose a repository with an ONNX export, or export the "
        "model to ONNX."
    ),
    "folder.no_tokenizer": mark(
        "{path} is missing, so text cannot be turned into tokens. Download that file from the model's repository into "
        "the folder."
    ),
    "folder.other_tokenizer": mark(
        "{path} is missing, and {only} alone is a format that is not read here, so text cannot be turned into tokens. "
        "Download that file from the model's repository into the folder."
    ),
    "folder.outside": mark(
        "{path} wants its weights from {place}, outside of its own folder. Such a model is not loaded: choose another "
        "one."
    ),
    "folder.itself": mark(
        "{path} names itself as the file that its weights lie in. It is damaged or made to mislead: choose another "
        "model."
    ),
    "folder.too_short": mark(
        "{path} has {size} bytes, but {graph} needs {needed}: a download was cut off, or the two files belong to "
        "different models. Download both again."
    ),
    "folder.layers_differ": mark(
        "{path} has caches for {layers} layers, {main} says {expected}. The files belong to different models: "
        "download both again."
    ),
    "folder.shapes_differ": mark(
        "{path} has {name} of the shape {shape}, {main} says {heads} key-value heads with {numbers} numbers. The "
        "files belong to different models: download both again."
    ),
    "folder.logits_differ": mark(
        "{path} gives logits for {tokens} tokens, {main} says {expected} (vocab_size). The files belong to different "
        "models: download both again."
    ),
    "folder.template_kind": mark(
        "{path} has a chat_template that is neither text nor a list of names with templates. Take the file from the "
        "model's repository."
    ),
    "folder.no_text": mark("{path} cannot be read as text ({reason}). Download it again."),
    "folder.template_too_large": mark("{path} is larger than any chat template. Download it again."),
    "folder.no_template": mark(
        "{path} has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json), so it cannot "
        "hold a conversation. Choose the instruction-tuned variant of the model."
    ),
    "folder.template_broken": mark(
        "The chat template in {path} is broken: {reason}. Download the model again; if that does not help, the "
        "repository itself is at fault: choose another model."
    ),
    "folder.tokenizer_broken": mark("{path} does not work: {reason} Download it again."),
    "folder.tokenizer_beyond": mark(
        "{path} has {tokens} tokens, but the model knows only {expected} (vocab_size in config.json). The two files "
        "belong to different models: download both again."
    ),
    "folder.tokenizer_ends": mark(
        "{path} has no token {tokens}, with which the model ends its answers (eos_token_id in config.json). The two "
        "files belong to different models: download both again."
    ),
    "folder.cache_type": mark("{path} keeps its cache as {kind}; known are {kinds}. Choose another variant."),
    "folder.fewer_logits": mark(
        "{path} makes {tokens} logits, config.json says {expected} tokens. The files belong to different models: "
        "download both again."
    ),
    "folder.lacks_input": mark(
        "{path} lacks {name} (config.json says {layers} layers). It is not an export of a text model with a key-value "
        "cache, or config.json belongs to another model."
    ),
    "folder.more_caches": mark(
        "{path} has a cache {name}, config.json says {layers} layers. The files belong to different models: download "
        "both again."
    ),
    "folder.unknown_input": mark(
        "{path} wants an input {name} that is not known here. Choose another variant of the model."
    ),
    "folder.cache_dimensions": mark(
        "{path} has a cache {name} of {count} dimensions; known are four: batch, heads, length, numbers. Choose "
        "another variant of the model."
    ),
    "folder.caches_differ": mark(
        "{path} has caches of {heads} heads with {numbers} numbers, config.json says {expected_heads} with "
        "{expected_numbers}. The files belong to different models: download both again."
    ),
    "folder.continues_not": mark(
        "{path} gives other logits for a prompt in two pieces than for the same prompt at once (by {off} standard "
        "deviations): it does not continue from its cache. Choose another variant."
    ),
    "folder.no_logits_output": mark(
        "{path} lacks an output named logits: it is no export of a text model for generation."
    ),
    "folder.too_large_graph": mark("{path} is too large for one file ({reason}). Choose a variant with external data."),
    "folder.not_for_text": mark("{path} is no model for text. Choose another variant."),
    "folder.link": mark("{path} is a link. What is published has to lie in its folder: copy the file there."),
    "folder.damage_parts": mark("too many parts"),
    "folder.damage_kind": mark("wire type {kind} at byte {place}"),
    "folder.damage_end": mark("it ends at byte {end}, {missing} bytes too early"),
    "folder.damage_name": mark("a name is too long"),
    "folder.damage_shape": mark("a shape is too long"),
    "folder.damage_number": mark("a number does not end"),
    "folder.damage_nested": mark("subgraphs are nested too deeply"),
    "folder.damage_unnamed": mark("a weight lies in another file, but its name is missing"),
    "folder.damage_before": mark("a weight lies before the beginning of its file"),
}
