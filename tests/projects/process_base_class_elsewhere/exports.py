from base import Export


class PeopleExport(Export):
    def lines(self):
        return ["Ada", "Grace"]


class PlacesExport(Export):
    def lines(self):
        yield "London"
        yield "New York"
