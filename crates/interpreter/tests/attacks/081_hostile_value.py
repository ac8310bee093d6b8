# 81. Return an object that lies about itself
# outcome: contained
class Hostile:
    def __reduce__(self):
        return os.system, ("true",)
    @property
    def __class__(self):
        raise RuntimeError("no class")
    def __repr__(self):
        raise BaseException("no representation")
    def _repr_html_(self):
        return 10**6 * "<script>"
    def __getattr__(self, name):
        raise SystemExit(name)
Hostile()
