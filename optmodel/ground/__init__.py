"""What knows nothing of placing: files and their errors, commands, interrupts, workers, pictures.

Any room may use it, module by module; it uses none.
"""
