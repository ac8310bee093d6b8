# 1. Read password hashes, keys and other people's folders
# outcome: refused
for path in ["/etc/shadow", "/etc/sudoers", "/root/.ssh/id_rsa", "/root/.bash_history", "/var/log/syslog"]:
    attempt(path, lambda: read(path))
for path in ["/home", "/boot", "/run", "/sys", "/root/.ssh", "/var/lib", "/mnt", "/srv"]:
    attempt(path, lambda: os.listdir(path))
