"""Picture logic of idphoto-serve: bytes and arrays in, bytes and arrays out; nothing else."""
