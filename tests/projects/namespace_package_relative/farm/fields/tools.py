CHOSEN = "plough"
