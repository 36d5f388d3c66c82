def headline():
    return "nothing new"
