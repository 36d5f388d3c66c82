import os
import unittest
from multiprocessing import Process

from app.store import Store
from app.worker import work


class WorkerTest(unittest.TestCase):
    def test_in_a_process(self):
        p = Process(target=work, args=(["x"], "x.txt"))
        p.start()
        p.join()
        with open("x.txt") as file:
            self.assertEqual(file.read(), "x\n")

    def tearDown(self):
        os.remove("x.txt")


if __name__ == "__main__":
    unittest.main()
