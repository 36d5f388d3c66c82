from multiprocessing import Process


class Clerk(Process):
    def __init__(self, task, account):
        super().__init__(name="clerk")
        self.task = task
        self.account = account

    def run(self):
        self.task(self.account)
