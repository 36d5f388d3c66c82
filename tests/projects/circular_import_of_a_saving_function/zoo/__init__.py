DIARY = open("diary.txt", "a")


def enter(text):
    DIARY.write(text + "\n")
    DIARY.flush()


from zoo import keeper, animals
