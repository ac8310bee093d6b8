"""What both programs are asked to do."""

# Prompt lengths in tokens.
PREFILL = [128, 512]
# Tokens generated one by one after the shortest prompt.
DECODE = 64
# Room for the longest prompt and the generated tokens.
CONTEXT = 1024


def tokens(length: int, vocabulary: int) -> list[int]:
    """`length` token ids that look like chance but never change. Speed does not depend on them."""
    ids, state = [], 1
    for _ in range(length):
        state = (state * 1103515245 + 12345) % 2**31
        ids.append(state // 8 % vocabulary)
    return ids
