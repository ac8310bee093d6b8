# 82. Find keys in the environment
# outcome: inert
known = {"HOME", "LANG", "MPLBACKEND", "MPLCONFIGDIR", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PATH", "TMPDIR",
         "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_INDEX", "PYTHONDONTWRITEBYTECODE", "LC_CTYPE", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "LINES", "COLUMNS"}
for name in set(os.environ) - known:
    holds(name, False)
canary = host["canary_reversed"][::-1]
holds("no canary", canary not in repr(dict(os.environ)))
holds("none at the start", canary.encode() not in open("/proc/self/environ", "rb").read())
