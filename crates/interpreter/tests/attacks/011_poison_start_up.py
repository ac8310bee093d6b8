# 11. Leave files that the next Python would run
# outcome: inert
for name in ["sitecustomize.py", "usercustomize.py", "evil.pth", "os.py", "json.py", "encodings.py"]:
    write(name, b"raise SystemExit('poisoned')")
import subprocess
ran = subprocess.run([sys.executable, "-I", "-c", "import os, json; print('clean')"], capture_output=True, text=True)
holds("isolated child is clean", ran.stdout == "clean\n")
