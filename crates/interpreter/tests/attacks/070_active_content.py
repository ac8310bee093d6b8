# 70. Show pages and drawings with programs in them
# outcome: inert
class Page:
    def _repr_html_(self):
        return "<script>fetch('http://127.0.0.1/')</script><img src=x onerror=alert(1)>"
class Drawing:
    def _repr_svg_(self):
        return "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><image href='file:///etc/passwd'/></svg>"
display(Page())
display(Drawing())
holds("shown", True)
