"""Model files that are damaged or meant to do harm, each made by a few lines of code.

FILES names each kind: a function that gets the path to write and the parts of a sound
file, {name of the member: bytes}. Those whose archive is at fault are in
hostile_archives.py.
"""

import json

import h5py
import numpy as np

from hostile_archives import (
    CONFIG,
    FILES,
    WEIGHTS,
    changed,
    function,
    hostile,
    layer,
    layers_of,
    with_activation,
    with_config,
    with_layer,
    with_setting,
    with_weights,
    write,
)

# The text of the configuration

FILES |= {
    "an_empty_config": with_config(""),
    "a_config_that_is_a_list": with_config("[]"),
    "a_config_that_is_a_number": with_config("7"),
    "a_config_in_another_encoding": with_config("{}".encode("utf-16") + b"\xff"),
    "a_config_without_a_class": with_config('{"config": {}}'),
    "a_config_of_nested_lists": with_config("[" * 100_000),
    "a_config_of_nested_dicts": with_config('{"class_name":' * 50_000),
    "a_config_nested_150_times": with_config(
        '{"class_name": "Sequential", "config": ' + "[" * 150 + "]" * 150 + "}"
    ),
    "a_number_of_many_digits": with_config('{"class_name": "A", "x": ' + "9" * 9999),
    "a_model_that_is_a_layer": with_config(json.dumps(layer("Dense", units=2))),
    "a_model_that_is_an_optimizer": with_config(
        json.dumps({**layer("Adam", "keras.optimizers"), "config": {}})
    ),
    "a_class_name_of_another_type": with_config('{"class_name": ["Sequential"]}'),
    "units_of_another_type": with_setting("units", "many"),
    "units_below_zero": with_setting("units", -3),
    "units_of_ten_to_the_12": with_setting("units", 10**12),
    "units_of_nine_million": lambda path, parts: changed(
        path, parts, lambda c: layers_of(c)[-1]["config"].update(units=9 * 10**6)
    ),
    "units_of_a_hundred_digits": with_setting("units", 10**100),
    "units_that_are_no_number": with_setting("units", float("nan")),
    "units_without_end": with_setting("units", float("inf")),
    "an_unknown_setting": with_setting("flux", 1),
    "a_type_of_nothing": with_setting("dtype", "float99"),
    "layers_that_are_no_list": lambda path, parts: changed(
        path, parts, lambda config: config["config"].update(layers={"a": 1})
    ),
    "layers_that_are_null": lambda path, parts: changed(
        path, parts, lambda config: config["config"].update(layers=None)
    ),
    "120_000_layers": lambda path, parts: changed(
        path, parts, lambda c: layers_of(c).extend([{"class_name": "A"}] * 120_000)
    ),
    "an_input_of_ten_to_the_9_squared": lambda path, parts: changed(
        path,
        parts,
        lambda config: layers_of(config)[0]["config"].update(
            batch_shape=[None, 10**9, 10**9]
        ),
    ),
}

# What the configuration names

