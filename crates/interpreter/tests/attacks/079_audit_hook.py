# 79b. Install a hook that refuses everything
# outcome: any
def refuse(*_):
    raise RuntimeError("refused")
sys.addaudithook(refuse)
