"""ID photos of all photos in a folder or bucket, on all cores and GPUs of a Ray cluster."""