MARKER = "/tmp/hostile_marker"
FILES |= {
    "a_lambda_layer": with_layer(layer("Lambda", function="x")),
    "a_lambda_as_activation": with_activation(
        {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}
    ),
    "a_lambda_by_its_private_place": with_layer(
        layer("Lambda", "keras.src.layers.core.lambda_layer", function="x")
    ),
    "a_lambda_that_calls_itself_ours": with_layer(
        {**layer("Lambda"), "registered_name": "keras_cookbook>Dense"}
    ),
    "a_lambda_without_a_module": with_layer({"class_name": "Lambda", "config": {}}),
    "a_graph_of_tensorflow": with_layer(layer("TFSMLayer", filepath="/tmp")),
    "a_graph_by_its_private_place": with_layer(
        layer("TFSMLayer", "keras.src.export.tfsm_layer", filepath="/tmp")
    ),
    "a_pickle_of_torch": with_layer(layer("TorchModuleWrapper")),
    "a_function_of_jax": with_layer(layer("JaxLayer", call_fn="x")),
    "os_system": with_activation(function("system", "os")),
    "eval": with_activation(function("eval", "builtins")),
    "exec_as_a_class": with_layer(layer("exec", "builtins")),
    "a_process": with_layer(layer("Popen", "subprocess", args=["touch", MARKER])),
    "a_download_as_activation": with_activation(function("get_file", "keras.utils")),
    "a_download_as_a_layer": with_layer(layer("get_file", "keras.utils")),
    "a_download_by_its_private_place": with_layer(
        layer("get_file", "keras.src.utils.file_utils", origin="http://x")
    ),
    "another_load_of_a_model": with_activation(function("load_model", "keras.models")),
    "a_switch_of_keras": with_activation(
        function("enable_unsafe_deserialization", "keras.config")
    ),
    "a_getter_as_activation": with_activation(function("get", "keras.activations")),
    "a_deserializer": with_activation(function("deserialize", "keras.losses")),
    "a_loss_function_as_a_layer": with_layer(
        layer("mean_squared_error", "keras.losses")
    ),
    "a_callback_as_a_layer": with_layer(
        layer("CSVLogger", "keras.callbacks", filename=MARKER)
    ),
    "an_editor_of_files": with_layer(
        layer("KerasFileEditor", "keras.saving", filepath=MARKER)
    ),
    "a_package_that_is_imported": with_layer(layer("Layer", "keras_hub.layers")),
    "an_unknown_layer": with_layer(layer("Flux")),
    "an_unknown_module": with_layer(layer("Dense", "keras.layers.flux")),
    "an_unknown_class_of_ours": with_layer(
        {**layer("Flux", "custom_layers"), "registered_name": "keras_cookbook>Flux"}
    ),
    "a_class_of_another_package": with_layer(
        {**layer("Dense"), "registered_name": "stranger>Dense"}
    ),
    "a_class_under_the_name_of_another": with_layer(
        {**layer("Dropout"), "registered_name": "keras_cookbook>Dense"}
    ),
    "a_type_specification": with_layer({**layer("__typespec__"), "spec_name": "x"}),
    "a_vocabulary_in_a_file": with_layer(
        layer("StringLookup", vocabulary="/etc/passwd")
    ),
    "a_vocabulary_at_an_address": with_layer(
        layer("TextVectorization", vocabulary="http://localhost/x")
    ),
    "strings_of_a_gigabyte": with_setting(
        "kernel_initializer",
        {"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "U999999999"}},
    ),
    "control_characters_in_a_class": with_layer(layer("\x1b[2J\x07\u202eDense\n")),
    "control_characters_in_a_module": with_layer(layer("Dense", "os\x1b]0;x\x07")),
    "half_a_surrogate_in_a_class": with_layer(layer("\ud800")),
}


@hostile
def a_layer_that_computes_while_it_is_loaded(path, parts):
    zeros = {"class_name": "__numpy__", "config": {"value": [0], "dtype": "float32"}}
    repeat = layer("UpSampling1D", size=10**6)
    node = {"args": [zeros], "kwargs": {}}
    model = {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {
            "name": "m",
            "layers": [{**repeat, "name": "added", "inbound_nodes": [node]}],
            "input_layers": [],
            "output_layers": [["added", 0, 0]],
        },
        "registered_name": "Functional",
    }
    write(path, {**parts, CONFIG: json.dumps(model)})


# What no check of ours sees: Keras itself says that these can't be models.
LEFT_TO_KERAS = {
    "a_model_that_is_an_optimizer",
    "an_unknown_setting",
    "a_type_of_nothing",
    "layers_that_are_no_list",
    "layers_that_are_null",
    "units_below_zero",
    "units_of_another_type",
    "units_that_are_no_number",
    "units_without_end",
    "weights_that_lack",
}

# The weights


def _external_link(file):
    file["layers"] = h5py.ExternalLink("/etc/hostname", "/")


def _soft_link(file):
    file["layers"] = h5py.SoftLink("/elsewhere")


def _external_array(file):
    file.create_dataset(
        "a", (4,), "uint8", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)]
    )


def _virtual_array(file):
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource("/etc/hostname", "a", (4,))
    file.create_virtual_dataset("a", layout)


def _group_in_itself(file):
    file.create_group("a")
    file["a/a"] = file["a"]


def _array_of_ten_to_the_12(file):
    file.create_dataset("a", (10**6, 10**6), "float32", chunks=(1000, 1000))


def _array_that_is_not_stored(file):
    file.create_dataset("a", (10**6, 10**6), "float32")


def _array_of_zeros_that_grows(file):
    file.create_dataset("a", data=np.zeros((2000, 2000)), compression="gzip")


def _array_of_strings(file):
    file.create_dataset("a", data=["x"] * 3)


def _array_of_references(file):
    file.create_dataset("a", data=[file.ref] * 3, dtype=h5py.ref_dtype)


def _groups_300_deep(file):
    file.create_group("/".join("a" * 300))


def _none_at_all(file):
    pass


FILES |= {
    "weights_linked_to_another_file": with_weights(_external_link),
    "weights_linked_softly": with_weights(_soft_link),
    "weights_in_another_file": with_weights(_external_array),
    "weights_in_a_virtual_array": with_weights(_virtual_array),
    "weights_in_a_circle": with_weights(_group_in_itself),
    "weights_of_ten_to_the_12": with_weights(_array_of_ten_to_the_12),
    "weights_that_are_not_stored": with_weights(_array_that_is_not_stored),
    "weights_that_grow": with_weights(_array_of_zeros_that_grows),
    "weights_that_are_strings": with_weights(_array_of_strings),
    "weights_that_are_references": with_weights(_array_of_references),
    "weights_300_groups_deep": with_weights(_groups_300_deep),
    "weights_that_lack": with_weights(_none_at_all),
}


@hostile
def weights_that_are_text(path, parts):
    write(path, {**parts, WEIGHTS: b"not HDF5"})


@hostile
def weights_cut_in_half(path, parts):
    write(path, {**parts, WEIGHTS: parts[WEIGHTS][: len(parts[WEIGHTS]) // 2]})
