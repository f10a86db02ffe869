"""What a run will cost, from a model's configuration alone: bytes, FLOPs, seconds and money. Free of torch."""
