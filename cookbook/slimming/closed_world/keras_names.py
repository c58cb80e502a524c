"""Names through which Keras calls the methods and reads the attributes of ours."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Keras may call these at any time, so their arguments have to stay as they are.
METHODS = _words(
    """
    add_loss add_weight apply assign build call compile compute_loss compute_mask
    compute_metrics compute_output_shape compute_output_spec finalize_variable_values
    get_dropout_mask get_initial_state get_recurrent_dropout_mask inner_loop
    load_own_variables predict_step quantize reset_state reset_states
    reset_dropout_mask reset_recurrent_dropout_mask result save_own_variables
    stateless_call symbolic_call
    test_step train_step update_state update_step set_model set_params
    on_batch_begin on_batch_end on_epoch_begin on_epoch_end on_predict_batch_begin
    on_predict_batch_end on_predict_begin on_predict_end on_test_batch_begin
    on_test_batch_end on_test_begin on_test_end on_train_batch_begin
    on_train_batch_end on_train_begin on_train_end scale_loss _maybe_symbolic_build
    _all_reduce_sum_gradients _backend_apply_gradients _backend_update_step
    _get_variable_index
    """
)
# Keras reads or sets these on layers, models, losses, metrics, optimizers, callbacks.
ATTRIBUTES = _words(
    """
    activity_regularizer autocast axis_names batch_size built call_signature_parameters
    cell compute_dtype config dropout dropout_mask_count dtype dtype_policy
    forward_layer global_clipnorm go_backwards history input input_spec inputs
    iterations layer layers learning_rate losses metrics metrics_names model monitor
    name noise_shape num_batches optimizer output output_size outputs params path
    recurrent_dropout recurrent_seed_generator reduction return_sequences return_state
    seed seed_generator shape state_size stateful states stop_training
    supports_jit supports_masking trainable trainable_variables unroll validation_data
    variable_dtype variables weights zero_output_for_mask _apply_weight_decay
    _autocast _distribute_strategy _keras_logits compiled loss_scale_factor use_ema
    optimizers predict_function test_function train_function
    """
)
# Methods that only serve Keras's files; they stay where a script rebuilds an object.
SERIALIZATION = _words(
    """
    build_from_config compile_from_config from_config get_build_config
    get_compile_config get_config
    """
)
# What rebuilds a layer from its configuration.
REBUILDS = {
    *("clone_model", "deserialize_keras_object", "from_config", "get_config"),
    "serialize_keras_object",
}
CLONED = ".keras.initializers.Initializer"  # Keras clones an initializer that it gets
# What Keras assumes where its constructors and `add_weight` do not get the argument.
DEFAULTS = {
    "activity_regularizer": None,
    "constraint": None,
    "dtype": None,
    "go_backwards": False,
    "name": None,
    "regularizer": None,
    "return_sequences": False,
    "return_state": False,
    "stateful": False,
    "trainable": True,
    "unroll": False,
}


# Keywords that the constructors of Keras's base classes take; others are refused.
KERAS_OPTIONS = _words(
    """
    activity_regularizer autocast batch_input_shape batch_shape clipnorm clipvalue
    dtype ema_momentum ema_overwrite_frequency global_clipnorm go_backwards
    gradient_accumulation_steps input_dtype input_shape learning_rate
    loss_scale_factor max_queue_size name reduction return_sequences return_state
    sparse stateful trainable unroll use_ema use_multiprocessing weight_decay weights
    workers zero_output_for_mask inputs outputs layers cell
    """
)


def may_be_called(name: str) -> bool:
    """Whether Keras or Python may call a method of this name."""
    return name in METHODS or name.startswith("__")


def may_be_read(name: str) -> bool:
    """Whether Keras or Python may read an attribute of this name."""
    return name in ATTRIBUTES or may_be_called(name)
