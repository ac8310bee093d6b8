# 79. Replace what the kernel's own code uses
# outcome: contained
import ast, builtins, gc, json
def broken(*_, **__):
    raise RuntimeError("broken")
json.dumps = ast.parse = compile = builtins.repr = builtins.compile = builtins.print = broken
sys.settrace(broken)
sys.excepthook = sys.displayhook = broken
gc.callbacks.append(broken)
sys.stdout = sys.stderr = None
class Finder:
    find_spec = broken
sys.meta_path.insert(0, Finder())
