"""What library functions and methods do to the states of the machine."""
