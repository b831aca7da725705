"""What each part of the engine for batches is worth: the same runs with one part left out."""
