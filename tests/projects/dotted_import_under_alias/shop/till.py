def sell(goods, book):
    for name, price in goods:
        book.write(f"{name} {price}\n")
