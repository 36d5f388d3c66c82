"""Rules: from what the machine saw to findings. `registry` holds what each says of itself."""
