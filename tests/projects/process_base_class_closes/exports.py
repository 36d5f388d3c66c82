import base


class PeopleExport(base.Export):
    def write(self):
        self.out.write("Ada\nGrace\n")


class PlacesExport(base.Export):
    def write(self):
        for place in ("London", "New York"):
            print(place, file=self.out)
