import multiprocessing

_context = multiprocessing.get_context("fork")
Process = _context.Process
