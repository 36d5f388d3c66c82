CUSTOMERS = ("Ada", "Grace")
