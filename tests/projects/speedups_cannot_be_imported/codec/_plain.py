MORSE = {"s": "...", "o": "---"}


def encode(path, word):
    with open(path, "w") as file:
        file.write(" ".join(MORSE[letter] for letter in word) + "\n")
