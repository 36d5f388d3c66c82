"""The abstract machine: runs a module as the parent process would, and watches file buffers."""
