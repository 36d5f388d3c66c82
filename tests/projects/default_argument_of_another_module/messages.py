def say(text, out=open("messages.txt", "w")):
    out.write(text + "\n")  # FLU102
