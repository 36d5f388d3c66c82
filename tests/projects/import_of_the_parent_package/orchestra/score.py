score = open("score.txt", "w")
