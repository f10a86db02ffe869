"""Variants: training-free changes of how a decoder with RoPE sees its past, composed from atoms (`README.md`)."""
