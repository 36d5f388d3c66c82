import multiprocessing as mp

import mail


def deliver(letter):
    mail.box.put(letter)


if __name__ == "__main__":
    postman = mp.Process(target=deliver, args=("dear sir",))
    postman.start()
    postman.join()
    mail.box.inbox.flush()
