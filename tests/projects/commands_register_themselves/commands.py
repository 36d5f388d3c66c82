from registry import command

story = open("story.txt", "w")


@command("open")
def open_thing(what):
    story.write("You open the %s.\n" % what)  # FLU102


@command("say")
def say(what):
    story.write('You say: "%s"\n' % what)
