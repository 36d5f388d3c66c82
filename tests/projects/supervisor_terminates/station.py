import time


def listen(ready):
    with open("heard.txt", "w") as heard:
        heard.write("a whistle\n")  # FLU105
        ready.set()
        while True:
            time.sleep(10)
