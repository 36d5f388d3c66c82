import multiprocessing

Process = multiprocessing.get_context("spawn").Process
