def measure(word):
    return word, len(word)
