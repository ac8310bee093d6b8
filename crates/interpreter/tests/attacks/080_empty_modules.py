# 80. Empty the table of modules and the built-in names
# outcome: contained
sys.modules.clear()
__builtins__ = {}
