import daemon

with open("service.log", "a") as log:
    log.write("starting\n")  # FLU201
    daemon.daemonize()
    log.write("serving\n")
