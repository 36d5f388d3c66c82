def listen(ready, end):
    with open("heard.txt", "w") as heard:
        heard.write("a whistle\n")
        ready.set()
        end.wait()
