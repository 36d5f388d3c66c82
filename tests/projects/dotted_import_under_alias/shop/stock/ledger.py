import os

os.makedirs("books", exist_ok=True)
BOOK = open(os.path.join("books", "today.txt"), "w")
