# 12. Poison the compiled files of the standard library
# outcome: refused
import importlib.util
import json
compiled = importlib.util.cache_from_source(json.__file__)
write("mine.pyc")
attempt("write", lambda: write(os.path.dirname(compiled) + "/mine.pyc"))
attempt("remove", lambda: os.remove(compiled))
attempt("replace", lambda: os.replace("mine.pyc", compiled))
