DIARY = open("diary.txt", "a")

from zoo import keeper, animals
