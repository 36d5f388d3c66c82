import garden.beds


def bed(flower):
    return garden.beds.NUMBERS[flower]
