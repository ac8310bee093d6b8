# 79b. Install a hook that refuses everything
# outcome: killed
def refuse(*_):
    raise RuntimeError("refused")
sys.addaudithook(refuse)
