# 80. Empty the table of modules and the built-in names
# outcome: any
sys.modules.clear()
__builtins__ = {}
