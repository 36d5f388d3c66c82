from lab.notes._impl import Protocol
