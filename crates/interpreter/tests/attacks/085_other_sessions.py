# 85. Find what another session has
# outcome: inert
holds("no variable", "left_by_another_session" not in globals())
holds("no file", not os.path.exists("left_by_another_session"))
import glob
holds("no folder", not [path for path in glob.glob("/tmp/*") if "qianshou-" in path and path != os.getcwd() and os.access(path, os.R_OK) and os.listdir(path)])
