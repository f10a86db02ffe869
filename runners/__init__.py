"""What drives a model: hf, control."""
