from multiprocessing import Process

backend = __import__("storage.files").files


def save(text):
    backend.target.write(text)  # FLU102


if __name__ == "__main__":
    p = Process(target=save, args=("x\n",))
    p.start()
    p.join()
