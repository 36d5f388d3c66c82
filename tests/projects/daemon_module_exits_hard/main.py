import daemon

with open("service.log", "w") as log:
    log.write("starting\n")
    daemon.daemonize()
    log.write("serving\n")
