# 19. Make a file of a terabyte that takes no room
# outcome: refused
def grow():
    with open("sparse", "wb") as file:
        file.truncate(1 << 40)
attempt("truncate", grow)
attempt("allocate", lambda: os.posix_fallocate(os.open("sparse", os.O_RDWR | os.O_CREAT), 0, 1 << 40))
holds("size", os.path.getsize("sparse") <= 64 << 20)
