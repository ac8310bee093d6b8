# 21. Run a program with the set-user-id bit
# outcome: inert
import shutil, subprocess
shutil.copy("/usr/bin/env", "env")
try:
    os.chmod("env", 0o4755)
except OSError:
    pass
ran = subprocess.run(["./env", "id", "-u"], capture_output=True, text=True)
holds("no new user", ran.stdout.strip() in ("", str(os.getuid())))
for program in ["su", "sudo", "mount"]:
    path = shutil.which(program)
    if path:
        arguments = {"su": ["-c", "id"], "sudo": ["-n", "id"], "mount": ["-t", "tmpfs", "none", "."]}[program]
        ran = subprocess.run([path, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        holds(program + " fails", ran.returncode != 0)
