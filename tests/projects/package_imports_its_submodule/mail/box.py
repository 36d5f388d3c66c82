inbox = open("inbox.txt", "w")


def put(letter):
    inbox.write(letter)  # FLU102
    inbox.write("\n--\n")
